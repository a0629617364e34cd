//! What can be wrong with a journal.

use std::io;
use std::path::PathBuf;

/// A journal that cannot be used. Reads after "failed to ".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error("use the journal {file}: {source}")]
    Io {
        /// The journal.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process writes to it.
    #[error("write to the journal {file}: another process is at work on this run")]
    InUse {
        /// The journal.
        file: PathBuf,
    },
}
