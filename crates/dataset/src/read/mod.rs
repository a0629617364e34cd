//! Reading tables: a file, an archive or any stream becomes an iterator of [`Record`]s.
//!
//! Nothing is held but the record at hand, so memory does not grow with the file. This module owns formats, encodings,
//! archives and everything that can be malformed below the level of a field; what the fields mean is for
//! [`crate::columns`] and [`crate::labels`]. Read on in `delimited` (CSV, TSV), `lines` (JSONL, text), `archive`.

mod archive;
mod decode;
mod delimited;
mod lines;
mod quotes;

use std::{fs, io::Read, path::Path, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Place, Result};
use archive::Bytes;
use delimited::Delimited;
use lines::{JsonLines, PlainLines};

/// A record longer than this is taken for a malformed file, not for a text.
const MAX_RECORD_BYTES: usize = 64 << 20;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Fields separated by commas.
    Csv,
    /// Fields separated by tabs.
    Tsv,
    /// One JSON object per line.
    Jsonl,
    /// One text per line, in the column `text`.
    Text,
}

impl Format {
    /// The format that a file's name tells, an archive's ending not counted.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let name = archive::Kind::from_name(&name).map_or(name.as_str(), |(_, rest)| rest);
        match name.rsplit_once('.')?.1 {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "txt" => Some(Self::Text),
            _ => None,
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "tsv" => Ok(Self::Tsv),
            "jsonl" | "ndjson" | "json" => Ok(Self::Jsonl),
            "text" | "txt" => Ok(Self::Text),
            _ => Err(format!("expected csv, tsv, jsonl or text, got {text:?}")),
        }
    }
}

/// What the character `"` means in CSV and TSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quote {
    /// It opens and closes a field; doubled inside one, it stands for itself.
    #[default]
    Double,
    /// It is plain text.
    None,
}

impl FromStr for Quote {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "double" | "\"" => Ok(Self::Double),
            "none" | "" => Ok(Self::None),
            _ => Err(format!("expected double or none, got {text:?}")),
        }
    }
}

/// How bytes become characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// ISO-8859-1: every byte is the character of that number.
    #[serde(rename = "latin-1")]
    Latin1,
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
            "utf8" => Ok(Self::Utf8),
            "latin1" | "iso88591" => Ok(Self::Latin1),
            _ => Err(format!("expected utf-8 or latin-1, got {text:?}")),
        }
    }
}

/// What a user may have to say about a file before it can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadOptions {
    /// `None`: as the name tells.
    pub format: Option<Format>,
    /// `None`: a comma in CSV, a tab in TSV.
    pub delimiter: Option<char>,
    /// What quote characters mean in CSV and TSV.
    pub quote: Quote,
    /// Whether CSV and TSV begin with the columns' names; without, columns are named "1", "2", ...
    pub header: bool,
    /// How bytes become characters.
    pub encoding: Encoding,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { format: None, delimiter: None, quote: Quote::Double, header: true, encoding: Encoding::Utf8 }
    }
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The record's number, from 1, the header not counted.
    pub row: u64,
    /// The line on which it begins, from 1.
    pub line: u64,
    /// One value per column, as text. A JSON null is empty, a number or a boolean is as JSON writes it.
    pub values: Vec<String>,
    /// The row as it was, for JSONL: what the values' types were.
    pub object: Option<serde_json::Map<String, serde_json::Value>>,
}

/// The records of one file or stream, in order. After an error it ends.
pub struct Records {
    name: String,
    columns: Vec<String>,
    inner: Inner,
    ended: bool,
}

enum Inner {
    Delimited(Box<Delimited>),
    Json(Box<JsonLines>),
    Plain(Box<PlainLines>),
}

impl Records {
    /// The columns' names, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The file's path as given, or the stream's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where a record is, for errors about it.
    pub fn place(&self, record: &Record) -> Place {
        Place { file: self.name.clone(), row: record.row, line: Some(record.line) }
    }
}

impl Iterator for Records {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = match &mut self.inner {
            Inner::Delimited(reader) => reader.next_record(&self.columns),
            Inner::Json(reader) => reader.next_record(&self.columns),
            Inner::Plain(reader) => reader.next_record(),
        };
        self.ended = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

/// Opens a file, packed or not.
///
/// # Errors
/// When it is absent, a folder, empty, of no known format, or when its first record is malformed.
pub fn open(path: &Path, options: &ReadOptions) -> Result<Records> {
    let name = path.display().to_string();
    let io_error = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => Error::Absent { file: name.clone() },
        _ => Error::Io { file: name.clone(), source },
    };
    if fs::metadata(path).map_err(io_error)?.is_dir() {
        return Err(Error::Folder { file: name });
    }
    let file = fs::File::open(path).map_err(io_error)?;
    read_from(&name, file, options)
}

/// Reads a stream; `name` stands for it in messages and tells the format where the options do not.
///
/// # Errors
/// When it is empty, of no known format, or when its first record is malformed. An empty stream of plain text lines is
/// no error: it has no rows.
pub fn read_from(name: &str, stream: impl Read + Send + 'static, options: &ReadOptions) -> Result<Records> {
    let format = options.format.or_else(|| Format::from_name(name));
    let format = format.ok_or_else(|| Error::UnknownFormat { file: name.to_owned() })?;
    let bytes = Bytes::open(name, Box::new(stream))?;
    let (columns, inner) = match format {
        Format::Csv | Format::Tsv => {
            let delimiter = options.delimiter.unwrap_or(if format == Format::Csv { ',' } else { '\t' });
            let (columns, reader) = Delimited::open(bytes, delimiter, options)?;
            (columns, Inner::Delimited(Box::new(reader)))
        }
        Format::Jsonl => {
            let (columns, reader) = JsonLines::open(bytes, options.encoding)?;
            (columns, Inner::Json(Box::new(reader)))
        }
        Format::Text => (vec!["text".to_owned()], Inner::Plain(Box::new(PlainLines::new(bytes, options.encoding)))),
    };
    Ok(Records { name: name.to_owned(), columns, inner, ended: false })
}

impl Record {
    /// Refuses a list or an object in `column`, which JSONL can hold and a text or label cannot be.
    ///
    /// # Errors
    /// When it holds one; `expected` says what it should be.
    pub fn check_scalar(&self, column: &str, expected: &'static str, records: &Records) -> Result<()> {
        match self.object.as_ref().and_then(|object| object.get(column)) {
            Some(value) if value.is_array() || value.is_object() => Err(Error::NotScalar {
                place: records.place(self),
                column: column.to_owned(),
                found: lines::kind(value),
                expected,
            }),
            _ => Ok(()),
        }
    }
}
