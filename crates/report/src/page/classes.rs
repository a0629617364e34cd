//! How each class fares, the worst first.

use maud::{Markup, html};
use metrics::proportion::wilson;

use super::label;
use crate::numbers::{count, points};
use crate::{Measured, Story};

/// A table of more classes scrolls by itself.
const LONG: usize = 30;

/// The share of rows like these for which an interval holds.
const CONFIDENCE: f64 = 0.95;

pub(super) fn section(story: &Story) -> Option<Markup> {
    let measured = story.measured.as_ref()?;
    let scores = &measured.metrics.per_class;
    let predicted = measured.metrics.confusion.predicted_totals();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&left, &right| scores[left].f1.total_cmp(&scores[right].f1).then(left.cmp(&right)));
    let train = story.course.run.data.splits.get("train").map(|split| &split.class_counts);
    let train = train.filter(|counts| counts.len() == scores.len());
    Some(html! {
        p.lead { "The weakest first. Recall and precision have 95% intervals (Wilson); few rows make them wide." }
        div.scroll.long[scores.len() > LONG] {
            table.sortable.classes {
                thead { tr {
                    th scope="col" { "Class" }
                    th scope="col" { "Rows" }
                    @if train.is_some() { th scope="col" { "Training rows" } }
                    th scope="col" { "F1" }
                    th scope="col" { "Recall" }
                    th scope="col" { "Precision" }
                    th.text scope="col" { "Most often taken for" }
                } }
                tbody {
                    @for class in order {
                        @let score = &scores[class];
                        @let hits = measured.metrics.confusion.counts()[class][class];
                        tr {
                            th scope="row" { bdi { (label(story, class)) } }
                            td { (count(score.support)) }
                            @if let Some(train) = train { td { (count(train[class])) } }
                            td.bar style=(format!("--w:{:.1}%", 100.0 * score.f1)) { span { (points(score.f1)) } }
                            (share(hits, score.support, score.recall))
                            (share(hits, predicted[class], score.precision))
                            td.text { @if let Some((other, rows)) = taken_for(measured, class) {
                                bdi { (label(story, other)) } " " span.quiet { (count(rows)) }
                            } }
                        }
                    }
                }
            }
        }
    })
}

fn share(hits: u64, of: u64, value: f64) -> Markup {
    let ends = wilson(hits, of, CONFIDENCE).ok();
    html! {
        td data-value=(format!("{value:.6}")) {
            @if of == 0 { span.quiet { "none" } } @else { (points(value)) }
            @if let Some((low, high)) = ends { " " span.quiet { (points(low)) "–" (points(high)) } }
        }
    }
}

/// The class that rows of this one are taken for most often.
fn taken_for(measured: &Measured, class: usize) -> Option<(usize, u64)> {
    let row = measured.metrics.confusion.counts()[class].iter().copied().enumerate();
    let wrong = row.filter(|&(other, rows)| other != class && rows > 0);
    wrong.max_by_key(|&(other, rows)| (rows, std::cmp::Reverse(other)))
}
