//! What decides, first: the score, how sure it is, and what it is beside the baseline.

use maud::{Markup, html};

use crate::numbers::{difference, figure, in_points, name};
use crate::plot::{Interval, intervals};
use crate::{Score, Story};

pub(super) fn section(story: &Story) -> Markup {
    let Some(score) = story.deciding() else {
        return html! {
            section.verdict.none aria-label="Verdict" {
                p.sentence { "Nothing was measured yet: there are no results and no predictions in the run's folder." }
            }
        };
    };
    let split = story.split().unwrap_or_default();
    html! {
        section.verdict aria-label="Verdict" {
            div {
                p.metric { (name(score.metric)) " on " (split) " rows" }
                p.score {
                    (figure(score.metric, score.value))
                    @if let Some((low, high)) = score.interval {
                        span.interval { (figure(score.metric, low)) " to " (figure(score.metric, high)) small { " 95% interval" } }
                    }
                }
                @if let Some(difference) = beside_baseline(score) { p.difference { (difference) } }
                p.sentence { (sentence(story, score)) }
            }
            @let rows = rows(score);
            @if rows.iter().any(|row| row.ends.is_some()) {
                figure {
                    (intervals(name(score.metric), &rows, if in_points(score.metric) { 100.0 } else { f64::INFINITY }))
                    figcaption { "Lines are 95% intervals." }
                }
            }
        }
    }
}

/// `+1.8 ± 0.9 over the baseline`.
fn beside_baseline(score: &Score) -> Option<String> {
    let over = "over the baseline";
    if let Some(found) = score.difference {
        let spread = figure(score.metric, found.half_width());
        return Some(format!("{} ± {spread} {over}", difference(score.metric, found.value)));
    }
    Some(format!("{} {over}", difference(score.metric, score.value - score.baseline?)))
}

/// What the figures mean, in words that they bear out.
fn sentence(story: &Story, score: &Score) -> String {
    let mut said = Vec::new();
    let better = |end: f64| if score.metric.greater_is_better() { end } else { -end };
    match score.difference {
        Some(found) => {
            let (low, high) = (better(found.low).min(better(found.high)), better(found.low).max(better(found.high)));
            said.push(match () {
                () if low > 0.0 => "Better than a linear model of words and word pairs, by more than chance explains.",
                () if high < 0.0 => "Worse than a linear model of words and word pairs, by more than chance explains.",
                () => "These rows do not tell it apart from a linear model of words and word pairs.",
            });
        }
        None if score.baseline.is_none() => said.push("No baseline was measured beside it."),
        None => {}
    }
    if score.unseen.is_some() {
        said.push("Some of these rows were seen in training: the figure without them is the safer one.");
    }
    if story.split() == Some("validation") {
        said.push(match story.has_test_rows() {
            true => "The test rows were not measured; these chose the weights, so the score flatters.",
            false => "There are no test rows; these chose the weights, so the score flatters.",
        });
    }
    said.join(" ")
}

/// The model, the model without rows that were seen, and the baseline.
fn rows(score: &Score) -> Vec<Interval> {
    let scale = if in_points(score.metric) { 100.0 } else { 1.0 };
    let row = |name: &str, value: f64, ends: Option<(f64, f64)>, colour| Interval {
        name: name.to_owned(),
        told: match ends {
            Some((low, high)) => format!(
                "{} ({} to {})",
                figure(score.metric, value),
                figure(score.metric, low),
                figure(score.metric, high)
            ),
            None => figure(score.metric, value),
        },
        value: value * scale,
        ends: ends.map(|(low, high)| (low * scale, high * scale)),
        colour,
    };
    let mut rows = vec![row("This model", score.value, score.interval, 1)];
    rows.extend(score.unseen.map(|(value, ends)| row("Without seen rows", value, ends, 5)));
    rows.extend(score.baseline.map(|value| row("Linear baseline", value, None, 2)));
    rows
}
