//! One run as a whole.

use std::fs;
use std::path::{Path, PathBuf};

use journal::{Event, FILE_NAME, Metrics, Record, RunInfo, Split};
use serde::Serialize;

use crate::summary::last_info;
use crate::{Entry, Error, Status, Summary, list};

/// One run: what it is, and all that holds of its journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// In short.
    #[serde(flatten)]
    pub entry: Entry,
    /// What it was told to be.
    pub info: RunInfo,
    /// Its evaluations in order.
    pub evaluations: Vec<Evaluation>,
    /// What it said to the user.
    pub notices: Vec<String>,
    /// Files and folders that it completed, seen from its folder.
    pub artifacts: Vec<PathBuf>,
    /// The journal's records that hold.
    #[serde(skip)]
    pub records: Vec<Record>,
}

/// An evaluation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Which rows it looked at.
    pub split: Split,
    /// Training steps done before it.
    pub step: u64,
    /// Passes over the training rows before it.
    pub epoch: f64,
    /// What came out.
    pub metrics: Metrics,
}

/// Reads the run that `name` means: a folder, or the name of a folder in `runs`.
///
/// # Errors
/// When there is no such run, or its journal does not say what it is.
pub fn open(name: &str, runs: &Path) -> Result<Run, Error> {
    let also = runs.join(name);
    let places = [PathBuf::from(name), also.clone()];
    let found = places.into_iter().find(|folder| folder.join(FILE_NAME).symlink_metadata().is_ok());
    let folder = found.ok_or_else(|| Error::NoRun { name: name.to_owned(), also })?;
    let broken = |what| Error::Broken { folder: folder.clone(), what };
    list::journal_of(&folder).map_err(broken)?;
    let journal = journal::read(&folder)?;
    let records = journal::history(journal.records);
    let mut summary =
        Summary::of(&records, journal.unreadable).ok_or_else(|| broken(list::unnamed(journal.unreadable)))?;
    summary.figures.extend(results_file(&folder));
    let info = last_info(&records).cloned().unwrap_or_default();
    let mut run = Run {
        entry: Entry { status: Status::of(&folder, summary.end), folder, summary },
        info,
        evaluations: Vec::new(),
        notices: Vec::new(),
        artifacts: Vec::new(),
        records: Vec::new(),
    };
    for record in &records {
        match &record.event {
            Event::Evaluate { split, step, epoch, metrics, .. } => {
                let (split, step, epoch, metrics) = (*split, *step, *epoch, metrics.clone());
                run.evaluations.push(Evaluation { split, step, epoch, metrics });
            }
            Event::Notice { message } => run.notices.push(message.clone()),
            Event::Artifact { path, .. } if !run.artifacts.contains(path) => run.artifacts.push(path.clone()),
            _ => {}
        }
    }
    run.records = records;
    Ok(run)
}

/// The figures of `all_results.json`, which has what was computed after the run too. It may be absent, or anything.
fn results_file(folder: &Path) -> Metrics {
    let file = folder.join("all_results.json");
    let is_small = fs::metadata(&file).is_ok_and(|found| found.is_file() && found.len() < 1 << 24);
    let bytes = if is_small { fs::read(file).unwrap_or_default() } else { Vec::new() };
    let all: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&bytes).unwrap_or_default();
    all.into_iter().filter_map(|(name, value)| Some((name, value.as_f64()?))).collect()
}
