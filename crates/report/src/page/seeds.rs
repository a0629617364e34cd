//! What the same training comes to under other seeds.

use maud::{Markup, html};

use crate::numbers::{count, figure, name};
use crate::{Score, Seeds, Story};

/// More runs than these have no column of their own.
const COLUMNS: usize = 8;

pub(super) fn section(story: &Story) -> Option<Markup> {
    let seeds = story.seeds.as_ref().filter(|seeds| !seeds.runs.is_empty())?;
    let prefix = if story.split() == Some("validation") { "eval_" } else { "test_" };
    let column = |score: &Score| format!("{prefix}{}", score.metric.name());
    let scores: Vec<(&Score, String)> = story.scores.iter().map(|score| (score, column(score))).collect();
    if !scores.iter().any(|(_, column)| seeds.spread.contains_key(column)) {
        return None;
    }
    let each = seeds.runs.len() <= COLUMNS;
    Some(html! {
        p.lead { (lead(seeds)) }
        div.scroll { table {
            thead { tr {
                th scope="col" { "Score" }
                th scope="col" { "Mean" }
                th scope="col" { "Deviation" }
                th scope="col" { "95% of the mean" }
                @if each { @for (at, run) in seeds.runs.iter().enumerate() {
                    th.strong[at == seeds.this] scope="col" { "Seed " (run.seed) }
                } }
            } }
            tbody { @for (score, column) in &scores { @if let Some(spread) = seeds.spread.get(column) {
                @let told = |value: f64| figure(score.metric, value);
                tr {
                    th scope="row" { (name(score.metric)) }
                    td.strong { (told(spread.mean)) }
                    td { @if let Some(deviation) = spread.standard_deviation { "± " (told(deviation)) } }
                    td { @if let Some((low, high)) = spread.low.zip(spread.high) { (told(low)) " to " (told(high)) } }
                    @if each { @for (at, run) in seeds.runs.iter().enumerate() {
                        td.strong[at == seeds.this] { @if let Some(value) = run.figure(column) { (told(value)) } }
                    } }
                }
            } } }
        } }
        p.note {
            "Splits are the same in all runs: what varies is the new head, the order of the rows and dropout. "
            "Intervals of the mean are Student's, wide where runs are few; they say nothing of other rows."
        }
    })
}

fn lead(seeds: &Seeds) -> String {
    let this =
        seeds.runs.get(seeds.this).map_or_else(String::new, |run| format!(", of which this is seed {}", run.seed));
    format!("The same training under {} seeds{this}.", count(seeds.runs.len() as u64))
}
