//! All runs in a folder.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use journal::FILE_NAME;
use serde::Serialize;

use crate::index::Index;
use crate::{Entry, Error, Status, Summary, find};

/// The largest journal that is read. One of ten thousand steps logged one by one takes some megabytes.
const LARGEST: u64 = 1 << 30;

/// The runs in a folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Listing {
    /// Those that can be read, the newest first.
    pub runs: Vec<Entry>,
    /// What looks like a run and cannot be read.
    pub problems: Vec<Problem>,
}

/// A folder that cannot be told of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    /// The folder.
    #[serde(serialize_with = "crate::place::serialize")]
    pub folder: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

/// Lists the runs in `folder` and the folders in it.
///
/// # Errors
/// When `folder` itself cannot be looked at.
pub fn list(folder: &Path) -> Result<Listing, Error> {
    let (folders, mut problems) = find::find(folder)?;
    // A folder that is itself a run keeps no file of ours.
    let mut index = if folders == [folder] { Index::none() } else { Index::load(folder) };
    let mut runs = Vec::new();
    for run in folders {
        match summarise(&run, &mut index) {
            Ok(summary) => runs.push(Entry { status: Status::of(&run, summary.end), folder: run, summary }),
            Err(what) => problems.push(Problem { folder: run, what }),
        }
    }
    index.store();
    runs.sort_by(|a, b| b.summary.began.cmp(&a.summary.began).then_with(|| a.folder.cmp(&b.folder)));
    problems.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(Listing { runs, problems })
}

fn summarise(run: &Path, index: &mut Index) -> Result<Summary, String> {
    let found = journal_of(run)?;
    if let Some(summary) = index.get(run, &found) {
        return Ok(summary);
    }
    let journal = journal::read(run).map_err(|error| error.to_string())?;
    let summary = Summary::of(&journal::history(journal.records), journal.unreadable);
    let summary = summary.ok_or_else(|| unnamed(journal.unreadable))?;
    index.put(run, &found, summary.clone());
    Ok(summary)
}

/// What the system says of the journal of a run. Not everything of that name is a file that ends.
pub(crate) fn journal_of(run: &Path) -> Result<Metadata, String> {
    let found = fs::metadata(run.join(FILE_NAME)).map_err(|error| format!("{FILE_NAME}: {error}"))?;
    if !found.is_file() {
        return Err(format!("{FILE_NAME} is no file"));
    }
    if found.len() > LARGEST {
        return Err(format!("{FILE_NAME} has {} bytes, more than any run writes", found.len()));
    }
    Ok(found)
}

/// What is wrong with a journal that does not say what its run is.
pub(crate) fn unnamed(unreadable: u64) -> String {
    match unreadable {
        0 => format!("{FILE_NAME} does not say what the run is: nothing was said yet, or its beginning is missing"),
        1 => format!("{FILE_NAME} does not say what the run is: 1 line of it cannot be read"),
        lines => format!("{FILE_NAME} does not say what the run is: {lines} lines of it cannot be read"),
    }
}
