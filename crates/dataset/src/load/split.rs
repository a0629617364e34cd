//! Rows that are used for one purpose.

use std::sync::Arc;

use crate::Texts;

/// Rows that are used for one purpose, in the order of their files.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The texts, empty ones included.
    pub texts: Texts,
    /// Class ids, as many as there are texts.
    pub labels: Vec<u32>,
    /// The files the rows came from, of which there is one at least.
    files: Arc<[RowsOf]>,
    /// Where each row stands when the rows of all files are counted on, from 0.
    places: Vec<u32>,
    /// Tells the rows of one purpose from those of another where each has files of its own.
    number: u64,
}

/// A file, and how many rows stand in those before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowsOf {
    pub(super) file: String,
    pub(super) before: u32,
}

impl Split {
    /// Rows of one file; `rows` are their numbers there, from 1.
    pub fn new(file: &str, texts: Texts, labels: Vec<u32>, rows: impl IntoIterator<Item = u32>) -> Self {
        let files = [RowsOf { file: file.to_owned(), before: 0 }].into();
        Self::of_files(files, texts, labels, rows.into_iter().map(|row| row.saturating_sub(1)).collect(), 0)
    }

    pub(super) fn of_files(
        files: Arc<[RowsOf]>,
        texts: Texts,
        labels: Vec<u32>,
        places: Vec<u32>,
        number: u64,
    ) -> Self {
        Self { texts, labels, files, places, number }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The file that a row came from.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn file(&self, at: usize) -> &str {
        &self.rows_of(at).file
    }

    /// A row's number in its file, from 1.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, at: usize) -> u64 {
        u64::from(self.places[at] - self.rows_of(at).before) + 1
    }

    /// What an example is called wherever randomness or reports speak of it. It depends neither on the order of training nor
    /// on how rows are packed.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn example_id(&self, at: usize) -> u64 {
        self.number << 48 | (u64::from(self.places[at]) + 1)
    }

    /// What all examples are called.
    pub fn example_ids(&self) -> Vec<u64> {
        (0..self.len()).map(|at| self.example_id(at)).collect()
    }

    /// Where the rows come from, in messages: the file, or the first of several and how many more.
    pub fn source(&self) -> String {
        names(&self.files)
    }

    /// How many rows each of `classes` classes has.
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        self.labels.iter().for_each(|&label| counts[label as usize] += 1);
        counts
    }

    /// How many texts have nothing but blanks.
    pub fn empty_texts(&self) -> usize {
        self.texts.iter().filter(|text| text.trim().is_empty()).count()
    }

    /// The rows at these positions, in this order.
    ///
    /// # Panics
    /// When there is none at one of them.
    #[must_use]
    pub fn select(&self, positions: &[usize]) -> Self {
        Self {
            texts: self.texts.select(positions),
            labels: positions.iter().map(|&at| self.labels[at]).collect(),
            files: Arc::clone(&self.files),
            places: positions.iter().map(|&at| self.places[at]).collect(),
            number: self.number,
        }
    }

    fn rows_of(&self, at: usize) -> &RowsOf {
        let place = self.places[at];
        &self.files[self.files.partition_point(|rows| rows.before <= place).saturating_sub(1)]
    }
}

pub(super) fn names(files: &[RowsOf]) -> String {
    match files {
        [] => "no file".to_owned(),
        [only] => only.file.clone(),
        [first, more @ ..] => format!("{} and {} more", first.file, more.len()),
    }
}
