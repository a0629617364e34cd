//! What another threshold would give: ROC and precision-recall curves.

use maud::{Markup, html};
use metrics::{CurvePoint, Cuts, average_precision, precision_recall_curve, roc_curve};

use super::label;
use crate::numbers::{points, short};
use crate::plot::{Axis, COLOURS, Chart, Line, Mark, Reading, Scale, Shape};
use crate::{Measured, Story};

/// Points of a curve that stands out.
const POINTS: usize = 150;

/// Thresholds that are tried, evenly between 0 and 1.
const THRESHOLDS: u32 = 100;

/// Points of a curve in the background.
const FAINT_POINTS: usize = 40;

/// Curves in the background, at most.
const FAINT: usize = 40;

/// Curves that stand out where there are many classes.
const WORST: usize = 4;

pub(super) fn section(story: &Story) -> Option<Markup> {
    let measured = story.measured.as_ref()?;
    let binary = measured.labels.len() == 2;
    let classes = chosen(measured);
    let stand_out = classes.iter().filter(|class| class.colour > 0).count();
    if stand_out == 0 {
        return None;
    }
    let area = measured.metrics.roc_auc.map(|area| format!(" The area under the ROC curve is {}.", points(area)));
    Some(html! {
        p.lead {
            @if binary { "What a threshold other than one half would give, for " bdi { (label(story, 1)) } "." }
            @else if stand_out < classes.len() { "Each class against the rest; the " (stand_out) " with the lowest average precision stand out." }
            @else { "Each class against the rest." }
            (area.unwrap_or_default())
        }
        div.charts {
            (roc(story, measured, &classes, binary).render())
            (precision_recall(story, measured, &classes, binary).render())
            @if binary { (thresholds(measured).render()) }
        }
        @if binary { p.note { "Point at a curve for the threshold and what it gives." } }
    })
}

/// A class whose curve is drawn.
struct Drawn {
    class: usize,
    colour: usize,
}

/// For two classes the second, for few all, for many the worst in colour and the others behind them.
fn chosen(measured: &Measured) -> Vec<Drawn> {
    let classes = measured.labels.len();
    let drawable = |class: usize| {
        let support = measured.metrics.per_class.get(class).map_or(0, |scores| scores.support);
        support > 0 && support < measured.metrics.rows()
    };
    if classes == 2 {
        return [1].into_iter().filter(|&class| drawable(class)).map(|class| Drawn { class, colour: 1 }).collect();
    }
    let mut ranked: Vec<(f64, usize)> = (0..classes)
        .filter(|&class| drawable(class))
        .map(|class| (average_precision(&measured.predictions, class).unwrap_or(1.0), class))
        .collect();
    if ranked.len() <= COLOURS {
        return ranked.into_iter().enumerate().map(|(at, (_, class))| Drawn { class, colour: at + 1 }).collect();
    }
    ranked.sort_by(|left, right| left.0.total_cmp(&right.0));
    let worst = ranked.iter().take(WORST).enumerate().map(|(at, &(_, class))| Drawn { class, colour: at + 1 });
    let others = ranked.iter().skip(WORST).take(FAINT).map(|&(_, class)| Drawn { class, colour: 0 });
    // The others first, so that they lie behind.
    let worst: Vec<Drawn> = worst.collect();
    others.chain(worst).collect()
}

fn most_points(drawn: &Drawn) -> usize {
    if drawn.colour == 0 { FAINT_POINTS } else { POINTS }
}

fn line(story: &Story, drawn: &Drawn, shape: Shape, points: Option<Vec<CurvePoint>>) -> Option<Line> {
    Some(Line {
        name: if drawn.colour == 0 { String::new() } else { label(story, drawn.class) },
        colour: drawn.colour,
        shape,
        points: points?.into_iter().map(|point| (point.x, point.y)).collect(),
    })
}

fn share_axis(name: &str) -> Axis {
    Axis { name: name.to_owned(), scale: Scale::share() }
}

fn roc(story: &Story, measured: &Measured, classes: &[Drawn], binary: bool) -> Chart {
    let mut chart = Chart::new("ROC curve", share_axis("rows of others that are taken for it"), share_axis("recall"));
    chart.square = true;
    chart.lines =
        vec![Line { name: String::new(), colour: 0, shape: Shape::Guide, points: vec![(0.0, 0.0), (1.0, 1.0)] }];
    let curve = |drawn: &Drawn| roc_curve(&measured.predictions, drawn.class, most_points(drawn));
    chart.lines.extend(classes.iter().filter_map(|drawn| line(story, drawn, Shape::Straight, curve(drawn))));
    if binary && let Some(points) = classes.first().and_then(curve) {
        chart.columns = ["threshold", "recall", "others taken for it"].map(str::to_owned).to_vec();
        chart.readings = readings(&points);
    }
    chart
}

fn precision_recall(story: &Story, measured: &Measured, classes: &[Drawn], binary: bool) -> Chart {
    let mut chart = Chart::new("Precision and recall", share_axis("recall"), share_axis("precision"));
    chart.square = true;
    let curve = |drawn: &Drawn| precision_recall_curve(&measured.predictions, drawn.class, most_points(drawn));
    chart.lines = classes.iter().filter_map(|drawn| line(story, drawn, Shape::Steps, curve(drawn))).collect();
    if binary && let Some(points) = classes.first().and_then(curve) {
        chart.columns = ["threshold", "precision", "recall"].map(str::to_owned).to_vec();
        chart.readings = readings(&points);
    }
    chart
}

/// Precision, recall and F1 of the second of two classes at even thresholds.
fn thresholds(measured: &Measured) -> Chart {
    let cuts = Cuts::of(&measured.predictions, 1);
    let at = |threshold: f64| {
        let cut = cuts.cuts.iter().rev().find(|cut| cut.threshold >= threshold)?;
        let taken = (cut.true_positives + cut.false_positives) as f64;
        let (hits, positives) = (cut.true_positives as f64, cuts.positives as f64);
        Some((threshold, [hits / taken, hits / positives, 2.0 * hits / (taken + positives)]))
    };
    let scores: Vec<(f64, [f64; 3])> =
        (1..THRESHOLDS).filter_map(|step| at(f64::from(step) / f64::from(THRESHOLDS))).collect();
    let mut chart = Chart::new("By threshold", share_axis("threshold"), share_axis("share"));
    chart.square = true;
    chart.lines = ["precision", "recall", "F1"]
        .into_iter()
        .enumerate()
        .map(|(score, name)| Line {
            name: name.to_owned(),
            colour: score + 1,
            shape: Shape::Straight,
            points: scores.iter().map(|(threshold, scores)| (*threshold, scores[score])).collect(),
        })
        .collect();
    chart.marks = vec![Mark { x: 0.5, name: "as it is".to_owned() }];
    chart.columns = ["threshold", "precision", "recall", "F1"].map(str::to_owned).to_vec();
    chart.readings = scores
        .iter()
        .map(|(threshold, scores)| Reading {
            x: *threshold,
            cells: [*threshold].into_iter().chain(*scores).map(short).collect(),
            dots: scores.iter().copied().zip(1..).collect(),
        })
        .collect();
    chart
}

/// One for each x: the best that can be had there.
fn readings(points: &[CurvePoint]) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    for point in points.iter().filter(|point| point.threshold.is_finite()) {
        let reading = Reading {
            x: point.x,
            cells: vec![short(point.threshold), short(point.y), short(point.x)],
            dots: vec![(point.y, 1)],
        };
        match readings.last_mut() {
            Some(last) if last.x == point.x => {
                if last.dots.first().is_none_or(|dot| dot.0 < point.y) {
                    *last = reading;
                }
            }
            _ => readings.push(reading),
        }
    }
    readings
}
