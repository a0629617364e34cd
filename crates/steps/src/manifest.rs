//! The manifest of a finished step: what it was made from, what there is, and when.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::digest::FileDigest;
use crate::key::{Key, KeyParts};

/// The file's name in the step's folder.
pub(crate) const FILE_NAME: &str = "manifest.json";

/// The form of manifests that this program writes and reads.
pub(crate) const FORMAT: u32 = 1;

/// What is kept beside a step's output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this file.
    pub format: u32,
    /// The job that the step was of, and so may be for others with the same key.
    pub job: String,
    /// The step's name there.
    pub step: String,
    /// Its key.
    pub key: Key,
    /// What the key was made from.
    pub parts: KeyParts,
    /// Every file of the output.
    pub files: Vec<FileDigest>,
    /// One digest of those of them that say what was made, which later steps go by.
    pub content: String,
    /// When it was finished, in RFC 3339.
    pub finished: String,
    /// How long it took, all attempts together as far as they ended by themselves.
    pub seconds: f64,
    /// The program and its version.
    pub program: String,
}

impl Manifest {
    /// How long ago it was finished; nothing if that cannot be said.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        let finished = humantime::parse_rfc3339(&self.finished).ok()?;
        SystemTime::now().duration_since(finished).ok()
    }
}

/// The time as manifests have it.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}
