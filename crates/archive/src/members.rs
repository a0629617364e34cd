//! The entries of an archive, one after another, each checked before anybody hears of it.
//!
//! Extended headers are read here and not by the library: it would take as much memory for a name as the archive says.

use std::io::Read;

use tar::{EntryType, PaxExtensions};

use crate::gauge::Gauge;
use crate::names::{Kind, Names, parts};

/// The longest extended header. Names are far shorter; a header may hold times and owners beside one.
const EXTENDED: u64 = 64 << 10;

/// What is wrong with an archive.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Its bytes.
    Damaged(String),
    /// An entry, with its name and the end of a sentence about it.
    Refused(String, String),
    /// More comes out than may.
    TooLarge,
    /// More entries than may be.
    TooMany,
    /// Whoever was told of an entry could not do with it what he wanted.
    Told(crate::Error),
}

/// What of an entry an extended header says.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Reads entries until the end mark, and tells each: the parts of its name, what it is, and its content. The folder that
/// all stand in is not told.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn each(
    reader: &mut impl Read,
    gauge: &Gauge,
    most: usize,
    mut tell: impl FnMut(&[&str], Kind, &mut dyn Read) -> Result<(), crate::Error>,
) -> Result<(), Fault> {
    let damaged = |error: std::io::Error| {
        if gauge.is_exceeded() { Fault::TooLarge } else { Fault::Damaged(error.to_string()) }
    };
    let mut archive = tar::Archive::new(reader);
    let mut names = Names::default();
    let mut extended: Option<Extended> = None;
    for (number, entry) in archive.entries().map_err(damaged)?.raw(true).enumerate() {
        let mut entry = entry.map_err(damaged)?;
        if number >= most {
            return Err(Fault::TooMany);
        }
        let size = entry.size();
        let plain_name = entry.header().path_bytes().into_owned();
        let refused = |name: &[u8], reason: &str| Fault::Refused(shown(name), reason.to_owned());
        if size > gauge.left() {
            return Err(Fault::TooLarge);
        }
        let kind = match entry.header().entry_type() {
            EntryType::Regular => Kind::File,
            EntryType::Directory => Kind::Folder,
            header @ (EntryType::GNULongName | EntryType::XHeader | EntryType::XGlobalHeader) => {
                if size > EXTENDED {
                    return Err(refused(&plain_name, "has too long an extended header"));
                }
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(damaged)?;
                let found = if header == EntryType::GNULongName {
                    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
                    bytes.truncate(end);
                    Extended { path: Some(bytes), size: None }
                } else {
                    pax(&bytes).map_err(|reason| refused(&plain_name, reason))?
                };
                if header == EntryType::XGlobalHeader {
                    if found.path.is_some() || found.size.is_some() {
                        return Err(refused(&plain_name, "speaks for all entries after it"));
                    }
                } else if extended.replace(found).is_some() {
                    return Err(refused(&plain_name, "is the second that speaks for the same entry"));
                }
                continue;
            }
            other => return Err(refused(&plain_name, unwanted(other))),
        };
        let said = extended.take().unwrap_or_default();
        let name = said.path.unwrap_or(plain_name);
        if said.size.is_some_and(|said| said != size) {
            return Err(refused(&name, "has two sizes"));
        }
        let parts = parts(&name).map_err(|reason| refused(&name, reason))?;
        if kind == Kind::File && (parts.is_empty() || name.ends_with(b"/")) {
            return Err(refused(&name, "is a file with a folder's name"));
        }
        if kind == Kind::Folder && size > 0 {
            return Err(refused(&name, "is a folder with a content"));
        }
        if parts.is_empty() {
            continue;
        }
        names.take(&parts, kind).map_err(|reason| Fault::Refused(shown(&name), reason))?;
        let mut content = Content { inner: &mut entry, left: size, failure: None };
        let told = tell(&parts, kind, &mut content);
        if let Some(failure) = content.failure {
            return Err(damaged(failure));
        }
        told.map_err(Fault::Told)?;
    }
    if extended.is_some() {
        return Err(Fault::Damaged("it is cut off behind an extended header".to_owned()));
    }
    Ok(())
}

/// The content of an entry, which ends with an error where the archive does and the entry does not.
struct Content<'a, R> {
    inner: &'a mut R,
    left: u64,
    failure: Option<std::io::Error>,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = match self.inner.read(buffer) {
            Ok(0) if self.left > 0 && !buffer.is_empty() => Err(std::io::Error::other("it is cut off within an entry")),
            read => read,
        };
        match read {
            Ok(read) => {
                self.left -= (read as u64).min(self.left);
                Ok(read)
            }
            Err(error) => {
                // Whoever reads would take it for a fault of the file that is written.
                let told = std::io::Error::new(error.kind(), error.to_string());
                self.failure = Some(error);
                Err(told)
            }
        }
    }
}

/// What an extended header of POSIX says of name and size.
fn pax(bytes: &[u8]) -> Result<Extended, &'static str> {
    let mut said = Extended::default();
    let mut read = 0;
    for extension in PaxExtensions::new(bytes) {
        let Ok(extension) = extension else { return Err("has a malformed extended header") };
        let (key, value) = (extension.key_bytes(), extension.value_bytes());
        read += 1;
        match key {
            b"path" => said.path = Some(value.to_vec()),
            b"size" => {
                let size = str::from_utf8(value).ok().and_then(|value| value.parse().ok());
                said.size = Some(size.ok_or("has a malformed size")?);
            }
            _ if key.starts_with(b"GNU.sparse") => return Err("is sparse"),
            _ => {}
        }
    }
    if read == 0 && !bytes.is_empty() { Err("has a malformed extended header") } else { Ok(said) }
}

fn unwanted(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link | EntryType::GNULongLink => "is a hard link",
        EntryType::Symlink => "is a symbolic link",
        EntryType::Char | EntryType::Block => "is a device",
        EntryType::Fifo => "is a pipe",
        EntryType::GNUSparse => "is sparse",
        _ => "is neither a file nor a folder",
    }
}

/// A name for a message, which does not speak to the terminal.
fn shown(name: &[u8]) -> String {
    const SHOWN: usize = 80;
    let name = String::from_utf8_lossy(name);
    let cut: String = name.chars().take(SHOWN).collect();
    if cut.len() < name.len() { format!("{cut:?}…") } else { format!("{cut:?}") }
}
