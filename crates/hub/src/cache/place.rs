//! One repo's folder in a cache: where its files are, and how they get there whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

use super::{Lock, holds};
use crate::Error;

/// What tells programs that make backups that a cache is one: <https://bford.info/cachedir/>.
const CACHE_TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
                         # This file is a cache directory tag created by tunesmith.\n\
                         # For information about cache directory tags, see:\n\
                         #\thttps://bford.info/cachedir/\n";

/// A repo's folder.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    cache: PathBuf,
    name: String,
    links: bool,
}

impl Place {
    pub(crate) fn new(cache: &Path, name: &str, links: bool) -> Self {
        Self { cache: cache.to_owned(), name: name.to_owned(), links }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.cache.join(&self.name)
    }

    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder().join("snapshots").join(commit)
    }

    /// A file of a commit, by which everybody opens it.
    pub(crate) fn pointer(&self, commit: &str, path: &str) -> PathBuf {
        path.split('/').fold(self.snapshot(commit), |folder, step| folder.join(step))
    }

    pub(crate) fn blob(&self, tag: &str) -> PathBuf {
        self.folder().join("blobs").join(tag)
    }

    /// Where a blob grows. The name is ours: nobody else goes on with it, or takes it for a file.
    pub(crate) fn partial(&self, tag: &str) -> PathBuf {
        self.folder().join("blobs").join(format!("{tag}.tunesmith.incomplete"))
    }

    pub(crate) fn reference(&self, revision: &str) -> PathBuf {
        revision.split('/').fold(self.folder().join("refs"), |folder, step| folder.join(step))
    }

    pub(crate) fn tree(&self, commit: &str) -> PathBuf {
        self.folder().join("trees").join(format!("{commit}.json"))
    }

    /// Waits until no other process fetches the same blob.
    ///
    /// # Errors
    /// When the lock's file cannot be made.
    pub(crate) fn lock(&self, tag: &str, waiting: impl FnOnce()) -> Result<Lock, Error> {
        let path = self.cache.join(".locks").join(&self.name).join(format!("{tag}.lock"));
        Lock::acquire(&path, waiting).map_err(Error::io("lock", &path))
    }

    /// Makes the folders that a new blob needs.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn prepare(&self) -> Result<(), Error> {
        let blobs = self.folder().join("blobs");
        fs::create_dir_all(&blobs).map_err(Error::io("make", &blobs))?;
        let tag = self.cache.join("CACHEDIR.TAG");
        match OpenOptions::new().write(true).create_new(true).open(&tag) {
            Ok(mut file) => file.write_all(CACHE_TAG.as_bytes()).map_err(Error::io("write", &tag)),
            // There is one, or it cannot be had; it is a courtesy.
            Err(_) => Ok(()),
        }
    }

    /// Lets a commit's file be the blob, unless it is already: by a link, or by the bytes themselves where there are no
    /// links. `fresh` says that no other commit can stand on the blob yet, so that it may be moved.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn point(&self, commit: &str, path: &str, tag: &str, size: u64, fresh: bool) -> Result<(), Error> {
        let (pointer, blob) = (self.pointer(commit, path), self.blob(tag));
        if holds(&pointer, size) && fs::canonicalize(&pointer).ok() == fs::canonicalize(&blob).ok() {
            return Ok(());
        }
        if let Some(folder) = pointer.parent() {
            fs::create_dir_all(folder).map_err(Error::io("make", folder))?;
        }
        match fs::remove_file(&pointer) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::io("replace", &pointer)(error)),
            _ => {}
        }
        // From snapshots/COMMIT/a/b to blobs: one step up for each folder, and two more.
        let up = "../".repeat(path.matches('/').count() + 2);
        if self.links && link(Path::new(&format!("{up}blobs/{tag}")), &pointer).is_ok() {
            return Ok(());
        }
        // Somebody who fetched the same file without a lock has put it there between.
        if holds(&pointer, size) {
            return Ok(());
        }
        let moved = if fresh { fs::rename(&blob, &pointer) } else { self.copy(&blob, &pointer) };
        moved.map_err(Error::io("write", &pointer))
    }

    fn copy(&self, blob: &Path, pointer: &Path) -> io::Result<()> {
        let copy = self.folder().join("blobs").join(format!("{:016x}.incomplete", random()));
        let copied =
            fs::copy(blob, &copy).and_then(|_| File::open(&copy)?.sync_all()).and_then(|()| fs::rename(&copy, pointer));
        copied.inspect_err(|_| drop(fs::remove_file(&copy)))
    }

    /// Remembers which commit a branch or tag means.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn refer(&self, revision: &str, commit: &str) -> Result<(), Error> {
        let path = self.reference(revision);
        if revision == commit || fs::read_to_string(&path).is_ok_and(|text| text.trim() == commit) {
            return Ok(());
        }
        write_whole(&path, commit.as_bytes())
    }

    /// Remembers that a commit has no such file, so that others need not ask.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn note_absence(&self, commit: &str, path: &str) -> Result<(), Error> {
        let path = path.split('/').fold(self.folder().join(".no_exist").join(commit), |folder, step| folder.join(step));
        if path.exists() { Ok(()) } else { write_whole(&path, b"") }
    }
}

/// Writes a small file that is there whole or not at all.
///
/// # Errors
/// When the system refuses.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::io("make", folder))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = folder.join(format!("{name}.{:08x}.tmp", random() as u32));
    let written = fs::write(&new, bytes).and_then(|()| fs::rename(&new, path));
    written.inspect_err(|_| drop(fs::remove_file(&new))).map_err(Error::io("write", path))
}

/// Has the names in a folder outlast a power cut, where the system knows how.
pub(crate) fn sync_folder(folder: &Path) {
    // Not every file system can; the file itself is safe by then, and would only be fetched again.
    #[cfg(unix)]
    drop(File::open(folder).and_then(|folder| folder.sync_all()));
    #[cfg(not(unix))]
    let _ = folder;
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => u64::from(std::process::id()),
    }
}

#[cfg(unix)]
fn link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target.to_string_lossy().replace('/', "\\"), link)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn with_blob(folder: &Path, links: bool) -> Place {
        let place = Place::new(folder, "models--org--name", links);
        place.prepare().unwrap();
        fs::write(place.blob("tag"), "hello").unwrap();
        place
    }

    #[test]
    #[cfg(unix)]
    fn a_snapshot_links_to_its_blobs() {
        let folder = tempfile::tempdir().unwrap();
        let place = with_blob(folder.path(), true);
        for (path, target) in [("a.txt", "../../blobs/tag"), ("b/c/a.txt", "../../../../blobs/tag")] {
            place.point(COMMIT, path, "tag", 5, true).unwrap();
            assert_eq!(fs::read_link(place.pointer(COMMIT, path)).unwrap(), Path::new(target));
            assert_eq!(fs::read_to_string(place.pointer(COMMIT, path)).unwrap(), "hello");
        }
        // One that leads nowhere, or to another blob, is set right.
        fs::write(place.blob("other"), "12345").unwrap();
        place.point(COMMIT, "a.txt", "other", 5, true).unwrap();
        assert_eq!(fs::read_to_string(place.pointer(COMMIT, "a.txt")).unwrap(), "12345");
        assert!(folder.path().join("CACHEDIR.TAG").is_file());
    }

    #[test]
    fn without_links_a_snapshot_has_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let place = with_blob(folder.path(), false);
        place.point(COMMIT, "b/a.txt", "tag", 5, false).unwrap();
        assert!(place.blob("tag").is_file(), "copied");
        place.point(COMMIT, "a.txt", "tag", 5, true).unwrap();
        assert!(!place.blob("tag").exists(), "moved");
        for path in ["a.txt", "b/a.txt"] {
            assert!(!place.pointer(COMMIT, path).is_symlink());
            assert_eq!(fs::read_to_string(place.pointer(COMMIT, path)).unwrap(), "hello");
        }
        assert_eq!(fs::read_dir(place.folder().join("blobs")).unwrap().count(), 0, "nothing is left over");
    }

    #[test]
    fn references_are_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let place = with_blob(folder.path(), true);
        for commit in ["a", "b"] {
            place.refer("refs/pr/1", commit).unwrap();
            assert_eq!(fs::read_to_string(place.reference("refs/pr/1")).unwrap(), commit);
        }
        assert_eq!(fs::read_dir(place.reference("refs/pr")).unwrap().count(), 1, "nothing is left over");
        place.refer(COMMIT, COMMIT).unwrap();
        assert!(!place.reference(COMMIT).exists());
    }
}
