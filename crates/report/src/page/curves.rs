//! How training went: loss, scores, learning rate, gradient, speed and memory over the steps.

use journal::Split;
use maud::{Markup, html};

use crate::numbers::{count, duration, in_points, name, plural, short};
use crate::plot::{Axis, Chart, Line, Mark, Reading, Scale, Shape};
use crate::{Course, Evaluated, Log, Story};

/// A line of more points is drawn through their means.
const POINTS: usize = 400;

/// A plot shows so many readings at most.
const READINGS: usize = 80;

/// Above so many, evaluations are not dotted one by one.
const DOTTED: usize = 60;

pub(super) fn section(story: &Story) -> Option<Markup> {
    let course = &story.course;
    let logs = thinned(course.points());
    let evaluated = evaluated(story);
    if logs.is_empty() && evaluated.iter().all(|(_, evaluations)| evaluations.is_empty()) {
        return None;
    }
    let of_logs = |value: fn(&Log) -> f64| logs.iter().map(|log| (log.step as f64, value(log))).collect::<Vec<_>>();
    let mut charts = vec![loss(story, of_logs(|log| log.loss), &evaluated)];
    charts.extend(scores(story, &evaluated));
    for (title, unit, value) in [
        ("Learning rate", "", (|log| log.learning_rate) as fn(&Log) -> f64),
        ("Gradient norm", "before clipping", |log| log.grad_norm),
        ("Speed", "tokens per second", |log| log.tokens_per_second),
    ] {
        charts.push(single(story, title, unit, of_logs(value)));
    }
    let memory: Vec<(f64, f64)> =
        course.system.iter().map(|reading| (reading.step as f64, reading.memory_bytes as f64 / 1e9)).collect();
    charts.push(single(story, "Memory", "GB", memory));
    let charts = charts.into_iter().filter(|chart| chart.lines.iter().any(|line| !line.points.is_empty()));
    let merged = merged(course);
    Some(html! {
        p.lead { (lead(story)) (merged) }
        div.charts { @for chart in charts { (chart.render()) } }
    })
}

/// What a point of the training curves stands for, where it is more than a log.
fn merged(course: &Course) -> String {
    let points = course.points();
    match points.first() {
        Some(first) if course.logs.len() < points.len() && first.step > 1 => {
            format!(" A point of the training loss is the mean of {} steps.", count(first.step))
        }
        _ if points.len() > POINTS => " Neighbouring logs are drawn as their mean.".to_owned(),
        _ => String::new(),
    }
}

fn lead(story: &Story) -> String {
    let course = &story.course;
    let mut said =
        format!("{}, {:.1} passes over the training rows", plural(course.steps, "step", "steps"), course.epochs);
    if let Some(seconds) = course.train_runtime {
        said += &format!(", in {}", duration(seconds));
    }
    said.push('.');
    if course.reason == Some(journal::EndReason::EarlyStopped) {
        said += " It stopped early: the metric had not got better for long enough.";
    }
    if let Some(best) = course.best_step {
        said += &format!(" The weights of step {} were kept.", count(best));
    }
    if course.attempts > 1 {
        said += &format!(" It took {} starts.", course.attempts);
    }
    said
}

/// Means of neighbouring logs, where there are too many to draw.
fn thinned(logs: &[Log]) -> Vec<Log> {
    let together = logs.len().div_ceil(POINTS).max(1);
    let mean = |group: &[Log], value: fn(&Log) -> f64| group.iter().map(value).sum::<f64>() / group.len() as f64;
    let one = |group: &[Log]| Log {
        step: group.last().map_or(0, |log| log.step),
        loss: mean(group, |log| log.loss),
        learning_rate: mean(group, |log| log.learning_rate),
        grad_norm: mean(group, |log| log.grad_norm),
        tokens_per_second: mean(group, |log| log.tokens_per_second),
    };
    logs.chunks(together).map(one).collect()
}

/// The evaluations to draw: those made again and again; the single one at the end is among the scores.
fn evaluated(story: &Story) -> Vec<(&'static str, Vec<&Evaluated>)> {
    let all = [("validation", Split::Eval), ("test", Split::Test)];
    let all = all.map(|(name, split)| (name, story.course.evaluations_of(split).collect::<Vec<_>>()));
    let most = all.iter().map(|(_, evaluations)| evaluations.len()).max().unwrap_or(0);
    all.into_iter().filter(|(_, evaluations)| evaluations.len() > 1 || evaluations.len() == most).collect()
}

fn loss(story: &Story, training: Vec<(f64, f64)>, evaluated: &[(&'static str, Vec<&Evaluated>)]) -> Chart {
    let mut lines = vec![Line { name: "training".to_owned(), colour: 1, shape: Shape::Straight, points: training }];
    for (at, (name, evaluations)) in evaluated.iter().enumerate() {
        let points = points(evaluations, "loss", 1.0);
        lines.push(Line { name: (*name).to_owned(), colour: 2 + at, shape: shape(&points), points });
    }
    let values = lines.iter().flat_map(|line| line.points.iter().map(|point| point.1)).chain([0.0]);
    let scale = Scale::of(values, 4);
    over_steps(story, "Loss", "cross-entropy", scale, lines)
}

fn scores(story: &Story, evaluated: &[(&'static str, Vec<&Evaluated>)]) -> Option<Chart> {
    let deciding = story.deciding().map_or(metrics::Metric::F1, |score| score.metric);
    let metrics = [deciding, metrics::Metric::Accuracy];
    let metrics = if deciding == metrics::Metric::Accuracy { &metrics[..1] } else { &metrics[..] };
    let title = match evaluated {
        [("test", _)] => "Test scores",
        [_] => "Validation scores",
        _ => "Scores",
    };
    let mut lines = Vec::new();
    for (split, evaluations) in evaluated {
        for metric in metrics {
            let points = points(evaluations, metric.name(), if in_points(*metric) { 100.0 } else { 1.0 });
            let metric_name = name(*metric).to_lowercase().replace("f1", "F1");
            let name = if evaluated.len() > 1 { format!("{split} {metric_name}") } else { metric_name };
            lines.push(Line { name, colour: lines.len() + 1, shape: shape(&points), points });
        }
    }
    let values = lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
    let scale = Scale::of(values, 4).up_to(if in_points(deciding) { 100.0 } else { f64::INFINITY });
    let chart = over_steps(story, title, "out of 100", scale, lines);
    chart.lines.iter().any(|line| !line.points.is_empty()).then_some(chart)
}

fn single(story: &Story, title: &str, unit: &str, points: Vec<(f64, f64)>) -> Chart {
    let scale = Scale::of(points.iter().map(|point| point.1).chain([0.0]), 4);
    let line = Line { name: title.to_lowercase(), colour: 1, shape: Shape::Straight, points };
    over_steps(story, title, unit, scale, vec![line])
}

fn points(evaluations: &[&Evaluated], metric: &str, factor: f64) -> Vec<(f64, f64)> {
    let values = evaluations
        .iter()
        .filter_map(|evaluated| Some((evaluated.step as f64, factor * evaluated.metrics.get(metric)?)));
    values.collect()
}

fn shape(points: &[(f64, f64)]) -> Shape {
    if points.len() <= DOTTED { Shape::Dotted } else { Shape::Straight }
}

/// A chart over the steps, with what can be read at them.
fn over_steps(story: &Story, title: &str, unit: &str, scale: Scale, lines: Vec<Line>) -> Chart {
    let course = &story.course;
    let mut steps: Vec<f64> = lines.iter().flat_map(|line| line.points.iter().map(|point| point.0)).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    let readings = every(&steps, READINGS).map(|step| {
        // What was said last before this step.
        let said = |line: &Line| line.points.iter().rev().find(|point| point.0 <= step).copied();
        Reading {
            x: step,
            cells: std::iter::once(short(step))
                .chain(lines.iter().map(|line| said(line).map_or_else(String::new, |point| short(point.1))))
                .collect(),
            dots: lines
                .iter()
                .filter_map(|line| Some((said(line).filter(|at| at.0 == step && at.1.is_finite())?.1, line.colour)))
                .collect(),
        }
    });
    let last = steps.last().copied().unwrap_or(1.0).max(course.steps as f64).max(1.0);
    let readings = readings.collect();
    let mut marks: Vec<Mark> =
        course.resumed_at.iter().map(|step| Mark { x: *step as f64, name: "resumed".to_owned() }).collect();
    marks.extend(course.best_step.map(|step| Mark { x: step as f64, name: "kept".to_owned() }));
    let mut chart = Chart::new(
        title,
        Axis { name: "step".to_owned(), scale: Scale::exactly(0.0, last, 4) },
        Axis { name: unit.to_owned(), scale },
    );
    chart.columns = std::iter::once("step".to_owned()).chain(lines.iter().map(|line| line.name.clone())).collect();
    (chart.lines, chart.marks, chart.readings) = (lines, marks, readings);
    chart
}

/// At most so many, evenly, the last one among them.
fn every(steps: &[f64], most: usize) -> impl Iterator<Item = f64> {
    let stride = steps.len().div_ceil(most).max(1);
    let offset = steps.len().saturating_sub(1) % stride;
    steps.iter().skip(offset).step_by(stride).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_even_and_end_with_the_last() {
        let steps: Vec<f64> = (1..=205).map(f64::from).collect();
        let found: Vec<f64> = every(&steps, 80).collect();
        assert!(found.len() <= 80 && found.last() == Some(&205.0), "{found:?}");
        assert_eq!(every(&[], 80).count(), 0);
        assert_eq!(every(&[3.0], 80).collect::<Vec<_>>(), [3.0]);
    }

    #[test]
    fn many_logs_are_drawn_as_means() {
        let log = |step| Log { step, loss: step as f64, learning_rate: 0.0, grad_norm: 0.0, tokens_per_second: 1.0 };
        let logs: Vec<Log> = (1..=1000).map(log).collect();
        let thin = thinned(&logs);
        assert!(thin.len() <= POINTS && thin[0].loss == 2.0 && thin.last().unwrap().step == 1000);
        assert_eq!(thinned(&logs[..7]), logs[..7]);
    }
}
