//! CSV and TSV: `csv-core` does the parsing, [`QuoteWatch`] the doubting.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{
    Encoding, MAX_RECORD_BYTES, Quote, ReadOptions, Record,
    archive::Bytes,
    decode::{Fault, decode},
    quotes::QuoteWatch,
};
use crate::{Error, Place, Result};

/// A reader of delimited records.
pub(super) struct Delimited {
    bytes: Bytes,
    parser: Reader,
    watch: QuoteWatch,
    encoding: Encoding,
    quoting: bool,
    /// The record at hand: its fields one after another, and where each ends.
    fields: Vec<u8>,
    ends: Vec<usize>,
    /// The record at hand as it stands in the file, and the offset of its first byte; only errors look at them.
    raw: Vec<u8>,
    offset: u64,
    row: u64,
    /// The first record, where it is not a header.
    first: Option<Vec<String>>,
}

impl Delimited {
    /// The columns and a reader that stands before the first row.
    pub(super) fn open(bytes: Bytes, delimiter: char, options: &ReadOptions) -> Result<(Vec<String>, Self)> {
        let quoting = options.quote == Quote::Double;
        let delimiter = u8::try_from(delimiter)
            .ok()
            .filter(|byte| byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) && !(quoting && *byte == b'"'))
            .ok_or_else(|| Error::Delimiter { file: bytes.name().to_owned(), got: delimiter })?;
        let offset = bytes.skipped;
        let mut reader = Self {
            parser: ReaderBuilder::new().delimiter(delimiter).quoting(quoting).build(),
            watch: QuoteWatch::new(delimiter, quoting),
            encoding: options.encoding,
            quoting,
            fields: vec![0; 1 << 12],
            ends: vec![0; 32],
            raw: Vec::new(),
            offset,
            row: u64::from(!options.header),
            first: None,
            bytes,
        };
        let Some(width) = reader.read_raw(&[])? else {
            return Err(Error::Empty { file: reader.bytes.name().to_owned() });
        };
        let by_position: Vec<String> = (1..=width).map(|position| position.to_string()).collect();
        let names = reader.decode_fields(width, &by_position)?;
        if options.header {
            let columns = name_columns(reader.bytes.name(), names)?;
            Ok((columns, reader))
        } else {
            reader.first = Some(names);
            Ok((by_position, reader))
        }
    }

    /// The next row, or `None` at the end.
    pub(super) fn next_record(&mut self, columns: &[String]) -> Result<Option<Record>> {
        if let Some(values) = self.first.take() {
            return Ok(Some(Record { row: self.row, line: self.watch.record_line(), values, object: None }));
        }
        self.row += 1;
        let Some(found) = self.read_raw(columns)? else {
            return Ok(None);
        };
        if found != columns.len() {
            let hint = if self.quoting { "" } else { " (quote characters are plain text, as --quote none asks)" };
            return Err(Error::Ragged { place: self.place(), expected: columns.len(), found, hint });
        }
        let values = self.decode_fields(found, columns)?;
        Ok(Some(Record { row: self.row, line: self.watch.record_line(), values, object: None }))
    }

    /// Parses one record into `fields` and `ends`; how many fields it has, or `None` at the end.
    fn read_raw(&mut self, columns: &[String]) -> Result<Option<usize>> {
        self.offset += self.raw.len() as u64;
        self.raw.clear();
        let (mut filled, mut ended) = (0, 0);
        loop {
            let input = self.bytes.fill()?;
            let at_end = input.is_empty();
            let (result, read, wrote, fields) =
                self.parser.read_record(input, &mut self.fields[filled..], &mut self.ends[ended..]);
            self.watch.see(&input[..read]);
            self.raw.extend_from_slice(&input[..read]);
            self.bytes.consume(read);
            filled += wrote;
            ended += fields;
            if self.raw.len() > MAX_RECORD_BYTES {
                return Err(self.too_long(columns));
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.fields.resize(self.fields.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => {
                    self.check_quotes(at_end, columns)?;
                    return Ok(Some(ended));
                }
            }
        }
    }

    fn check_quotes(&self, at_end: bool, columns: &[String]) -> Result<()> {
        if let Some(stray) = self.watch.text_after() {
            let column = column_name(columns, stray.field);
            return Err(Error::TextAfterQuote { place: self.place(), opened: stray.opened, line: stray.line, column });
        }
        match self.watch.open() {
            Some(stray) if at_end => {
                let column = column_name(columns, stray.field);
                Err(Error::UnclosedQuote { place: self.place(), opened: stray.opened, column })
            }
            _ => Ok(()),
        }
    }

    fn too_long(&self, columns: &[String]) -> Error {
        match self.watch.open() {
            Some(stray) => {
                let column = column_name(columns, stray.field);
                Error::UnclosedQuote { place: self.place(), opened: stray.opened, column }
            }
            None => Error::RecordTooLong { place: self.place(), limit: MAX_RECORD_BYTES, hint: "" },
        }
    }

    fn decode_fields(&self, count: usize, columns: &[String]) -> Result<Vec<String>> {
        let mut start = 0;
        let mut values = Vec::with_capacity(count);
        for (field, &end) in self.ends[..count].iter().enumerate() {
            let value = decode(&self.fields[start..end], self.encoding);
            values.push(value.map_err(|fault| self.undecodable(fault, column_name(columns, field)))?);
            start = end;
        }
        Ok(values)
    }

    fn undecodable(&self, fault: Fault, column: String) -> Error {
        match fault {
            Fault::Nul => Error::Nul { place: self.place(), column },
            Fault::NotUtf8 { value, .. } => {
                let valid = std::str::from_utf8(&self.raw).map_or_else(|error| error.valid_up_to(), str::len);
                let (offset, unpacked) = (self.offset + valid as u64, self.bytes.unpacked());
                Error::Undecodable { place: self.place(), column, value, offset, unpacked }
            }
        }
    }

    fn place(&self) -> Place {
        Place { file: self.bytes.name().to_owned(), row: self.row, line: Some(self.watch.record_line()) }
    }
}

fn column_name(columns: &[String], field: usize) -> String {
    columns.get(field).map_or_else(|| (field + 1).to_string(), |name| format!("{name:?}"))
}

/// The header's names; an empty one becomes its position, because spreadsheets leave empty columns behind.
fn name_columns(file: &str, names: Vec<String>) -> Result<Vec<String>> {
    let mut columns: Vec<String> = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        let name = if name.trim().is_empty() { (index + 1).to_string() } else { name };
        if let Some(first) = columns.iter().position(|other| *other == name) {
            return Err(Error::DuplicateColumn { file: file.to_owned(), name, first: first + 1, second: index + 1 });
        }
        columns.push(name);
    }
    Ok(columns)
}
