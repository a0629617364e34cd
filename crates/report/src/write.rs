//! Putting the page and the card into the run's folder.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::card::MARKER;
use crate::{Error, Story, html, model_card};

/// Name of the page.
pub const PAGE: &str = "report.html";

/// Name of the card.
pub const CARD: &str = "README.md";

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The page.
    pub page: PathBuf,
    /// The card; `None` where a `README.md` that is not ours was left alone.
    pub card: Option<PathBuf>,
}

/// Writes [`PAGE`] and [`CARD`] into `folder`, each whole or not at all. A `README.md` that somebody else wrote stays as it
/// is; to have it written again, remove it. One that we wrote and somebody added to is written again, unless the comment at
/// its end was removed.
///
/// # Errors
/// Where the system refuses.
pub fn write(folder: &Path, story: &Story) -> Result<Written, Error> {
    let (page, card) = (folder.join(PAGE), folder.join(CARD));
    put(&page, &html(story))?;
    if !is_ours(&card)? {
        return Ok(Written { page, card: None });
    }
    put(&card, &model_card(story))?;
    Ok(Written { page, card: Some(card) })
}

/// Whether there is no card yet, or it has our mark.
///
/// # Errors
/// Where the system refuses.
pub fn is_ours(card: &Path) -> Result<bool, Error> {
    match fs::read(card) {
        Ok(text) => Ok(text.windows(MARKER.len()).any(|part| part == MARKER.as_bytes())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(source) => Err(Error::Write { file: card.to_owned(), source }),
    }
}

fn put(file: &Path, text: &str) -> Result<(), Error> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!(".{name}.tmp"));
    let write = || {
        let mut new = fs::File::create(&beside)?;
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        fs::rename(&beside, file)
    };
    write().map_err(|source| Error::Write { file: file.to_owned(), source })
}
