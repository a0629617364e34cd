//! Unpacking: all of it into a new folder, or nothing.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use tempfile::TempDir;

use crate::gauge::{Gauge, Gauged};
use crate::members::{Fault, each};
use crate::names::Kind;
use crate::{Error, Limits};

/// What was unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// How many files.
    pub files: usize,
    /// Their bytes.
    pub content: u64,
}

/// Unpacks `archive` into `folder`, which is absent or empty and appears when everything is in it. An archive with nothing
/// at its top but one folder is unpacked as if it were that folder's.
///
/// Modes, owners and times are not taken over: files are what any new file of this user is.
///
/// # Errors
/// An archive that is damaged or cut off; entries that are no plain file or folder, lead out of the folder, or stand in
/// each other's way; more entries or bytes than `limits` allow; something in the way; a refusal by the system. Nothing is
/// in `folder` then.
pub fn unpack(archive: &Path, folder: &Path, limits: &Limits) -> Result<Unpacked, Error> {
    let is_empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if folder.symlink_metadata().is_ok() && !is_empty {
        return Err(Error::InTheWay { path: folder.to_owned() });
    }
    let refused = |source| Error::Io { action: "write", path: folder.to_owned(), source };
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::io("make the folder", parent))?;
    let beside = partial(parent).map_err(refused)?;
    let content = beside.path().join("content");
    let unpacked = unpack_into(archive, &content, limits)?;
    let top = top(&content).and_then(|top| sync(&top).map(|()| top)).map_err(refused)?;
    // An empty folder in its place gives way to a rename; one that somebody put something into does not.
    fs::rename(&top, folder).map_err(refused)?;
    Ok(unpacked)
}

/// A folder beside the one to come, that goes away by itself.
pub(crate) fn partial(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(".tunesmith-").suffix(".partial").tempdir_in(parent)
}

/// The one folder at the top of `folder`, or `folder`.
pub(crate) fn top(folder: &Path) -> io::Result<PathBuf> {
    let mut entries = fs::read_dir(folder)?.take(2).collect::<io::Result<Vec<_>>>()?;
    match (entries.pop(), entries.is_empty()) {
        (Some(only), true) if only.file_type()?.is_dir() => Ok(only.path()),
        _ => Ok(folder.to_owned()),
    }
}

/// Unpacks into a folder that is made here and that nobody else knows.
pub(crate) fn unpack_into(archive: &Path, folder: &Path, limits: &Limits) -> Result<Unpacked, Error> {
    let file = File::open(archive).map_err(Error::io("read", archive))?;
    let packed = file.metadata().map_err(Error::io("read", archive))?.len();
    let gauge = Gauge::new(limits.unpacked(packed));
    let mut reader = Gauged { inner: MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file)), gauge: &gauge };
    let told = |fault| match fault {
        Fault::Damaged(reason) => Error::Damaged { file: archive.to_owned(), reason },
        Fault::Refused(entry, reason) => Error::Refused { file: archive.to_owned(), entry, reason },
        Fault::TooLarge => Error::TooLarge { file: archive.to_owned(), packed, limit: gauge.limit() },
        Fault::TooMany => Error::TooMany { file: archive.to_owned(), limit: limits.entries },
        Fault::Told(error) => error,
    };
    fs::create_dir(folder).map_err(Error::io("make the folder", folder))?;
    let mut unpacked = Unpacked { files: 0, content: 0 };
    let write = |parts: &[&str], kind, content: &mut dyn Read| {
        let path = parts.iter().fold(folder.to_owned(), |path, part| path.join(part));
        let within = if kind == Kind::Folder { path.as_path() } else { path.parent().unwrap_or(folder) };
        fs::create_dir_all(within).map_err(Error::io("make the folder", within))?;
        if kind == Kind::File {
            unpacked.content += write(&path, content).map_err(Error::io("write", &path))?;
            unpacked.files += 1;
        }
        Ok(())
    };
    each(&mut reader, &gauge, limits.entries, write).map_err(told)?;
    if gauge.has_ended() {
        return Err(told(Fault::Damaged("its end mark is missing".to_owned())));
    }
    drain(&mut reader, &gauge).map_err(told)?;
    if unpacked.files == 0 {
        return Err(told(Fault::Damaged("there is no file in it".to_owned())));
    }
    Ok(unpacked)
}

fn write(path: &Path, content: &mut dyn Read) -> io::Result<u64> {
    // Nothing of that name is there: names were compared, and nobody else knows the folder.
    let mut file = File::options().write(true).create_new(true).open(path)?;
    io::copy(content, &mut file)
}

/// Brings files to the disk, so that a power cut behind the rename leaves no empty ones.
fn sync(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { sync(&entry.path())? } else { File::open(entry.path())?.sync_all()? }
    }
    Ok(())
}

/// Reads what stands behind the end mark: the checksum of the whole comes last. Programs fill up with zeros, and only
/// somebody with something to hide writes anything else.
fn drain(reader: &mut impl Read, gauge: &Gauge) -> Result<(), Fault> {
    let mut buffer = [0; 1 << 13];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) if buffer[..read].iter().any(|&byte| byte != 0) => {
                return Err(Fault::Damaged("something stands behind its end mark".to_owned()));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if gauge.is_exceeded() => return Err(Fault::TooLarge),
            Err(error) => return Err(Fault::Damaged(error.to_string())),
        }
    }
}
