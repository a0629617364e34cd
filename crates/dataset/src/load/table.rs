//! Texts and labels as they stand in files, one after another.

use std::{collections::HashMap, sync::Arc};

use super::{
    Source, Split,
    split::{RowsOf, names},
};
use crate::{
    Columns, Error, ReadOptions, Result, Scratch, Texts, TextsWriter,
    labels::Found,
    read::{Record, Records},
};

/// Text and label of every row of some files.
pub(super) struct Table {
    /// The files, in messages.
    pub(super) name: String,
    pub(super) columns: Columns,
    files: Arc<[RowsOf]>,
    texts: Texts,
    labels: LabelColumn,
    places: Vec<u32>,
}

impl Table {
    /// Reads files one after another. `choose` says which columns of the first one matter; the others must have them too.
    /// Texts that are too many for memory go to `scratch`.
    pub(super) fn read(
        sources: &[Source],
        options: &ReadOptions,
        scratch: &Scratch,
        choose: impl FnOnce(&str, &[String]) -> Result<Columns>,
    ) -> Result<Self> {
        let Some((first, more)) = sources.split_first() else {
            return Err(Error::NoRows { file: names(&[]) });
        };
        let mut texts = TextsWriter::new(scratch.clone());
        texts.expect(sources.iter().map(Source::bytes).sum());
        let records = first.open(options)?;
        let columns = choose(records.name(), records.columns())?;
        let mut reading =
            Reading { texts, labels: LabelColumn::default(), places: Vec::new(), files: Vec::new(), next: 0 };
        reading.add(records, &columns)?;
        for source in more {
            let records = source.open(options)?;
            let columns = columns.again(records.name(), records.columns())?;
            reading.add(records, &columns)?;
        }
        let Reading { texts, labels, places, files, .. } = reading;
        let name = names(&files);
        if places.is_empty() {
            return Err(Error::NoRows { file: name });
        }
        Ok(Self { name, columns, files: files.into(), texts: texts.finish()?, labels, places })
    }

    /// The different labels, each where it first stands.
    pub(super) fn found(&self) -> Vec<Found<'_>> {
        let found = self.labels.different.iter();
        found
            .map(|(label, file, row, line)| Found { label, file: &self.files[*file].file, row: *row, line: *line })
            .collect()
    }

    /// Its rows; `ids` are those of [`Self::found`], and `number` tells tables of one data set apart.
    pub(super) fn into_rows(self, ids: &[u32], number: u64) -> Split {
        let labels = self.labels.of.iter().map(|&label| ids[label as usize]).collect();
        Split::of_files(self.files, self.texts, labels, self.places, number)
    }
}

/// What was read so far.
struct Reading {
    texts: TextsWriter,
    labels: LabelColumn,
    places: Vec<u32>,
    files: Vec<RowsOf>,
    /// The place of the next file's first row.
    next: u32,
}

impl Reading {
    fn add(&mut self, mut records: Records, columns: &Columns) -> Result<()> {
        let before = self.next;
        self.files.push(RowsOf { file: records.name().to_owned(), before });
        while let Some(record) = records.next() {
            let record = record?;
            let row = u32::try_from(record.row).ok().and_then(|row| before.checked_add(row));
            self.next = row.ok_or(Error::TooManyRows)?;
            self.push(record, &records, columns)?;
        }
        Ok(())
    }

    fn push(&mut self, record: Record, records: &Records, columns: &Columns) -> Result<()> {
        let Columns { text, label } = columns;
        record.check_scalar(&text.name, "a text", records)?;
        record.check_scalar(&label.name, "a label", records)?;
        let found = record.values[label.index].trim();
        if found.is_empty() {
            return Err(Error::MissingLabel { place: records.place(&record), column: label.name.clone() });
        }
        self.labels.push(found, self.files.len() - 1, &record);
        self.texts.push(&record.values[text.index])?;
        self.places.push(self.next - 1);
        Ok(())
    }
}

/// Labels as they are written, each kept once.
#[derive(Default)]
struct LabelColumn {
    /// For each row which of the different ones it has.
    of: Vec<u32>,
    /// Label, number of the file, row and line, in the order of first occurrence.
    different: Vec<(String, usize, u64, u64)>,
    known: HashMap<String, u32, ahash::RandomState>,
}

impl LabelColumn {
    fn push(&mut self, label: &str, file: usize, record: &Record) {
        let number = match self.known.get(label) {
            Some(&number) => number,
            None => {
                let next = self.different.len() as u32;
                self.known.insert(label.to_owned(), next);
                self.different.push((label.to_owned(), file, record.row, record.line));
                next
            }
        };
        self.of.push(number);
    }
}
