//! Rows to look at: those it is most wrong about and those it is least sure of.

use maud::{Markup, html};

use super::label;
use crate::numbers::count;
use crate::visible::excerpt;
use crate::{Predicted, Story};

/// Examples that are shown before the others are folded away.
const SHOWN: usize = 8;

/// Characters of a text that are shown at once; pointing at it shows more.
const EXCERPT: usize = 280;

pub(super) fn section(story: &Story) -> Option<Markup> {
    let measured = story.measured.as_ref()?;
    Some(html! {
        p.lead { "Surely wrong rows are often mislabelled; unsure ones show where the classes meet." }
        div.examples {
            div {
                h3 { "Most wrong" }
                @if measured.most_wrong.is_empty() { p.quiet { "No row is wrong." } }
                (list(story, &measured.most_wrong))
            }
            div {
                h3 { "Least sure" }
                (list(story, &measured.least_sure))
            }
        }
    })
}

fn list(story: &Story, rows: &[Predicted]) -> Markup {
    let (shown, folded) = rows.split_at(rows.len().min(SHOWN));
    html! {
        ol.texts { @for row in shown { (example(story, row)) } }
        @if !folded.is_empty() {
            details { summary { (count(folded.len() as u64)) " more" } ol.texts { @for row in folded { (example(story, row)) } } }
        }
    }
}

fn example(story: &Story, row: &Predicted) -> Markup {
    let text = excerpt(&row.text, EXCERPT);
    html! {
        li {
            p.text { @if text.is_empty() { span.quiet { "(no text)" } } @else { bdi { (text) } } }
            p.said {
                @if row.label == row.predicted {
                    span.tag.right { bdi { (label(story, row.label)) } } " right, " (share(row.confidence)) " sure"
                } @else {
                    span.tag { bdi { (label(story, row.label)) } } " said " span.tag.wrong { bdi { (label(story, row.predicted)) } }
                    " " (share(row.confidence)) " sure, " (share(row.probability)) " for the label"
                }
                span.where { "row " (count(row.row)) @if row.leaked { ", seen before" } }
            }
        }
    }
}

/// A probability, never rounded to certainty.
fn share(probability: f64) -> String {
    match 100.0 * probability {
        high if high > 99.9 => ">99.9%".to_owned(),
        low if low < 0.1 => "<0.1%".to_owned(),
        other => format!("{other:.1}%"),
    }
}
