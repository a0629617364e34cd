//! Archives that are used as if they were folders: unpacked once, found again by what is in them.
//!
//! `KEY/content` is what came out of the archive whose digest is KEY, and `KEY/files.json` says which files that were.
//! A folder takes its name when it is whole, and each use compares it with its list: what was changed there is unpacked
//! again and never trusted.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::unpack::{partial, top, unpack_into};
use crate::{Error, Limits};

const CONTENT: &str = "content";
const FILES: &str = "files.json";

/// What a crash left behind and nobody has touched for so long is nobody's.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// Gzip's first bytes.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What a file is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    size: u64,
    blake3: String,
}

type List = BTreeMap<String, Listed>;

/// Whether `path` is a file that is packed with gzip, whatever its name is.
#[must_use]
pub fn is_archive(path: &Path) -> bool {
    let mut first = [0; 2];
    path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut first)).is_ok() && first == MAGIC
}

/// Where this user's unpacked archives are: `XDG_CACHE_HOME/tunesmith/archives`, else `~/.cache/tunesmith/archives`.
/// Everything in it may be removed at any time. `None` where not even a home is known.
#[must_use]
pub fn store_of_this_user() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("tunesmith").join("archives"))
}

/// The folder with the content of `archive`, from `store` if it was unpacked before.
///
/// # Errors
/// Those of [`crate::unpack()`]; where `store` is none.
pub fn open(archive: &Path, store: Option<&Path>) -> Result<PathBuf, Error> {
    let store = store.ok_or_else(|| Error::Homeless { file: archive.to_owned() })?;
    let (_, key) = digest(archive).map_err(Error::io("read", archive))?;
    let place = store.join(&key);
    if let Some(found) = found(&place) {
        return Ok(found);
    }
    let refused = Error::io("keep what was unpacked in", store);
    fs::create_dir_all(store).map_err(Error::io("make the folder", store))?;
    clear(store);
    let beside = partial(store).map_err(refused)?;
    let content = beside.path().join(CONTENT);
    unpack_into(archive, &content, &Limits::default())?;
    if digest(archive).map_err(Error::io("read", archive))?.1 != key {
        return Err(Error::Changed { path: archive.to_owned() });
    }
    settle(beside.path(), &content, &place).map_err(Error::io("keep what was unpacked in", store))?;
    // Somebody else may have been first; that is as good.
    found(&place).ok_or_else(|| Error::Io {
        action: "keep what was unpacked in",
        path: place.clone(),
        source: io::Error::other("it is not there as it was written"),
    })
}

/// Gives a whole folder its name. One of that name which is not what it should be makes room.
fn settle(beside: &Path, content: &Path, place: &Path) -> io::Result<()> {
    let list = serde_json::to_vec(&list(content)?)?;
    fs::write(beside.join(FILES), list)?;
    let new = beside.join("new");
    fs::create_dir(&new)?;
    fs::rename(content, new.join(CONTENT))?;
    fs::rename(beside.join(FILES), new.join(FILES))?;
    if fs::rename(&new, place).is_ok() || found(place).is_some() {
        return Ok(());
    }
    fs::rename(place, beside.join("spoilt"))?;
    fs::rename(&new, place)
}

/// The content in `place`, if it is what its list says.
fn found(place: &Path) -> Option<PathBuf> {
    let said: List = serde_json::from_slice(&fs::read(place.join(FILES)).ok()?).ok()?;
    let content = place.join(CONTENT);
    (list(&content).ok()? == said).then(|| top(&content).ok()).flatten()
}

/// All files below `folder`.
fn list(folder: &Path) -> io::Result<List> {
    let mut list = List::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, name)) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = format!("{name}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push((entry.path(), name + "/"));
            } else {
                let (size, blake3) = digest(&entry.path())?;
                list.insert(name, Listed { size, blake3 });
            }
        }
    }
    Ok(list)
}

fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut hasher = blake3::Hasher::new();
    let size = io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok((size, hasher.finalize().to_hex().to_string()))
}

/// Removes what was left behind. Nothing depends on it, so nothing is said where it does not work.
fn clear(store: &Path) {
    for entry in fs::read_dir(store).into_iter().flatten().flatten() {
        let is_partial = entry.file_name().to_string_lossy().ends_with(".partial");
        let changed = entry.metadata().and_then(|found| found.modified()).ok();
        let age = changed.and_then(|changed| SystemTime::now().duration_since(changed).ok());
        if is_partial && age.is_some_and(|age| age > ABANDONED) {
            _ = fs::remove_dir_all(entry.path());
        }
    }
}
