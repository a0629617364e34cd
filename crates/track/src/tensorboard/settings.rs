//! Where event files go.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The folder of event files in the folder of a run.
const DEFAULT: &str = "tensorboard";

/// What a user says of TensorBoard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `--logging-dir`: the folder of the event files, instead of `tensorboard` in the run's folder.
    pub logging_dir: Option<PathBuf>,
}

impl Settings {
    /// What was typed, or else what `TENSORBOARD_LOGGING_DIR` says, in which `~` is the home folder as `transformers`
    /// has it.
    pub fn from_environment(logging_dir: Option<PathBuf>) -> Self {
        Self::new(logging_dir, env::var_os("TENSORBOARD_LOGGING_DIR"), env::home_dir().as_deref())
    }

    fn new(typed: Option<PathBuf>, variable: Option<OsString>, home: Option<&Path>) -> Self {
        let variable = variable.filter(|folder| !folder.is_empty()).map(|folder| expand(&folder, home));
        Self { logging_dir: typed.or(variable) }
    }

    /// The folder as it can be found from the run's folder, now and from elsewhere; the default moves with the run.
    pub(super) fn folder(&self) -> PathBuf {
        match &self.logging_dir {
            Some(folder) => std::path::absolute(folder).unwrap_or_else(|_| folder.clone()),
            None => PathBuf::from(DEFAULT),
        }
    }
}

fn expand(folder: &OsStr, home: Option<&Path>) -> PathBuf {
    match (Path::new(folder).strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_goes_before_the_environment() {
        let folder = |typed: Option<&str>, variable: Option<&str>| {
            Settings::new(typed.map(PathBuf::from), variable.map(OsString::from), Some(Path::new("/home/me")))
                .logging_dir
        };
        assert_eq!(folder(None, None), None);
        assert_eq!(folder(None, Some("")), None);
        assert_eq!(folder(None, Some("~/logs")), Some("/home/me/logs".into()));
        assert_eq!(folder(None, Some("~other")), Some("~other".into()));
        assert_eq!(folder(Some("here"), Some("there")), Some("here".into()));
    }
}
