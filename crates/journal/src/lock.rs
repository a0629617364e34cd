//! Whether somebody is at work on a run.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use crate::FILE_NAME;

/// Whether a process writes to the journal of the run in `folder`; `None` where files cannot be locked and nobody can
/// tell.
///
/// # Errors
/// When there is no journal, or the system refuses.
pub fn is_written(folder: &Path) -> io::Result<Option<bool>> {
    let file = File::open(folder.join(FILE_NAME))?;
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(false)),
        Err(TryLockError::WouldBlock) => Ok(Some(true)),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
