//! Making an archive: the same files give the same bytes, whoever made them, when and where.
//!
//! Entries stand in the order of their names, with no time, no owner and one mode. There is no folder around them: what
//! hosts models from a `model.tar.gz` looks for `config.json` at its top.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};
use tempfile::NamedTempFile;

use crate::Error;
use crate::names::parts;

/// What weights gain from more than this is less than a hundredth.
const LEVEL: u32 = 1;

/// An archive that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Bytes of the files.
    pub content: u64,
    /// Bytes of the archive.
    pub size: u64,
}

/// Packs `files` (by the names that they have in the archive) into `archive`, which appears when it is whole.
///
/// # Errors
/// A name that leads anywhere else than into a folder, a file that changes while it is read, a refusal by the system.
pub fn pack(files: &BTreeMap<String, PathBuf>, archive: &Path) -> Result<Packed, Error> {
    if archive.is_dir() {
        return Err(Error::Folder { path: archive.to_owned() });
    }
    let refused = |source| Error::Io { action: "write", path: archive.to_owned(), source };
    // Through a link to the file that it means, so that the link stays.
    let place = fs::canonicalize(archive).unwrap_or_else(|_| archive.to_owned());
    let file = beside(&place).map_err(refused)?;
    let gzip = GzBuilder::new().mtime(0).write(BufWriter::new(file), Compression::new(LEVEL));
    let mut tar = Builder::new(gzip);
    let mut content = 0;
    for (name, path) in files {
        content += append(&mut tar, name, path, &refused)?;
    }
    let file = tar
        .into_inner()
        .and_then(|gzip| gzip.finish())
        .and_then(|buffered| buffered.into_inner().map_err(io::IntoInnerError::into_error))
        .map_err(refused)?;
    file.as_file().sync_all().map_err(refused)?;
    let size = file.as_file().metadata().map_err(refused)?.len();
    file.persist(place).map_err(|error| refused(error.error))?;
    Ok(Packed { content, size })
}

fn append<W: Write>(
    tar: &mut Builder<W>,
    name: &str,
    path: &Path,
    refused: &impl Fn(io::Error) -> Error,
) -> Result<u64, Error> {
    let unnamed = |reason| Error::Name { name: name.to_owned(), reason };
    if parts(name.as_bytes()).map_err(unnamed)?.join("/") != name {
        return Err(unnamed("expected a plain relative name"));
    }
    let file = File::open(path).map_err(Error::io("read", path))?;
    let size = file.metadata().map_err(Error::io("read", path))?.len();
    let mut header = Header::new_ustar();
    header.set_path(name).map_err(|_| unnamed("is too long for an archive"))?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    let mut content = Exactly { file, left: size, failure: None };
    let appended = tar.append(&header, &mut content);
    if let Some(source) = content.failure {
        return Err(Error::Io { action: "read", path: path.to_owned(), source });
    }
    if content.left > 0 || content.has_more() {
        return Err(Error::Changed { path: path.to_owned() });
    }
    appended.map_err(refused).map(|()| size)
}

/// A file as long as it was: an archive says the length first.
struct Exactly {
    file: File,
    left: u64,
    failure: Option<io::Error>,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        match self.file.read(&mut buffer[..room]) {
            Ok(read) => {
                self.left -= read as u64;
                Ok(read)
            }
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.failure = Some(error);
                Err(told)
            }
        }
    }
}

impl Exactly {
    fn has_more(&mut self) -> bool {
        self.file.read(&mut [0]).is_ok_and(|read| read > 0)
    }
}

/// A file that is to take the place of `place`, with what permissions any new file gets.
fn beside(place: &Path) -> io::Result<NamedTempFile> {
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tunesmith-").suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
