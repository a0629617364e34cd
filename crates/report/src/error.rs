//! What can be wrong with a run that is to be reported on.

use std::io;
use std::path::PathBuf;

/// A story that cannot be told. Reads after "failed to ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no journal, or it cannot be read.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The journal tells nothing.
    #[error("report on the run in {folder}: its journal holds no line that can be read")]
    Empty {
        /// The run's folder.
        folder: PathBuf,
    },
    /// The system refused.
    #[error("write {file}: {source}")]
    Write {
        /// What was to be written.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
