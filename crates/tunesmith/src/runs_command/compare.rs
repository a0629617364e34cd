//! `tunesmith runs compare`: several runs side by side.

use std::path::{Path, PathBuf};

use metrics::McNemar;
use runs::{Comparison, Interval, Paired, Run, number};
use serde_json::Value;

use super::table::{Side, table};
use super::{RUNS, tell};
use crate::destination::Destination;
use crate::render::count;

/// The flags of `runs compare`.
#[derive(clap::Args, Debug)]
pub(crate) struct CompareFlags {
    /// Folders of runs, or their names in `runs`
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    runs: Vec<String>,

    /// File of a page with curves over each other; it loads nothing from elsewhere
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Whether to print one JSON object
    #[arg(long)]
    json: Option<bool>,
}

pub(super) fn run(flags: &CompareFlags) -> anyhow::Result<()> {
    let runs: Vec<Run> =
        flags.runs.iter().map(|name| runs::open(name, Path::new(RUNS))).collect::<Result<_, runs::Error>>()?;
    let comparison =
        runs::compare(&runs, |paired| Some(McNemar::from_counts(paired.only_first, paired.only_second).p_value));
    if let Some(html) = &flags.html {
        let mut file = Destination::file(html)?;
        file.write(runs::page(&runs, &comparison).as_bytes())?;
        file.finish()?;
    }
    let text = if flags.json.unwrap_or_default() {
        format!("{}\n", serde_json::to_string(&comparison)?)
    } else {
        tell(&comparison.problems);
        shown(&comparison)
    };
    Destination::stdout().write(text.as_bytes())?;
    Ok(())
}

fn shown(comparison: &Comparison) -> String {
    let names: Vec<String> = comparison.runs.iter().map(|run| run.folder.display().to_string()).collect();
    let head = |first| {
        let runs = names.iter().map(|name| (name.as_str(), Side::Right));
        std::iter::once((first, Side::Left)).chain(runs).collect::<Vec<_>>()
    };
    let mut text = String::new();
    if comparison.settings.is_empty() {
        text += "no setting differs\n";
    } else {
        let rows = comparison.settings.iter().map(|row| cells(&row.name, &row.values, setting));
        text += &table(&head("setting"), &rows.collect::<Vec<_>>());
    }
    if !comparison.figures.is_empty() {
        let rows = comparison.figures.iter().map(|row| cells(&row.name, &row.values, figure));
        text += &format!("\n{}", table(&head("figure"), &rows.collect::<Vec<_>>()));
    }
    for pair in &comparison.paired {
        let Paired { rows, only_first, only_second } = &pair.paired;
        let (Some(first), Some(second)) = (names.get(pair.first), names.get(pair.second)) else { continue };
        text += &format!(
            "\non the same {} test rows only {first} is right on {}, only {second} on {}",
            count(*rows),
            count(*only_first),
            count(*only_second)
        );
        text += &pair.p_value.map_or_else(|| "\n".to_owned(), |p| format!(" (McNemar p = {})\n", number(p)));
    }
    text
}

fn cells<T>(name: &str, values: &[Option<T>], told: impl Fn(&T) -> String) -> Vec<String> {
    let values = values.iter().map(|value| value.as_ref().map_or_else(|| "-".to_owned(), &told));
    std::iter::once(name.to_owned()).chain(values).collect()
}

fn setting(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn figure(figure: &Interval) -> String {
    let value = number(figure.value);
    figure.bounds.map_or(value.clone(), |(low, high)| format!("{value} [{}, {}]", number(low), number(high)))
}
