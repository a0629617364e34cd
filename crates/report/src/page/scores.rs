//! All scores in one table, each with its interval, beside the baseline.

use maud::{Markup, html};

use crate::Story;
use crate::numbers::{count, difference, figure, name};

pub(super) fn section(story: &Story) -> Markup {
    let scores = &story.scores;
    if scores.is_empty() {
        return html! {};
    }
    let has = |wanted: &dyn Fn(&crate::Score) -> bool| scores.iter().any(wanted);
    let (interval, unseen) = (has(&|score| score.interval.is_some()), has(&|score| score.unseen.is_some()));
    let (baseline, over) = (has(&|score| score.baseline.is_some()), has(&|score| score.difference.is_some()));
    html! {
        section.scores aria-label="Scores" {
            div.scroll { table {
                thead { tr {
                    th scope="col" { "Score" }
                    th scope="col" { "Model" }
                    @if interval { th scope="col" { "95% interval" } }
                    @if unseen { th scope="col" { "Without seen rows" } }
                    @if baseline { th scope="col" { "Baseline" } }
                    @if over { th scope="col" { "Over the baseline" } }
                } }
                tbody {
                    @for score in scores {
                        @let told = |value: f64| figure(score.metric, value);
                        tr {
                            th scope="row" { (name(score.metric)) }
                            td.strong { (told(score.value)) }
                            @if interval { td { @if let Some((low, high)) = score.interval { (told(low)) " to " (told(high)) } } }
                            @if unseen { td {
                                @if let Some((value, ends)) = score.unseen {
                                    (told(value))
                                    @if let Some((low, high)) = ends { span.quiet { " (" (told(low)) " to " (told(high)) ")" } }
                                }
                            } }
                            @if baseline { td { @if let Some(value) = score.baseline { (told(value)) } } }
                            @if over { td { @if let Some(found) = score.difference {
                                (difference(score.metric, found.value)) " ± " (told(found.half_width()))
                            } } }
                        }
                    }
                }
            } }
            p.note { (made(story)) }
        }
    }
}

/// What the figures are and how the intervals were made.
fn made(story: &Story) -> String {
    let mut said = vec!["Scores are out of 100; log loss is in nats, less is better.".to_owned()];
    if let Some(measured) = &story.measured {
        let rows = super::rows_of(story, measured.metrics.rows());
        said.push(match &measured.intervals {
            Some(intervals) => {
                format!(
                    "Intervals are those of {} bootstrap resamples of {rows}.",
                    count(intervals.bootstrap().resamples as u64)
                )
            }
            None => format!("Intervals are those of the bootstrap over {rows}."),
        });
    }
    if let Some(p) = story.results.get("test_baseline_mcnemar_p") {
        let p = if *p < 0.0001 { "below 0.0001".to_owned() } else { format!("{p:.4}") };
        said.push(format!(
            "The baseline is a linear model of words and word pairs (TF-IDF, logistic regression), trained on the same rows; \
             McNemar's test of the two has p {p}."
        ));
    }
    said.join(" ")
}
