//! Writes the file of token ids while texts are tokenised.
//!
//! The file has another name until it is whole and has reached the disk, so that a run that is killed leaves none that
//! could be believed. What such a run leaves is removed by the next one that writes.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::Path,
    time::{Duration, SystemTime},
};

use blake3::{Hash, Hasher};
use tempfile::NamedTempFile;

use super::{Summary, cache, ids::Width};
use crate::TokenIds;

/// What the names of unfinished files begin with.
const UNFINISHED: &str = ".unfinished-";

/// So long after its last change an unfinished file is looked at. Its writer locks it, but not in the moment of making it.
const SETTLED: Duration = Duration::from_secs(60);

/// A file that is being written.
pub(super) struct Writer {
    file: BufWriter<NamedTempFile>,
    width: Width,
    hasher: Hasher,
    offsets: Vec<u64>,
    summary: Summary,
    /// The ids at hand, as they are written.
    bytes: Vec<u8>,
}

impl Writer {
    /// Begins beside the place of `path`.
    pub(super) fn begin(path: &Path, width: Width) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        remove_abandoned(folder);
        let file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        // Where files cannot be locked, nobody can tell that this one is abandoned, and it stays.
        drop(file.as_file().try_lock());
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&[0; cache::HEADER])?;
        let summary = Summary::default();
        Ok(Self { file, width, hasher: Hasher::new(), offsets: vec![0], summary, bytes: Vec::new() })
    }

    /// Adds the ids of the next texts.
    pub(super) fn push(&mut self, rows: &[TokenIds]) -> io::Result<()> {
        self.bytes.clear();
        for row in rows {
            match self.width {
                Width::Wide => self.bytes.extend_from_slice(bytemuck::cast_slice(&row.ids)),
                Width::Narrow => {
                    for &id in &row.ids {
                        let id = u16::try_from(id)
                            .map_err(|_| io::Error::other(format!("{id} is no id of its vocabulary")))?;
                        self.bytes.extend_from_slice(&id.to_ne_bytes());
                    }
                }
            }
            self.summary.add(row.ids.len(), row.full_len);
            self.offsets.push(self.summary.tokens);
        }
        self.hasher.update(&self.bytes);
        self.file.write_all(&self.bytes)
    }

    /// An error with what the file would need, were so many texts like those that were tokenised.
    pub(super) fn with_need(&self, error: io::Error, texts: usize) -> io::Error {
        let done = self.summary.texts.max(1) as f64;
        let each = (self.summary.tokens * self.width.bytes() as u64) as f64 / done + 8.0;
        io::Error::new(error.kind(), format!("{error}; it needs about {:.0} bytes", each * texts as f64))
    }

    /// Gives the file its name.
    pub(super) fn finish(mut self, path: &Path, key: &Hash) -> io::Result<()> {
        let zeros = [0; 8];
        let padding = &zeros[..cache::padding(self.summary.tokens * self.width.bytes() as u64)];
        for bytes in [padding, bytemuck::cast_slice(&self.offsets)] {
            self.hasher.update(bytes);
            self.file.write_all(bytes)?;
        }
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&cache::header(&self.summary, self.width, key, &self.hasher.finalize()))?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        // The rename itself must reach the disk too; where folders cannot be synced, the checksum still guards.
        let folder = path.parent().unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).or(Ok(()))
    }
}

/// Removes unfinished files whose writers are gone. What cannot be looked at or removed is left to the next one.
fn remove_abandoned(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        if is_unfinished && is_abandoned(&entry.path()).unwrap_or(false) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

fn is_abandoned(path: &Path) -> io::Result<bool> {
    let file = File::open(path)?;
    let changed = file.metadata()?.modified()?;
    let is_settled = SystemTime::now().duration_since(changed).is_ok_and(|since| since >= SETTLED);
    // Its writer holds the lock for as long as it lives.
    Ok(is_settled && file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_either_width_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join("a.tokens"), blake3::hash(b"key"));
        for (width, largest) in [(Width::Narrow, 65_535), (Width::Wide, 65_536)] {
            let texts = [vec![101, largest, 102], vec![], vec![7]];
            let rows = texts.clone().map(|ids| TokenIds { full_len: ids.len() + 1, ids });
            let mut writer = Writer::begin(&path, width).unwrap();
            writer.push(&rows[..2]).unwrap();
            writer.push(&rows[2..]).unwrap();
            writer.finish(&path, &key).unwrap();
            let Ok(encoded) = cache::open(&path, &key) else { panic!("it was just written") };
            assert!((0..3).all(|at| *encoded.input_ids(at) == texts[at]));
            assert_eq!((encoded.len(), encoded.total_tokens(), encoded.truncated()), (3, 4, 3));
            assert!(cache::open(&path, &blake3::hash(b"other")).is_err());
        }
        let rows = [TokenIds { ids: vec![65_536], full_len: 1 }];
        assert!(Writer::begin(&path, Width::Narrow).unwrap().push(&rows).is_err());
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let long_ago = SystemTime::now() - 2 * SETTLED;
        let aged = |name: &str| {
            let file = File::create(file(name)).unwrap();
            file.set_modified(long_ago).unwrap();
            file
        };
        drop(aged(".unfinished-abandoned"));
        let at_work = aged(".unfinished-at-work");
        at_work.lock().unwrap();
        drop(aged("other.tokens"));
        File::create(file(".unfinished-new")).unwrap();
        drop(Writer::begin(&file("a.tokens"), Width::Narrow).unwrap());
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".unfinished-at-work", ".unfinished-new", "other.tokens"]);
    }
}
