//! `report.html`: one page that loads nothing, works without scripts, and can be printed.
//!
//! What decides comes first, with what makes it doubtful beside it; then how training went, what is mistaken for what, how
//! the scores trade off, examples, the data, and how to do it again. One file for each part, in that order. Names and texts
//! of others stand in `bdi`, so that they cannot turn the direction of ours.

mod classes;
mod confidence;
mod confusion;
mod curves;
mod data;
mod examples;
mod run;
mod scores;
mod seeds;
mod suspects;
mod thresholds;
mod tradeoff;
mod verdict;
mod warnings;

use maud::{DOCTYPE, Markup, PreEscaped};

use crate::numbers::{count, duration, moment, plural};
use crate::visible::{excerpt, visible};
use crate::{Story, page};

const STYLE: &str = include_str!("style.css");

/// Sorts tables; the page does without it.
const SCRIPT: &str = include_str!("sort.js");

/// Nothing may be loaded, and no script but ours may run, whatever finds its way into the page. The hash is that of
/// `sort.js`.
const POLICY: &str = concat!(
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-",
    "PiDOsGcjN64r+H0oVlIZJdSWx+o2DktM034FOoi/too=",
    "'; base-uri 'none'; form-action 'none'"
);

/// The page of a run.
pub fn html(story: &Story) -> String {
    let run = &story.course.run;
    let sections = [
        ("seeds", "Seeds", seeds::section(story)),
        ("training", "Training", curves::section(story)),
        ("mistakes", "Mistakes", confusion::section(story)),
        ("classes", "Classes", classes::section(story)),
        ("trade-offs", "Trade-offs", tradeoff::section(story)),
        ("confidence", "Confidence", confidence::section(story)),
        ("examples", "Examples", examples::section(story)),
        ("labels", "Doubtful labels", suspects::section(story)),
        ("data", "Data", data::section(story)),
        ("run", "Run", Some(run::section(story))),
    ];
    let page = maud::html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(format!("tunesmith {}", run.version));
                title { (excerpt(&run.name, 80)) " · tunesmith report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (header(story))
                    (verdict::section(story))
                    (warnings::section(story))
                    (scores::section(story))
                    nav aria-label="Parts of this report" {
                        @for (id, title, _) in sections.iter().filter(|(.., section)| section.is_some()) {
                            a href=(format!("#{id}")) { (title) }
                        }
                    }
                    @for (id, title, section) in &sections {
                        @if let Some(section) = section {
                            section id=(id) { h2 { (title) } (section) }
                        }
                    }
                    footer {
                        p { "Made by tunesmith " (run.version) " from the files of the run alone. "
                            "Make it again with " code { "tunesmith report" } "." }
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    visible(&page.into_string())
}

/// What was trained on what, when, and how it ended.
fn header(story: &Story) -> Markup {
    let (course, run) = (&story.course, &story.course.run);
    let mut facts = Vec::new();
    if !run.model.source.is_empty() {
        facts.push(maud::html! { bdi { (excerpt(short_name(&run.model.source), 60)) } });
    }
    let files: Vec<&str> = run.data.files.iter().map(|file| short_name(&file.path)).collect();
    if !files.is_empty() {
        facts.push(maud::html! { bdi { (excerpt(&files.join(", "), 80)) } });
    }
    if !story.labels().is_empty() {
        facts.push(maud::html! { (plural(story.labels().len() as u64, "class", "classes")) });
    }
    if let Some(train) = run.data.splits.get("train") {
        facts.push(maud::html! { (plural(train.rows, "training row", "training rows")) });
    }
    if let Some(seconds) = course.train_runtime {
        facts.push(maud::html! { "trained in " (duration(seconds)) });
    }
    facts.push(maud::html! { time { (moment(course.began)) } });
    maud::html! {
        header {
            p.eyebrow { "tunesmith report" }
            h1 { bdi { (excerpt(&run.name, 120)) } }
            ul.facts { @for fact in facts { li { (fact) } } }
        }
    }
}

/// The last part of a path, or of a name on the Hub.
fn short_name(path: &str) -> &str {
    let path = path.trim_end_matches(['/', '\\']);
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).unwrap_or(path)
}

/// The name of a class, by its id.
fn label(story: &Story, class: usize) -> String {
    story.labels().get(class).map_or_else(|| format!("class {class}"), |name| page::class_name(name))
}

/// The name of a class as it is shown: short, and never nothing.
fn class_name(name: &str) -> String {
    let short = excerpt(name, 40);
    if short.is_empty() { "(no name)".to_owned() } else { short }
}

/// `1,114 test rows`.
fn rows_of(story: &Story, rows: u64) -> String {
    format!("{} {} rows", count(rows), story.split().unwrap_or("measured"))
}
