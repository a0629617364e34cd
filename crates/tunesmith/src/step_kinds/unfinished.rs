//! What an interrupted training left, made ready for `train --resume`.

use std::fs;
use std::io;
use std::path::Path;

use crate::output::FINISHED;
use crate::saved;

/// Whether a training can go on from what is in its folder: it has a checkpoint.
///
/// A training that came to its last file and no further is asked to write that, and what follows it, once more: its last
/// checkpoint is at the end, so this takes no training.
///
/// # Errors
/// When the system refuses.
pub(crate) fn can_go_on(run: &Path) -> io::Result<bool> {
    if saved::find(run).is_none() || train::latest_checkpoint(run).is_none() {
        return Ok(false);
    }
    match fs::remove_file(run.join(FINISHED)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(true),
    }
}
