//! What stands behind the job: parameters as flags of their own, `NAME=VALUE`, and flags of the command once more.
//!
//! Which flags there are is known when the job has been read: each of its parameters is one, so that a job is started with
//! the words that its users always typed.

use clap::{Arg, Command, FromArgMatches};
use steps::Override;

use crate::settings_error::SettingsError;
use crate::{cli, jobs};

/// Puts the flags among `rest`, which stand behind the job, into `flags`; gives what is left: values for parameters and
/// settings. `words` are the command, whose positional arguments are `job` and `rest`.
///
/// # Errors
/// When the job cannot be read, or a word means nothing to it.
pub(crate) fn given<F: FromArgMatches>(
    words: &[&str],
    job: &str,
    rest: &[String],
    flags: &mut F,
) -> anyhow::Result<Vec<Override>> {
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    let parameters: Vec<String> = jobs::find(job, &[])?.parameters.keys().cloned().collect();
    let command = grammar(words, &parameters);
    let line = std::iter::once(command.get_name().to_owned()).chain([job.to_owned()]).chain(rest.iter().cloned());
    let matches = command.try_get_matches_from(line).unwrap_or_else(|error| error.exit());
    flags.update_from_arg_matches(&matches)?;
    let mut overrides = Vec::new();
    for name in &parameters {
        if let Ok(Some(value)) = matches.try_get_one::<String>(&id(name)) {
            overrides.push(Override { name: name.clone(), value: value.clone() });
        }
    }
    for word in matches.get_many::<String>("rest").into_iter().flatten() {
        overrides.push(Override::parse(word).map_err(|_| SettingsError::NoOverride { word: word.clone() })?);
    }
    Ok(overrides)
}

/// The flags of the command and one for each parameter that has no name of theirs.
fn grammar(words: &[&str], parameters: &[String]) -> Command {
    let task = words.iter().fold(cli::command(), |task, word| task.find_subcommand(word).cloned().unwrap_or(task));
    let own: Vec<Arg> = task.get_arguments().filter(|flag| flag.get_id() != "help").cloned().collect();
    let taken: Vec<String> = own.iter().filter_map(|flag| flag.get_long()).map(str::to_owned).collect();
    let free = parameters.iter().map(|name| (name, name.replace('_', "-"))).filter(|(_, long)| !taken.contains(long));
    let more = free.map(|(name, long)| Arg::new(id(name)).long(long).value_name("VALUE").allow_hyphen_values(true));
    // Without `args_override_self`, which would keep the last of several words alone.
    let name = std::iter::once("tunesmith").chain(words.iter().copied()).collect::<Vec<_>>().join(" ");
    Command::new(name)
        .args(own)
        .args(more)
        .mut_args(|flag| flag.required(false))
        .mut_arg("rest", |rest| rest.trailing_var_arg(false).allow_hyphen_values(false))
}

/// The name of a parameter's flag within clap, apart from those of the command.
fn id(parameter: &str) -> String {
    format!("parameter {parameter}")
}
