//! The files that are brought: their size, their beginning, and what git and LFS would call them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::SystemTime;

use super::{Content, PushError};
use crate::Error;
use crate::digest::{Digest, Sum};

/// Bytes by which the Hub sees whether a file is text.
const SAMPLE: u64 = 512;

/// A file before it is sent.
#[derive(Debug)]
pub(super) struct LocalFile<'a> {
    /// Its path in the repo.
    pub(super) path: String,
    pub(super) content: &'a Content,
    pub(super) size: u64,
    pub(super) sample: Vec<u8>,
    /// What LFS calls it.
    pub(super) sha256: String,
    /// What git calls it.
    pub(super) blob: String,
    /// When somebody last wrote to it.
    modified: Option<SystemTime>,
}

/// Sizes and beginnings of files.
///
/// # Errors
/// A file that cannot be read, or none at all.
pub(super) fn look(files: &BTreeMap<String, Content>) -> Result<BTreeMap<&str, LocalFile<'_>>, PushError> {
    if files.is_empty() {
        return Err(PushError::Nothing);
    }
    let mut looked = BTreeMap::new();
    for (path, content) in files {
        let (size, modified) = measure(content)?;
        let mut sample = Vec::new();
        open(content)?.0.take(SAMPLE).read_to_end(&mut sample).map_err(|error| content.refused(error))?;
        let (path_in_repo, sha256, blob) = (path.clone(), String::new(), String::new());
        looked.insert(path.as_str(), LocalFile { path: path_in_repo, content, size, sample, sha256, blob, modified });
    }
    Ok(looked)
}

/// The same with digests, for which all of them are read.
///
/// # Errors
/// A file that cannot be read, or has changed.
pub(super) fn sum<'a>(files: BTreeMap<&str, LocalFile<'a>>) -> Result<Vec<LocalFile<'a>>, PushError> {
    files
        .into_values()
        .map(|mut file| {
            let mut sha256 = Sum::sha256();
            let mut blob = Digest::GitBlob(String::new()).begin(file.size);
            let (mut reader, path) = open(file.content)?;
            let mut buffer = vec![0; 1 << 17];
            let mut read = 0;
            loop {
                match reader.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(bytes) => {
                        sha256.take(&buffer[..bytes]);
                        blob.take(&buffer[..bytes]);
                        read += bytes as u64;
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(file.content.refused(error)),
                }
            }
            if read != file.size {
                return Err(PushError::Changed { path: path.into_owned() });
            }
            (file.sha256, file.blob) = (sha256.hex(), blob.hex());
            Ok(file)
        })
        .collect()
}

impl LocalFile<'_> {
    /// All of it; for files that are small.
    ///
    /// # Errors
    /// When it cannot be read, or is longer or shorter than it was.
    pub(super) fn read(&self) -> Result<Vec<u8>, PushError> {
        let mut bytes = Vec::new();
        let (reader, path) = open(self.content)?;
        reader.take(self.size + 1).read_to_end(&mut bytes).map_err(|error| self.content.refused(error))?;
        if bytes.len() as u64 == self.size { Ok(bytes) } else { Err(PushError::Changed { path: path.into_owned() }) }
    }

    /// Makes sure that what was sent is what was looked at.
    ///
    /// # Errors
    /// When somebody wrote to the file since.
    pub(super) fn check_unchanged(&self) -> Result<(), PushError> {
        if measure(self.content)? == (self.size, self.modified) {
            return Ok(());
        }
        let path = match self.content {
            Content::File(path) => path.clone(),
            Content::Text(_) => self.path.clone().into(),
        };
        Err(PushError::Changed { path })
    }
}

impl Content {
    fn refused(&self, source: std::io::Error) -> PushError {
        let path = match self {
            Self::File(path) => path.clone(),
            Self::Text(_) => "a text in memory".into(),
        };
        Error::Io { action: "read", path, source }.into()
    }
}

fn measure(content: &Content) -> Result<(u64, Option<SystemTime>), PushError> {
    match content {
        Content::Text(text) => Ok((text.len() as u64, None)),
        Content::File(path) => {
            let found = path.metadata().map_err(|error| content.refused(error))?;
            Ok((found.len(), found.modified().ok()))
        }
    }
}

fn open(content: &Content) -> Result<(Box<dyn Read + '_>, Cow<'_, Path>), PushError> {
    match content {
        Content::Text(text) => Ok((Box::new(text.as_bytes()), Cow::Borrowed(Path::new("a text in memory")))),
        Content::File(path) => {
            let file = File::open(path).map_err(|error| content.refused(error))?;
            Ok((Box::new(file), Cow::Borrowed(path)))
        }
    }
}
