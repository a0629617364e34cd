//! One at a time: a step that two runs want is done by one, while the other waits and then finds it done.
//!
//! The lock is handed to the child as its standard input, which is empty. So it lasts as long as either of them lives: when
//! a run is killed and its child is not, nobody else writes where the child still does.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::error::refused;
use crate::stop::Stop;
use crate::{Error, Result};

const PAUSE: Duration = Duration::from_millis(100);

/// The right to work on a step.
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Waits for the lock at `path`; `waiting` is called once if it is not free.
    ///
    /// # Errors
    /// When asked to stop, or the system refuses.
    pub(crate) fn take(path: &Path, stop: &Stop, waiting: impl FnOnce()) -> Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(refused(folder))?;
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(refused(path))?;
        let mut waiting = Some(waiting);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file }),
                Err(TryLockError::WouldBlock) => {}
                // Some network file systems know no locks: one run at a time is then the user's care.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Self { file });
                }
                Err(TryLockError::Error(error)) => return Err(refused(path)(error)),
            }
            if let Some(waiting) = waiting.take() {
                waiting();
            }
            if stop.is_asked() {
                return Err(Error::Interrupted);
            }
            thread::sleep(PAUSE);
        }
    }

    /// The lock as the standard input of a child, which then holds it too.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn as_stdin(&self) -> io::Result<Stdio> {
        self.file.try_clone().map(Stdio::from)
    }
}
