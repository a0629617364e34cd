//! One process at a time: the same lock that the `filelock` package takes, `flock` on Unix.
//!
//! The lock spares bandwidth; that a file is whole does not depend on it. Some network file systems grant it to
//! everybody, and some know none: then two processes may fetch the same file, and either's is good.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// After so long it is said that somebody else is waited for.
const SAY_SO: Duration = Duration::from_secs(1);

/// Held until it is dropped. The file stays: to take it away would part those who wait from those who come.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: Option<File>,
}

impl Lock {
    /// Waits for the lock; `waiting` is called once if that takes long.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(crate) fn acquire(path: &Path, waiting: impl FnOnce()) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let since = Instant::now();
        let mut waiting = Some(waiting);
        loop {
            let file = open(path)?;
            match file.try_lock() {
                Ok(()) if is_in_place(&file)? => return Ok(Self { _file: Some(file) }),
                Ok(()) => continue,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(_)) => return Ok(Self { _file: None }),
            }
            if since.elapsed() > SAY_SO
                && let Some(say) = waiting.take()
            {
                say();
            }
            thread::sleep(BETWEEN_TRIES);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Others of a group that shares the cache take the same lock.
        options.mode(0o664);
    }
    options.open(path)
}

/// Whether the locked file still has its name: whoever cleans the cache may have taken it away meanwhile.
fn is_in_place(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok(file.metadata()?.nlink() > 0)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_second_waits_for_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".locks/repo/tag.lock");
        let first = Lock::acquire(&path, || panic!("nobody is there to wait for")).unwrap();
        let (sender, receiver) = mpsc::channel();
        let second = thread::spawn(move || {
            let lock = Lock::acquire(&path, || {}).unwrap();
            sender.send(()).unwrap();
            drop(lock);
        });
        assert!(receiver.recv_timeout(Duration::from_millis(300)).is_err());
        drop(first);
        receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        second.join().unwrap();
    }
}
