//! What it learnt from and was measured on: rows, classes, lengths, and what was cut.

use journal::SplitInfo;
use maud::{Markup, html};

use super::label;
use crate::Story;
use crate::numbers::{bytes, count, percent, plural};
use crate::plot::{Axis, Bar, Chart, Reading, Scale};
use crate::visible::excerpt;

/// Up to so many classes each has a column of its own.
const CLASSES: usize = 12;

pub(super) fn section(story: &Story) -> Option<Markup> {
    let data = &story.course.run.data;
    if data.splits.is_empty() && data.files.is_empty() {
        return None;
    }
    Some(html! {
        @if let Some(origin) = &data.origin {
            p {
                "Data set " bdi { code { (excerpt(&origin.dataset, 120)) } }
                " configuration " bdi { code { (excerpt(&origin.config, 80)) } }
                " at commit " code { (excerpt(&origin.commit, 40)) }
                @for (role, split) in &origin.splits { "; " (excerpt(role, 20)) " " bdi { code { (excerpt(split, 120)) } } }
            }
        }
        @if !data.files.is_empty() {
            ul.files {
                @for file in &data.files {
                    li {
                        bdi { code { (excerpt(&file.path, 200)) } }
                        @if let Some(size) = file.size { span.quiet { " " (bytes(size)) } }
                        @if let Some(digest) = &file.digest { span.quiet { " blake3 " code { (excerpt(digest, 16)) } } }
                    }
                }
            }
        }
        (splits(story))
        div.charts { @for (name, split) in &data.splits { @if split.rows > 0 { (lengths(story, name, split).render()) } } }
    })
}

fn splits(story: &Story) -> Markup {
    let data = &story.course.run.data;
    let classes = if data.labels.len() <= CLASSES { data.labels.len() } else { 0 };
    html! {
        div.scroll { table {
            thead { tr {
                th scope="col" { "Split" }
                th scope="col" { "Rows" }
                th scope="col" { "Tokens" }
                th scope="col" { "Mean length" }
                th scope="col" { "Cut" }
                @for class in 0..classes { th scope="col" { bdi { (label(story, class)) } } }
            } }
            tbody {
                @for (name, split) in &data.splits {
                    tr {
                        th scope="row" { (excerpt(name, 40)) }
                        td { (count(split.rows)) }
                        td { (count(split.tokens)) }
                        td { (format!("{:.1}", split.tokens as f64 / split.rows.max(1) as f64)) }
                        td { (count(split.truncated)) " " span.quiet { (percent(split.truncated, split.rows)) } }
                        @for class in 0..classes {
                            @let rows = split.class_counts.get(class).copied().unwrap_or(0);
                            td { (count(rows)) " " span.quiet { (percent(rows, split.rows)) } }
                        }
                    }
                }
            }
        } }
    }
}

/// How long the texts of a split are.
fn lengths(story: &Story, name: &str, split: &SplitInfo) -> Chart {
    let (width, counts) = (split.lengths.width.max(1) as f64, &split.lengths.counts);
    let most = counts.iter().copied().max().unwrap_or(0) as f64;
    let end = (width * counts.len() as f64).max(1.0);
    let mut chart = Chart::new(
        format!("Lengths, {}", excerpt(name, 40)),
        Axis { name: "tokens".to_owned(), scale: Scale::exactly(0.0, end, 4) },
        Axis { name: "texts".to_owned(), scale: Scale::of([0.0, most], 4) },
    );
    if split.truncated > 0 {
        let max_length = story.course.run.model.max_length;
        chart.note = format!(
            "{} ({}) cut at {}.",
            plural(split.truncated, "text", "texts"),
            percent(split.truncated, split.rows),
            plural(max_length, "token", "tokens")
        );
    }
    for (bin, &texts) in counts.iter().enumerate() {
        let (from, to) = (width * bin as f64, width * (bin + 1) as f64);
        chart.bars.push(Bar { from, to, low: 0.0, high: texts as f64, colour: 1 });
        chart.readings.push(Reading {
            x: (from + to) / 2.0,
            cells: vec![format!("{} to {}", from as u64, to as u64 - 1), count(texts), percent(texts, split.rows)],
            dots: Vec::new(),
        });
    }
    chart.columns = ["tokens", "texts", "share"].map(str::to_owned).to_vec();
    chart
}
