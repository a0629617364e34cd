//! How it was done and how to do it again: command, settings, machine.

use maud::{Markup, html};
use serde_json::Value;

use crate::Story;
use crate::numbers::{bytes, count, duration, moment};
use crate::visible::excerpt;

pub(super) fn section(story: &Story) -> Markup {
    let (course, run) = (&story.course, &story.course.run);
    html! {
        @if !run.command.is_empty() {
            h3 { "The command" }
            pre { code { (command(&run.command)) } }
            p.note { "Its settings are kept beside this page in " code { "tunesmith.toml" } ", which is a recipe: "
                code { "tunesmith train --recipe tunesmith.toml --output OTHER" } " does it again, to the same bytes on the same kind of processor." }
        }
        div.columns {
            div { h3 { "Model" } (facts(&[
                ("From", excerpt(&run.model.source, 200)),
                ("At commit", excerpt(run.model.commit.as_deref().unwrap_or_default(), 40)),
                ("Kind", format!("{}, {} layers, {} wide", excerpt(&run.model.model_type, 40), run.model.num_hidden_layers, run.model.hidden_size)),
                ("Parameters", count(run.model.parameters)),
                ("Trainable", count(run.model.trainable_parameters)),
                ("Texts are cut at", format!("{} tokens", count(run.model.max_length))),
            ])) }
            div { h3 { "Machine" } (facts(&[
                ("System", run.machine.system.clone()),
                ("Processor", run.machine.processor.clone().unwrap_or_default()),
                ("Threads", count(run.machine.threads)),
                ("Arithmetic", run.machine.arithmetic.clone()),
                ("Memory", run.machine.memory_bytes.map(bytes).unwrap_or_default()),
                ("Most memory held", course.peak_memory().map(bytes).unwrap_or_default()),
            ])) }
            div { h3 { "Course" } (facts(&[
                ("Run", run.run_id.clone()),
                ("Began", moment(course.began)),
                ("Last heard", moment(course.ended)),
                ("Training took", course.train_runtime.map(duration).unwrap_or_default()),
                ("Starts", count(u64::from(course.attempts))),
                ("tunesmith", run.version.clone()),
                ("Git commit", run.git_commit.clone().unwrap_or_default()),
            ])) }
        }
        @if !story.urls.is_empty() {
            h3 { "Followed by" }
            ul.files { @for (place, url) in &story.urls {
                li { (excerpt(place, 40)) ": " a href=(url) rel="noreferrer" { bdi { (excerpt(url, 200)) } } }
            } }
        }
        @if !course.notices.is_empty() {
            h3 { "Said while it ran" }
            ul.notices { @for notice in &course.notices { li { bdi { (excerpt(notice, 400)) } } } }
        }
        @if !run.settings.is_empty() {
            details.settings {
                summary { "All settings" }
                dl { @for (name, value) in &run.settings { div { dt { (excerpt(name, 80)) } dd { bdi { (excerpt(&told(value), 200)) } } } } }
            }
        }
    }
}

/// Names and what they are; what is not known is left out.
fn facts(facts: &[(&str, String)]) -> Markup {
    html! {
        dl { @for (name, value) in facts {
            @if !value.is_empty() { div { dt { (name) } dd { bdi { (excerpt(value, 200)) } } } }
        } }
    }
}

fn told(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The command as a POSIX shell reads it.
pub(crate) fn command(words: &[String]) -> String {
    let program = words.first().map(|_| "tunesmith".to_owned());
    let words = words.iter().skip(1).map(|word| quoted(word));
    program.into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,@%+~".contains(&byte);
    // A tilde is only plain behind something else: a shell would take it for a home.
    if !word.is_empty() && word.bytes().all(plain) && !word.starts_with('~') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_into_a_shell() {
        let words = ["/usr/bin/tunesmith", "train", "a b.csv", "--x=1", "it's", "", "~/x", "$(rm)"].map(str::to_owned);
        assert_eq!(command(&words), r"tunesmith train 'a b.csv' --x=1 'it'\''s' '' '~/x' '$(rm)'");
        assert_eq!(command(&[]), "");
    }
}
