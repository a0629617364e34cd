//! How a run stands.

use std::path::Path;

use journal::RunStatus;
use serde::Serialize;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Everything was done.
    Finished,
    /// Somebody asked for its end.
    Interrupted,
    /// It ended with an error.
    Failed,
    /// It never said that it ended, and nobody is at work on it: killed, or its machine went down.
    Died,
    /// A process is at work on it.
    AtWork,
    /// It did not say that it ended, and whether anybody is at work on it cannot be told on this file system.
    Unknown,
}

impl Status {
    /// `finished`, `at work` and so on.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Died => "died",
            Self::AtWork => "at work",
            Self::Unknown => "unknown",
        }
    }

    /// The status of the run in `folder` whose last attempt ended so. Only one that did not say so is probed.
    pub(crate) fn of(folder: &Path, end: Option<RunStatus>) -> Self {
        match end {
            Some(RunStatus::Finished) => Self::Finished,
            Some(RunStatus::Interrupted) => Self::Interrupted,
            Some(RunStatus::Failed) => Self::Failed,
            None => match journal::is_written(folder) {
                Ok(Some(true)) => Self::AtWork,
                Ok(Some(false)) => Self::Died,
                Ok(None) | Err(_) => Self::Unknown,
            },
        }
    }
}
