//! A project: texts and copies of the user's files, written into a folder that is whole or not there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::output::OutputError;

/// Files to come.
pub(super) struct Project {
    /// The path below the project's folder, and the content.
    pub(super) texts: Vec<(&'static str, String)>,
    /// The path below it of each copy, and what it is a copy of.
    pub(super) copies: Vec<(PathBuf, PathBuf)>,
}

impl Project {
    /// Writes it.
    ///
    /// # Errors
    /// When something is in the folder, or the system refuses.
    pub(super) fn write(&self, folder: &Path) -> Result<(), OutputError> {
        let refused = |source| OutputError::Io { folder: folder.to_owned(), source };
        if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(OutputError::Foreign { folder: folder.to_owned() });
        }
        let beside = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(beside).map_err(refused)?;
        let partial =
            tempfile::Builder::new().prefix(".tunesmith-").suffix(".partial").tempdir_in(beside).map_err(refused)?;
        self.write_into(&partial.path().join("project")).map_err(refused)?;
        // An empty folder gives way.
        fs::rename(partial.path().join("project"), folder).map_err(refused)
    }

    fn write_into(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir(folder)?;
        for (name, text) in &self.texts {
            fs::write(folder.join(name), text)?;
        }
        for (name, source) in &self.copies {
            copy(source, &folder.join(name))?;
        }
        Ok(())
    }

    /// What to do with it.
    pub(super) fn advice(&self, folder: &Path) -> String {
        let place = folder.join("pipeline.py");
        format!(
            "`python {}` runs it here (with the packages in requirements.txt, and Docker); see its first lines",
            place.display()
        )
    }
}

fn copy(source: &Path, place: &Path) -> io::Result<()> {
    if source.is_dir() {
        fs::create_dir_all(place)?;
        for entry in fs::read_dir(source)? {
            let entry = entry?;
            copy(&entry.path(), &place.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(source, place).map(drop)
}
