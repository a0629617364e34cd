//! Why an archive cannot be made or used.

use std::io;
use std::path::{Path, PathBuf};

/// Why an archive cannot be made or used. Reads after "failed to ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refused.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was to be done.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file became another one while it was read.
    #[error("read {}: it changed meanwhile; begin again when nobody writes to it", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A name that cannot stand in an archive.
    #[error("pack {name:?}: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The place of the archive is a folder.
    #[error("write {}: it is a folder, expected a file's name", path.display())]
    Folder {
        /// The place.
        path: PathBuf,
    },
    /// Something is in the way.
    #[error("unpack into {}: something is there; name a new folder with --output", path.display())]
    InTheWay {
        /// The place.
        path: PathBuf,
    },
    /// The file is not an archive, or only a part of one.
    #[error("unpack {}: it is no whole tar.gz: {reason}; nothing was unpacked", file.display())]
    Damaged {
        /// The archive.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Something in it that a model folder does not need and a trap does.
    #[error("unpack {}: its entry {entry} {reason}; nothing was unpacked", file.display())]
    Refused {
        /// The archive.
        file: PathBuf,
        /// The entry as it names itself, in quotes and cut if it is long.
        entry: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It would become far larger than what it is packed in.
    #[error(
        "unpack {}: it has {packed} bytes and would become more than {limit}, as only a trap does; nothing was unpacked",
        file.display()
    )]
    TooLarge {
        /// The archive.
        file: PathBuf,
        /// Its size.
        packed: u64,
        /// What it may become.
        limit: u64,
    },
    /// It has too many entries.
    #[error("unpack {}: it has more than {limit} entries; nothing was unpacked", file.display())]
    TooMany {
        /// The archive.
        file: PathBuf,
        /// How many it may have.
        limit: usize,
    },
    /// No folder to keep unpacked archives in.
    #[error("unpack {}: no home is known to keep it in; set XDG_CACHE_HOME", file.display())]
    Homeless {
        /// The archive.
        file: PathBuf,
    },
}

impl Error {
    /// What to make of a refusal by the system.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
