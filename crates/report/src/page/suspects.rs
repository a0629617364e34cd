//! Labels to look at again.

use maud::{Markup, html};

use super::class_name;
use crate::numbers::{count, plural};
use crate::visible::excerpt;
use crate::{Story, Suspect};

/// Rows that are shown before the others are folded away.
const SHOWN: usize = 8;

/// Characters of a text that are shown.
const EXCERPT: usize = 280;

pub(super) fn section(story: &Story) -> Option<Markup> {
    let suspects = story.suspects.as_ref().filter(|suspects| !suspects.first.is_empty())?;
    let (shown, folded) = suspects.first.split_at(suspects.first.len().min(SHOWN));
    let rest = suspects.listed.saturating_sub(suspects.first.len() as u64);
    Some(html! {
        p.lead {
            "Rows whose labels speak against what was learnt from all the others, the most suspect first. Some are rare and right: "
            "read them before changing any. " code { "suspect_labels.csv" } " lists " (plural(suspects.listed, "row", "rows")) "."
        }
        ol.texts.wide { @for suspect in shown { (row(suspect)) } }
        @if !folded.is_empty() {
            details {
                summary { (count(folded.len() as u64)) " more" }
                ol.texts.wide { @for suspect in folded { (row(suspect)) } }
                @if rest > 0 { p.note { (count(rest)) " others are in the file." } }
            }
        }
    })
}

fn row(suspect: &Suspect) -> Markup {
    let text = excerpt(&suspect.text, EXCERPT);
    html! {
        li {
            p.text { @if text.is_empty() { span.quiet { "(no text)" } } @else { bdi { (text) } } }
            p.said {
                span.tag { bdi { (class_name(&suspect.label)) } } " perhaps " span.tag.wrong { bdi { (class_name(&suspect.suggested)) } }
                " score " strong { (format!("{:.2}", suspect.score)) } ", " bdi { (excerpt(&suspect.reason, 120)) }
                span.where { (excerpt(&suspect.split, 20)) " row " (count(suspect.row)) }
            }
        }
    }
}
