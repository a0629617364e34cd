//! One file's texts and labels, as they stand in it.

use super::{Source, Split};
use crate::{
    Columns, Error, ReadOptions, Result,
    labels::Found,
    read::{Record, Records},
};

/// Text and label of every row of one file.
pub(super) struct Table {
    pub(super) file: String,
    pub(super) columns: Columns,
    texts: Vec<String>,
    labels: Vec<String>,
    /// Row and line.
    places: Vec<(u64, u64)>,
}

impl Table {
    pub(super) fn read(
        source: &Source,
        options: &ReadOptions,
        choose: impl FnOnce(&str, &[String]) -> Result<Columns>,
    ) -> Result<Self> {
        let mut records = source.open(options)?;
        let columns = choose(records.name(), records.columns())?;
        let file = records.name().to_owned();
        let mut table = Self { file, columns, texts: Vec::new(), labels: Vec::new(), places: Vec::new() };
        while let Some(record) = records.next() {
            table.push(record?, &records)?;
        }
        match table.texts.is_empty() {
            true => Err(Error::NoRows { file: table.file }),
            false => Ok(table),
        }
    }

    fn push(&mut self, mut record: Record, records: &Records) -> Result<()> {
        let Columns { text, label } = &self.columns;
        record.check_scalar(&text.name, "a text", records)?;
        record.check_scalar(&label.name, "a label", records)?;
        let found = record.values[label.index].trim();
        if found.is_empty() {
            return Err(Error::MissingLabel { place: records.place(&record), column: label.name.clone() });
        }
        self.labels.push(found.to_owned());
        self.places.push((record.row, record.line));
        self.texts.push(std::mem::take(&mut record.values[text.index]));
        Ok(())
    }

    pub(super) fn found(&self) -> Vec<Found<'_>> {
        let labels = self.labels.iter().zip(&self.places);
        labels.map(|(label, &(row, line))| Found { label, row, line }).collect()
    }

    /// Its rows, the texts moved out; `number` tells files of one data set apart.
    pub(super) fn rows(&mut self, labels: Vec<u32>, number: u64) -> Split {
        let rows: Vec<u64> = self.places.iter().map(|&(row, _)| row).collect();
        let example_ids = rows.iter().map(|row| number << 48 | row).collect();
        Split { source: self.file.clone(), texts: std::mem::take(&mut self.texts), labels, rows, example_ids }
    }
}
