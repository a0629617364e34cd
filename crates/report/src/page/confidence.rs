//! Whether the model is right as often as it says.

use maud::{Markup, html};
use metrics::SelectiveCurve;

use super::thresholds::levels;
use crate::numbers::{count, percent, points, short};
use crate::plot::{Axis, Bar, Chart, Line, Reading, Scale, Shape};
use crate::visible::excerpt;
use crate::{Measured, Story};

/// Points of a curve.
const POINTS: usize = 100;

/// Bins of the histogram.
const BINS: usize = 20;

pub(super) fn section(story: &Story) -> Option<Markup> {
    let measured = story.measured.as_ref()?;
    let reliability = measured.reliability.as_ref()?;
    Some(html! {
        p.lead {
            "On average, confidence and accuracy are " strong { (points(reliability.expected_error())) }
            " points of 100 apart (expected calibration error, " (metrics::Reliability::USUAL_BINS) " bins)."
            @if story.calibration.is_none() { " The probabilities are as the network gives them." }
        }
        (calibration(story))
        div.charts {
            (diagram(measured, reliability).render())
            (histogram(measured).render())
            (abstaining(measured).render())
        }
        @if let Some(calibration) = &story.calibration { (levels(calibration)) }
    })
}

/// Before and after the temperature.
fn calibration(story: &Story) -> Markup {
    let Some(calibration) = &story.calibration else { return html! {} };
    let Some(temperature) = calibration.temperature else {
        let reason = calibration.reason.as_deref().map(|reason| format!(": failed to {}", excerpt(reason, 300)));
        return html! { p.note { "No temperature was fitted" (reason.unwrap_or_default()) "." } };
    };
    let splits = [("Validation rows", calibration.validation), ("Test rows", calibration.test)];
    html! {
        div.scroll { table {
            caption { "A temperature of " (short(temperature)) ", fitted on validation rows, is part of the saved weights." }
            thead { tr {
                th scope="col" { "Before → after" }
                th scope="col" { "Calibration error" }
                th scope="col" { "Log loss" }
            } }
            tbody { @for (name, split) in splits { @if let Some(split) = split {
                tr {
                    th scope="row" { (name) }
                    td {
                        (points(split.before.expected_calibration_error)) " → "
                        strong { (points(split.after.expected_calibration_error)) }
                    }
                    td { (short(split.before.loss)) " → " strong { (short(split.after.loss)) } }
                }
            } } }
        } }
    }
}

fn diagram(measured: &Measured, reliability: &metrics::Reliability) -> Chart {
    let axis = |name: &str| Axis { name: name.to_owned(), scale: Scale::share() };
    let mut chart = Chart::new("Reliability", axis("confidence"), axis("share that is right"));
    chart.square = true;
    chart.note =
        "On the broken line, it is right as often as it says; below it, it is too sure. Paler bars have fewer rows."
            .to_owned();
    let all = measured.metrics.rows();
    chart.bars = reliability
        .bins()
        .iter()
        .map(|bin| Bar {
            from: bin.lower,
            to: bin.upper,
            low: 0.0,
            high: bin.accuracy,
            // A bin of few rows says little.
            colour: if bin.rows * 50 < all { 0 } else { 5 },
        })
        .collect();
    let points = reliability.bins().iter().map(|bin| (bin.confidence, bin.accuracy)).collect();
    chart.lines = vec![
        Line { name: String::new(), colour: 0, shape: Shape::Guide, points: vec![(0.0, 0.0), (1.0, 1.0)] },
        Line { name: String::new(), colour: 1, shape: Shape::Dots, points },
    ];
    chart.columns = ["confidence", "right", "rows"].map(str::to_owned).to_vec();
    chart.readings = reliability
        .bins()
        .iter()
        .map(|bin| Reading {
            x: bin.confidence,
            cells: vec![short(bin.confidence), short(bin.accuracy), count(bin.rows)],
            dots: vec![(bin.accuracy, 1)],
        })
        .collect();
    chart
}

/// What is wrong among the answers, where it says nothing below some confidence.
fn abstaining(measured: &Measured) -> Chart {
    let points = SelectiveCurve::of(&measured.predictions).risk_curve(POINTS);
    let worst = points.iter().map(|point| point.y).fold(0.0, f64::max);
    let mut chart = Chart::new(
        "Answering only when sure",
        Axis { name: "share of rows answered".to_owned(), scale: Scale::share() },
        Axis { name: "share of answers that are wrong".to_owned(), scale: Scale::of([0.0, worst], 4).up_to(1.0) },
    );
    chart.square = true;
    chart.note =
        "From right to left, it says nothing about more and more of the rows that it is least sure of.".to_owned();
    chart.columns = ["from confidence", "answered", "wrong"].map(str::to_owned).to_vec();
    let share = |share: f64| format!("{}%", short(100.0 * share));
    chart.readings = points
        .iter()
        .map(|point| Reading {
            x: point.x,
            cells: vec![short(point.threshold), share(point.x), share(point.y)],
            dots: vec![(point.y, 1)],
        })
        .collect();
    let points = points.iter().map(|point| (point.x, point.y)).collect();
    chart.lines = vec![Line { name: String::new(), colour: 1, shape: Shape::Straight, points }];
    chart
}

fn histogram(measured: &Measured) -> Chart {
    let mut bins = [(0u64, 0u64); BINS];
    for (confidence, right) in measured.predictions.answers() {
        let bin = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        *(if right { &mut bin.0 } else { &mut bin.1 }) += 1;
    }
    let most = bins.iter().map(|bin| bin.0 + bin.1).max().unwrap_or(0) as f64;
    let mut chart = Chart::new(
        "How sure it is",
        Axis { name: "confidence".to_owned(), scale: Scale::share() },
        Axis { name: "rows".to_owned(), scale: Scale::of([0.0, most], 4) },
    );
    chart.square = true;
    let edge = |bin: usize| bin as f64 / BINS as f64;
    for (at, &(right, wrong)) in bins.iter().enumerate().filter(|(_, bin)| bin.0 + bin.1 > 0) {
        let (right_end, all) = (right as f64, (right + wrong) as f64);
        chart.bars.push(Bar { from: edge(at), to: edge(at + 1), low: 0.0, high: right_end, colour: 1 });
        chart.bars.push(Bar { from: edge(at), to: edge(at + 1), low: right_end, high: all, colour: 2 });
        chart.readings.push(Reading {
            x: (edge(at) + edge(at + 1)) / 2.0,
            cells: vec![
                format!("{:.2} to {:.2}", edge(at), edge(at + 1)),
                count(right),
                count(wrong),
                percent(wrong, right + wrong),
            ],
            dots: Vec::new(),
        });
    }
    chart.columns = ["confidence", "right", "wrong", "share wrong"].map(str::to_owned).to_vec();
    // Lines without points carry the names of the bars' colours.
    chart.lines = [("right", 1), ("wrong", 2)]
        .map(|(name, colour)| Line { name: name.to_owned(), colour, shape: Shape::Straight, points: Vec::new() })
        .into();
    chart
}
