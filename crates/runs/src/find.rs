//! Looking for journals in a folder and the folders in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use journal::FILE_NAME;

use crate::{Error, Problem};

/// How far below the folder that was named runs are looked for: `runs/project/group/run`.
const DEPTH: usize = 3;

/// The folders of all runs in `folder`, itself included, in order of their names, and what could not be looked at. Links
/// are not followed, or a run would be there twice; nor are hidden folders looked into, nor the folders of runs.
pub(crate) fn find(folder: &Path) -> Result<(Vec<PathBuf>, Vec<Problem>), Error> {
    let (mut runs, mut problems) = (Vec::new(), Vec::new());
    if is_run(folder) {
        return Ok((vec![folder.to_owned()], problems));
    }
    let entries = folders(folder).map_err(|source| Error::Folder { folder: folder.to_owned(), source })?;
    let mut waiting: Vec<(PathBuf, usize)> = entries.into_iter().map(|folder| (folder, 1)).collect();
    while let Some((folder, depth)) = waiting.pop() {
        if is_run(&folder) {
            runs.push(folder);
        } else if depth < DEPTH {
            match folders(&folder) {
                Ok(found) => waiting.extend(found.into_iter().map(|folder| (folder, depth + 1))),
                Err(error) => problems.push(Problem { folder, what: error.to_string() }),
            }
        }
    }
    runs.sort();
    Ok((runs, problems))
}

fn is_run(folder: &Path) -> bool {
    folder.join(FILE_NAME).symlink_metadata().is_ok()
}

fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let is_hidden = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
    let entries = fs::read_dir(folder)?.flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_hidden(entry));
    Ok(folders.map(|entry| entry.path()).collect())
}
