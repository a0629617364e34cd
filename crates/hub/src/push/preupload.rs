//! Which files go by LFS, and which of them the Hub has already.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::local::LocalFile;
use super::{PushError, To, malformed};

/// Files in one request; the Hub takes no more.
const AT_ONCE: usize = 256;

/// Larger files never go as text within a commit, whatever the Hub's answer is: git refuses them there.
const LARGE: u64 = 10 << 20;

/// How a file stands to the branch.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    pub(super) file: &'a LocalFile<'a>,
    /// Whether it goes by LFS.
    pub(super) large: bool,
    /// Whether the repo's `.gitignore` keeps it out.
    pub(super) ignored: bool,
    /// Whether the branch has it as it is.
    same: bool,
}

impl Standing<'_> {
    /// Whether the commit has to bring it.
    pub(super) fn changes(&self) -> bool {
        !self.same && !self.ignored
    }
}

/// Asks how each file stands to the branch.
///
/// # Errors
/// When the Hub refuses, or does not speak of each file.
pub(super) fn compare<'a>(to: &To<'_>, files: &'a [LocalFile<'a>]) -> Result<Vec<Standing<'a>>, PushError> {
    let mut standing = Vec::new();
    for files in files.chunks(AT_ONCE) {
        let asked = |file: &LocalFile<'_>| json!({ "path": file.path, "sample": STANDARD.encode(&file.sample), "size": file.size });
        let asked: Vec<Value> = files.iter().map(asked).collect();
        let answer = to.http.post_json(&to.of_branch("preupload"), &json!({ "files": asked }))?;
        let json = to.json(&answer)?;
        let listed = json["files"].as_array().into_iter().flatten();
        let told: BTreeMap<&str, &Value> = listed.filter_map(|file| Some((file["path"].as_str()?, file))).collect();
        for file in files {
            let said = told.get(file.path.as_str()).copied().unwrap_or(&Value::Null);
            let by_lfs = match said["uploadMode"].as_str() {
                Some("lfs") => true,
                Some("regular") => file.size > LARGE,
                _ => return Err(malformed(&answer.what, format!("expected how to upload {}", file.path))),
            };
            // A store of large files takes no empty ones.
            let large = by_lfs && file.size > 0;
            let ours = if large { &file.sha256 } else { &file.blob };
            standing.push(Standing {
                file,
                large,
                ignored: said["shouldIgnore"] == true,
                same: said["oid"].as_str() == Some(ours),
            });
        }
    }
    Ok(standing)
}
