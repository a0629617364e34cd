//! What makes the scores doubtful: how the run ended, what could not be read, and what was found in the data.

use journal::{EndReason, RunStatus};
use maud::{Markup, html};

use crate::numbers::{count, percent, plural};
use crate::visible::excerpt;
use crate::{Finding, Severity, Story};

/// Findings that are shown before the others are folded away.
const SHOWN: usize = 4;

pub(super) fn section(story: &Story) -> Markup {
    let about_run = about_run(story);
    let findings: &[Finding] = story.check.as_ref().map_or(&[], |check| &check.findings);
    let serious = findings.iter().filter(|finding| finding.severity > Severity::Note).count();
    let shown = findings.len().min(serious.clamp(1, SHOWN));
    html! {
        section.warnings aria-label="What to know before believing the scores" {
            @if let Some(seen) = seen_rows(story) { div.finding.problem { p { strong { (seen) } } } }
            @for sentence in &about_run { div.finding.warning { p { (sentence) } } }
            @for found in &findings[..shown] { (finding(found)) }
            @if findings.len() > shown {
                details.more {
                    summary { (plural((findings.len() - shown) as u64, "more finding", "more findings")) " about the data" }
                    @for found in &findings[shown..] { (finding(found)) }
                }
            }
            @if story.check.is_none() { div.finding.note { p { "The data was not checked for duplicates, leaks and damaged labels." } } }
            @if story.check.is_some() && findings.is_empty() { div.finding.good { p { "The data check found nothing." } } }
        }
    }
}

/// How many of the measured rows were seen before.
fn seen_rows(story: &Story) -> Option<String> {
    let measured = story.measured.as_ref()?;
    let unseen = measured.unseen.as_ref()?;
    let all = measured.metrics.rows();
    let seen: Vec<String> = story
        .check
        .as_ref()?
        .leaks
        .iter()
        .filter(|leaks| leaks.split == measured.split)
        .flat_map(|leaks| {
            leaks.seen.iter().filter(|seen| seen.exact + seen.normalised + seen.near > 0).map(|seen| {
                format!(
                    "{} exactly and {} nearly in {}",
                    count(seen.exact + seen.normalised),
                    count(seen.near),
                    excerpt(&seen.r#in, 20)
                )
            })
        })
        .collect();
    let places = if seen.is_empty() { String::new() } else { format!(": {}", seen.join("; ")) };
    Some(format!(
        "{} of {} {} rows ({}) were seen before{places}. Scores are given with and without them.",
        count(unseen.left_out),
        count(all),
        measured.split,
        percent(unseen.left_out, all)
    ))
}

/// What is odd about the run itself.
fn about_run(story: &Story) -> Vec<String> {
    let course = &story.course;
    let of_all = course.total_steps.map(|all| format!(" of {}", count(all))).unwrap_or_default();
    let mut said = Vec::new();
    match (course.status, course.reason) {
        (Some(RunStatus::Failed), _) => {
            let why = course.message.as_deref().map(|why| format!(": {}", excerpt(why, 300))).unwrap_or_default();
            said.push(format!("The run failed after step {}{of_all}{why}.", count(course.steps)));
        }
        (_, Some(EndReason::Interrupted)) | (Some(RunStatus::Interrupted), _) => {
            said.push(format!(
                "The run was interrupted after step {}{of_all}; it can be resumed.",
                count(course.steps)
            ));
        }
        (None, None) => {
            said.push(format!("The run did not end: its journal stops at step {}{of_all}.", count(course.steps)));
        }
        _ => {}
    }
    said.extend(story.unread.iter().map(|sentence| excerpt(sentence, 300)));
    said
}

fn finding(finding: &Finding) -> Markup {
    let kind = match finding.severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Problem => "problem",
    };
    html! {
        div class=(format!("finding {kind}")) {
            p { bdi { (excerpt(&finding.message, 400)) } "." }
            @if !finding.advice.is_empty() { p.advice { (excerpt(&finding.advice, 300)) } }
            @if !finding.examples.is_empty() {
                details {
                    summary { "Examples" }
                    @for example in &finding.examples {
                        ul.rows {
                            @if !example.note.is_empty() { li.hint { bdi { (excerpt(&example.note, 120)) } } }
                            @for row in &example.rows {
                                li { span.where { (row.split) " " (count(row.row)) } " " span.tag { bdi { (excerpt(&row.label, 40)) } } " " bdi { (excerpt(&row.text, 200)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
