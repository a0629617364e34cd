//! `tunesmith runs list`: a line for each run.

use std::path::{Path, PathBuf};

use runs::{Entry, Status, Summary, date, number};

use super::table::{Side, table};
use super::{folder, tell};
use crate::destination::Destination;
use crate::render::{count, duration};

/// The flags of `runs list`.
#[derive(clap::Args, Debug)]
pub(crate) struct ListFlags {
    /// A folder of runs; they are looked for three folders deep [default: runs]
    folder: Option<PathBuf>,

    /// Whether to print one JSON object
    #[arg(long)]
    json: Option<bool>,
}

/// Test figures, of which a line shows the first that a run has.
const HEADLINES: [&str; 3] = ["test_f1", "test_accuracy", "test_loss"];

pub(super) fn run(flags: &ListFlags) -> anyhow::Result<()> {
    let folder = folder(flags.folder.as_ref());
    let listing = runs::list(folder)?;
    if flags.json.unwrap_or_default() {
        Destination::stdout().write(format!("{}\n", serde_json::to_string(&listing)?).as_bytes())?;
        return Ok(());
    }
    tell(&listing.problems);
    if listing.runs.is_empty() {
        eprintln!("no runs in {}", folder.display());
        return Ok(());
    }
    Destination::stdout().write(lines(&listing.runs).as_bytes())?;
    Ok(())
}

fn lines(entries: &[Entry]) -> String {
    let head = [
        ("run", Side::Left),
        ("began (UTC)", Side::Left),
        ("status", Side::Left),
        ("model", Side::Left),
        ("data", Side::Left),
        ("rows", Side::Right),
        ("selected by", Side::Left),
        ("test", Side::Left),
        ("time", Side::Right),
    ];
    let row = |entry: &Entry| {
        let summary = &entry.summary;
        let figure = |name: &str, value: f64| format!("{name} {}", number(value));
        let headline = HEADLINES.iter().find_map(|name| Some(figure(name, *summary.figures.get(*name)?)));
        vec![
            called(entry),
            date(summary.began),
            status(entry),
            last_part(&summary.model),
            data(summary),
            summary.rows.get("train").map_or_else(String::new, |rows| count(*rows)),
            summary.best.as_ref().map_or_else(String::new, |best| figure(&best.metric, best.value)),
            headline.unwrap_or_default(),
            duration(summary.seconds),
        ]
    };
    table(&head, &entries.iter().map(row).collect::<Vec<_>>())
}

/// The folder, by which other commands find a run, and its name where that is another.
fn called(entry: &Entry) -> String {
    let (folder, name) = (&entry.folder, &entry.summary.name);
    let is_named_so = folder.file_name().is_some_and(|last| last.to_string_lossy() == name.as_str());
    if is_named_so || name.is_empty() { folder.display().to_string() } else { format!("{} ({name})", folder.display()) }
}

/// The status, and how far a run came that did not come to its end.
pub(super) fn status(entry: &Entry) -> String {
    let Summary { step, total_steps, .. } = &entry.summary;
    match (entry.status, total_steps) {
        (Status::Finished, _) | (_, None) => entry.status.as_str().to_owned(),
        (status, Some(total)) => format!("{} {}/{}", status.as_str(), count(*step), count(*total)),
    }
}

fn data(summary: &Summary) -> String {
    match summary.data.as_slice() {
        [] => String::new(),
        [file] => last_part(file),
        [file, more @ ..] => format!("{} +{}", last_part(file), more.len()),
    }
}

fn last_part(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |last| last.to_string_lossy().into_owned())
}
