//! What was typed, respelled as clap expects it: hyphens for underscores, `--x=true` for `--x true`, `--x=false` for
//! `--no-x`. Other spellings of a name are aliases in [`crate::flags`].

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

use crate::cli::is_switch;

/// Respells the names of flags. What follows `--`, and every value, stays as it is.
pub(crate) fn normalise<'a>(arguments: Vec<OsString>, command: &'a Command) -> Vec<OsString> {
    let within = |task: &'a Command, word: &OsString| task.find_subcommand(word).unwrap_or(task);
    let task = arguments.iter().skip(1).fold(command, within);
    let mut respelled = Vec::with_capacity(arguments.len());
    let mut arguments = arguments.into_iter().peekable();
    while let Some(word) = arguments.next() {
        if word == "--" {
            respelled.push(word);
            respelled.extend(arguments);
            break;
        }
        let Some((name, value)) = split_flag(&word) else {
            respelled.push(word);
            continue;
        };
        let value = value.map(str::to_owned);
        if let Some(opposite) = name.strip_prefix("no-")
            && value.is_none()
            && find_switch(task, opposite).is_some()
        {
            respelled.push(format!("--{opposite}=false").into());
        } else if find_switch(task, &name).is_some() && value.is_none() {
            let said = arguments.next_if(|next| is_true_or_false(next));
            let said = said.as_deref().and_then(OsStr::to_str).unwrap_or("true").to_ascii_lowercase();
            respelled.push(format!("--{name}={said}").into());
        } else {
            respelled.push(value.map_or_else(|| format!("--{name}"), |value| format!("--{name}={value}")).into());
        }
    }
    respelled
}

/// `--some_name=value` as `some-name` and `value`; nothing for what is no long flag.
fn split_flag(word: &OsStr) -> Option<(String, Option<&str>)> {
    let word = word.to_str()?.strip_prefix("--")?;
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    Some((name.replace('_', "-"), value))
}

fn find_switch<'a>(task: &'a Command, name: &str) -> Option<&'a Arg> {
    task.get_arguments().filter(|flag| is_switch(flag)).find(|flag| {
        flag.get_long() == Some(name) || flag.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
    })
}

fn is_true_or_false(word: &OsStr) -> bool {
    word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(words: &str) -> String {
        let words = std::iter::once("tunesmith").chain(words.split(' ')).map(OsString::from).collect();
        let respelled = normalise(words, &crate::cli::command());
        respelled[1..].iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn underscores_in_names_become_hyphens_and_values_keep_theirs() {
        assert_eq!(
            normalised("train my_file.csv --text_col the_text --label_col=the_label"),
            "train my_file.csv --text-col the_text --label-col=the_label"
        );
    }

    #[test]
    fn switches_are_said_in_four_ways() {
        assert_eq!(normalised("train --head_only a.csv"), "train --head-only=true a.csv");
        assert_eq!(normalised("train --head_only True a.csv"), "train --head-only=true a.csv");
        assert_eq!(normalised("train --head-only=no a.csv"), "train --head-only=no a.csv");
        assert_eq!(normalised("train --no_header a.csv"), "train --header=false a.csv");
    }

    #[test]
    fn an_alias_of_a_switch_is_a_switch() {
        assert_eq!(normalised("train --no-overwrite_output_dir"), "train --overwrite-output-dir=false");
    }

    #[test]
    fn a_task_within_a_task_has_switches_too() {
        assert_eq!(normalised("runs best --no_greater_is_better"), "runs best --greater-is-better=false");
        assert_eq!(normalised("runs best --json some_runs"), "runs best --json=true some_runs");
    }

    #[test]
    fn no_before_what_is_no_switch_stays_for_clap_to_refuse() {
        assert_eq!(normalised("train --no-seed"), "train --no-seed");
    }

    #[test]
    fn what_follows_two_hyphens_is_no_flag() {
        assert_eq!(normalised("train --lr 1 -- --text_col"), "train --lr 1 -- --text_col");
    }
}
