//! What was taken for what: the confusion matrix where it can be read, and the pairs that are confused most.

use maud::{Markup, html};

use super::label;
use crate::numbers::{count, percent};
use crate::{Measured, Story};

/// Up to so many classes a cell has room for its share.
const WITH_SHARES: usize = 12;

/// A matrix of more classes is no longer read by eye.
const SHOWN: usize = 50;

/// Pairs of classes that are listed.
const PAIRS: usize = 20;

pub(super) fn section(story: &Story) -> Option<Markup> {
    let measured = story.measured.as_ref()?;
    let classes = measured.labels.len();
    let wrong = measured.metrics.rows() - measured.metrics.confusion.correct();
    Some(html! {
        p.lead {
            (count(wrong)) " of " (super::rows_of(story, measured.metrics.rows())) " are wrong ("
            (percent(wrong, measured.metrics.rows())) ")."
            @if classes > SHOWN { " A matrix of " (count(classes as u64)) " classes cannot be read; these are the pairs confused most." }
            @else if classes > WITH_SHARES { " Shades are shares of a row; point at a cell for its figures." }
            @else { " Rows are true classes, columns predicted ones; shares are of the row." }
        }
        @if classes <= SHOWN { (matrix(story, measured, classes <= WITH_SHARES)) }
        @if classes > 2 && wrong > 0 { (pairs(story, measured, classes > SHOWN)) }
    })
}

fn matrix(story: &Story, measured: &Measured, with_shares: bool) -> Markup {
    let counts = measured.metrics.confusion.counts();
    let totals = measured.metrics.confusion.true_totals();
    html! {
        div.scroll {
            table.confusion.small[!with_shares] {
                caption { "Confusion matrix of " (super::rows_of(story, measured.metrics.rows())) }
                thead {
                    tr {
                        td.corner { span.quiet { "true ↓ said →" } }
                        @for class in 0..counts.len() { th scope="col" { span { bdi { (label(story, class)) } } } }
                    }
                }
                tbody {
                    @for (truth, row) in counts.iter().enumerate() {
                        tr {
                            th scope="row" { bdi { (label(story, truth)) } }
                            @for (predicted, &rows) in row.iter().enumerate() {
                                (cell(rows, totals[truth], truth == predicted, with_shares, || {
                                    format!("{} said {}", label(story, truth), label(story, predicted))
                                }))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(rows: u64, of: u64, right: bool, with_share: bool, pair: impl Fn() -> String) -> Markup {
    let kind = if right { "right" } else { "wrong" };
    if rows == 0 {
        return html! { td class=[right.then_some("right")] { @if with_share { span.quiet { "0" } } } };
    }
    // A little is seen as well: the shade begins at a fifth.
    let shade = format!("--a:{:.2}", 0.2 + 0.8 * rows as f64 / of.max(1) as f64);
    let title = (!with_share).then(|| format!("{}: {} ({})", pair(), count(rows), percent(rows, of)));
    html! {
        td class=(kind) style=(shade) title=[title] {
            (count(rows))
            @if with_share { small { (percent(rows, of)) } }
        }
    }
}

/// The pairs of classes with the most mistakes.
fn pairs(story: &Story, measured: &Measured, open: bool) -> Markup {
    let counts = measured.metrics.confusion.counts();
    let totals = measured.metrics.confusion.true_totals();
    let all = counts
        .iter()
        .enumerate()
        .flat_map(|(truth, row)| row.iter().enumerate().map(move |(predicted, &rows)| (rows, truth, predicted)));
    let mut pairs: Vec<(u64, usize, usize)> =
        all.filter(|(rows, truth, predicted)| truth != predicted && *rows > 0).collect();
    pairs.sort_by_key(|&(rows, truth, predicted)| (std::cmp::Reverse(rows), truth, predicted));
    html! {
        details.pairs open[open] {
            summary { "Pairs confused most" }
            div.scroll { table {
                thead { tr { th.text scope="col" { "True" } th.text scope="col" { "Said" } th scope="col" { "Rows" } th scope="col" { "Of the class" } } }
                tbody {
                    @for (rows, truth, predicted) in pairs.into_iter().take(PAIRS) {
                        tr {
                            td.text { bdi { (label(story, truth)) } }
                            td.text { bdi { (label(story, predicted)) } }
                            td { (count(rows)) }
                            td { (percent(rows, totals[truth])) }
                        }
                    }
                }
            } }
        }
    }
}
