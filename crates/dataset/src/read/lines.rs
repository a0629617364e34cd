//! One record per line: JSON objects, or plain texts.

use serde_json::{Map, Value};

use super::{
    Encoding, MAX_RECORD_BYTES, Record,
    archive::Bytes,
    decode::{Fault, decode},
};
use crate::{Error, Place, Result};

/// Lines of a stream, decoded, with what errors need to know.
struct Lines {
    bytes: Bytes,
    encoding: Encoding,
    buffer: Vec<u8>,
    offset: u64,
    line: u64,
    row: u64,
}

impl Lines {
    fn new(bytes: Bytes, encoding: Encoding) -> Self {
        Self { offset: bytes.skipped, bytes, encoding, buffer: Vec::new(), line: 0, row: 0 }
    }

    /// The next line without its end, or `None` after the last; `column` names it in errors.
    fn next(&mut self, column: &str) -> Result<Option<String>> {
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        self.line += 1;
        if self.bytes.read_line(&mut self.buffer, MAX_RECORD_BYTES)? == 0 {
            return Ok(None);
        }
        if self.buffer.len() >= MAX_RECORD_BYTES {
            let hint = "; is it really one record per line?";
            return Err(Error::RecordTooLong { place: self.place(1), limit: MAX_RECORD_BYTES, hint });
        }
        let line = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        decode(line, self.encoding).map(Some).map_err(|fault| match fault {
            Fault::Nul => Error::Nul { place: self.place(1), column: column.to_owned() },
            Fault::NotUtf8 { at, value } => Error::Undecodable {
                place: self.place(1),
                column: column.to_owned(),
                value,
                offset: self.offset + at as u64,
                unpacked: self.bytes.unpacked(),
            },
        })
    }

    /// Where the record at hand is; `ahead` is 1 while it is not counted yet.
    fn place(&self, ahead: u64) -> Place {
        Place { file: self.bytes.name().to_owned(), row: self.row + ahead, line: Some(self.line) }
    }
}

/// Plain texts, an empty line being an empty text.
pub(super) struct PlainLines {
    lines: Lines,
}

impl PlainLines {
    pub(super) fn new(bytes: Bytes, encoding: Encoding) -> Self {
        Self { lines: Lines::new(bytes, encoding) }
    }

    pub(super) fn next_record(&mut self) -> Result<Option<Record>> {
        let Some(text) = self.lines.next("\"text\"")? else {
            return Ok(None);
        };
        self.lines.row += 1;
        Ok(Some(Record { row: self.lines.row, line: self.lines.line, values: vec![text], object: None }))
    }
}

/// JSON objects, blank lines passed over.
pub(super) struct JsonLines {
    lines: Lines,
    first: Option<Record>,
}

impl JsonLines {
    /// The first object's keys and a reader that stands before it.
    pub(super) fn open(bytes: Bytes, encoding: Encoding) -> Result<(Vec<String>, Self)> {
        let mut reader = Self { lines: Lines::new(bytes, encoding), first: None };
        let Some(object) = reader.next_object()? else {
            return Err(Error::Empty { file: reader.lines.bytes.name().to_owned() });
        };
        let columns = columns_of(&object);
        reader.first = Some(reader.record(object, &columns)?);
        Ok((columns, reader))
    }

    pub(super) fn next_record(&mut self, columns: &[String]) -> Result<Option<Record>> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        match self.next_object()? {
            Some(object) => self.record(object, columns).map(Some),
            None => Ok(None),
        }
    }

    fn next_object(&mut self) -> Result<Option<Map<String, Value>>> {
        while let Some(line) = self.lines.next("(the line)")? {
            if line.trim().is_empty() {
                continue;
            }
            self.lines.row += 1;
            let reason = match serde_json::from_str(&line) {
                Ok(Value::Object(object)) => return Ok(Some(object)),
                Ok(other) => format!("found {}", kind(&other)),
                Err(_) if line.trim_start().starts_with('[') => {
                    "found the beginning of a list; write one object per line".to_owned()
                }
                Err(error) if error.is_eof() => "found only the beginning of one; write it on one line".to_owned(),
                Err(error) => format!("found a fault at character {}: {}", error.column(), without_place(&error)),
            };
            return Err(Error::Json { place: self.lines.place(0), reason });
        }
        Ok(None)
    }

    fn record(&self, object: Map<String, Value>, columns: &[String]) -> Result<Record> {
        record(object, columns, self.lines.row, self.lines.line, || self.lines.place(0))
    }
}

pub(super) fn columns_of(object: &Map<String, Value>) -> Vec<String> {
    object.keys().cloned().collect()
}

/// A record of the values that an object has under these keys, and no others.
pub(super) fn record(
    object: Map<String, Value>,
    columns: &[String],
    row: u64,
    line: u64,
    place: impl Fn() -> Place,
) -> Result<Record> {
    let missing = columns.iter().find(|column| !object.contains_key(*column));
    if let Some(column) = missing {
        return Err(Error::MissingKey { place: place(), column: column.clone() });
    }
    if object.len() > columns.len() {
        let new = object.keys().find(|key| !columns.contains(key));
        let column = new.cloned().unwrap_or_default();
        return Err(Error::NewKey { place: place(), column });
    }
    let values = columns.iter().map(|column| text_of(&object[column])).collect();
    Ok(Record { row, line, values, object: Some(object) })
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What a JSON value is, with its article.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The parser counts lines within the one line it saw, which would only mislead.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}
