//! The names of a command's flags, as recipes and job files spell them: with hyphens or underscores, and by old names too.

use clap::{Arg, Command};

/// The field that a key means, among the flags of a task but `except`.
pub(crate) fn canonical(task: &Command, except: &[&str], key: &str) -> Option<String> {
    let hyphened = key.replace('_', "-");
    flags(task, except)
        .find(|flag| {
            let aliases = flag.get_all_aliases().unwrap_or_default();
            flag.get_id().as_str().replace('_', "-") == hyphened || aliases.contains(&hyphened.as_str())
        })
        .map(|flag| flag.get_id().as_str().to_owned())
}

/// The name that is nearest to one that is none.
pub(crate) fn nearest(task: &Command, except: &[&str], key: &str) -> Option<String> {
    let key = key.replace('-', "_");
    flags(task, except)
        .flat_map(|flag| {
            let aliases = flag.get_all_aliases().unwrap_or_default();
            let aliases = aliases.into_iter().map(|alias| alias.replace('-', "_"));
            std::iter::once(flag.get_id().as_str().to_owned()).chain(aliases)
        })
        .map(|name| (strsim::jaro_winkler(&key, &name), name))
        .max_by(|(near, _), (nearer, _)| near.total_cmp(nearer))
        .filter(|(nearness, _)| *nearness > 0.75)
        .map(|(_, name)| name)
}

fn flags<'a>(task: &'a Command, except: &'a [&str]) -> impl Iterator<Item = &'a Arg> {
    let shown = ["help", "version"];
    task.get_arguments().filter(move |flag| {
        let name = flag.get_id().as_str();
        !except.contains(&name) && !shown.contains(&name)
    })
}
