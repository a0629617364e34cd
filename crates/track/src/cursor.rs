//! How far a place has come with a run: a small file in the run's folder, replaced whole.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::PlaceError;
use crate::news::LastSteps;

/// The folder of the files of all places, in the run's folder.
const FOLDER: &str = "track";

/// What the file holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cursor<S> {
    /// The last record of the journal that the place has.
    pub(crate) sequence: u64,
    /// The last step of each series that it has.
    pub(crate) last_steps: LastSteps,
    /// Where people find the run there.
    #[serde(default)]
    pub(crate) url: Option<String>,
    /// What the place itself remembers.
    pub(crate) state: S,
}

/// Where people find the run in `run` at each place that has it: names of places and addresses on the web, in the order of
/// the names. Places that keep it in files have no such address.
#[must_use]
pub fn urls(run: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(run.join(FOLDER)).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            let cursor: Cursor<IgnoredAny> = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
            let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
            Some((name, cursor.url.filter(is_web)?))
        })
        .collect();
    found.sort();
    found
}

/// Where the file of the place `name` is.
pub(crate) fn file(run: &Path, name: &str) -> PathBuf {
    run.join(FOLDER).join(name).with_extension("json")
}

/// Reads the file; a place that was never there starts at the beginning.
pub(crate) fn load<S: DeserializeOwned + Default>(file: &Path) -> Result<Cursor<S>, PlaceError> {
    let bytes = match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Cursor::default()),
        Err(source) => return Err(PlaceError::Io { file: file.to_owned(), source }),
        Ok(bytes) => bytes,
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        let advice = "remove it to deliver everything anew, as another run there";
        PlaceError::refused(format!("{} cannot be read: {error}; {advice}", file.display()))
    })
}

/// Keeps other processes from bringing the same run to the same place meanwhile; lasts as long as what it returns.
pub(crate) fn lock(file: &Path) -> Result<File, PlaceError> {
    let path = file.with_extension("lock");
    let refused = |source| PlaceError::Io { file: path.clone(), source };
    fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(refused)?;
    let lock = File::create(&path).map_err(refused)?;
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(PlaceError::outage(format!("another process delivers this run: {} is locked", path.display())))
        }
        // Some network file systems know no locks.
        Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => Err(refused(error)),
        Err(TryLockError::Error(_)) | Ok(()) => Ok(lock),
    }
}

/// Replaces the file; a crash leaves the old or the new one.
pub(crate) fn store<S: Serialize>(file: &Path, cursor: &Cursor<S>) -> Result<(), PlaceError> {
    let write = || {
        let text = serde_json::to_vec_pretty(cursor)?;
        let folder = file.parent().unwrap_or(file);
        fs::create_dir_all(folder)?;
        let new = file.with_extension("json.new");
        let mut out = File::create(&new)?;
        out.write_all(&text)?;
        out.sync_all()?;
        fs::rename(&new, file)
    };
    write().map_err(|source| PlaceError::Io { file: file.to_owned(), source })
}
