//! Summaries of journals that did not change, kept in a file of the folder that was listed.
//!
//! It is only a speed-up: an entry holds for a journal of the same size and the same time of its last change, and
//! whatever is missing, garbled or of another version is read from the journals again. Nothing is lost with it.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::Summary;

/// The file's name.
pub const FILE_NAME: &str = ".tunesmith-runs.json";

/// Summaries made by another version may mean something else.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "/1");

/// The index of a folder.
#[derive(Debug)]
pub(crate) struct Index {
    /// Where it is kept, if anywhere.
    folder: Option<PathBuf>,
    old: BTreeMap<String, Known>,
    new: BTreeMap<String, Known>,
    changed: bool,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Stored<R> {
    version: String,
    runs: R,
}

/// What is known of one journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Known {
    size: u64,
    /// Nanoseconds since 1970.
    changed: u128,
    summary: Summary,
}

impl Index {
    /// An index that knows nothing and keeps nothing.
    pub(crate) fn none() -> Self {
        Self { folder: None, old: BTreeMap::new(), new: BTreeMap::new(), changed: false }
    }

    /// The index of `folder`; empty where there is none that can be used.
    pub(crate) fn load(folder: &Path) -> Self {
        let file = folder.join(FILE_NAME);
        let is_file = fs::metadata(&file).is_ok_and(|found| found.is_file());
        let bytes = if is_file { fs::read(file).unwrap_or_default() } else { Vec::new() };
        let stored = serde_json::from_slice::<Stored<_>>(&bytes).ok().filter(|stored| stored.version == VERSION);
        let old = stored.map(|stored| stored.runs).unwrap_or_default();
        Self { folder: Some(folder.to_owned()), old, new: BTreeMap::new(), changed: false }
    }

    /// The summary of `run`, if its journal is the one that was summed up.
    pub(crate) fn get(&mut self, run: &Path, journal: &Metadata) -> Option<Summary> {
        let (key, (size, changed)) = (self.key(run)?, stamp(journal)?);
        let known = self.old.get(&key).filter(|known| known.size == size && known.changed == changed)?.clone();
        let summary = known.summary.clone();
        self.new.insert(key, known);
        Some(summary)
    }

    pub(crate) fn put(&mut self, run: &Path, journal: &Metadata, summary: Summary) {
        let Some((key, (size, changed))) = self.key(run).zip(stamp(journal)) else { return };
        self.new.insert(key, Known { size, changed, summary });
        self.changed = true;
    }

    /// Replaces the file, if there is anything new. A folder that cannot be written to has no index.
    pub(crate) fn store(self) {
        let Some(folder) = &self.folder else { return };
        if !self.changed && self.new.len() == self.old.len() {
            return;
        }
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            let stored = Stored { version: VERSION.to_owned(), runs: &self.new };
            file.write_all(&serde_json::to_vec(&stored)?)?;
            file.persist(folder.join(FILE_NAME))?;
            Ok(())
        };
        // Whoever looks next reads the journals again.
        drop(write());
    }

    /// Runs are known by their place in the folder, so that it can be moved. A place that is no text is not kept.
    fn key(&self, run: &Path) -> Option<String> {
        Some(run.strip_prefix(self.folder.as_ref()?).ok()?.to_str()?.to_owned())
    }
}

fn stamp(journal: &Metadata) -> Option<(u64, u128)> {
    let changed = journal.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((journal.len(), changed.as_nanos()))
}
