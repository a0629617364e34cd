//! Two runs on the same test rows: on how many is just one of them right?
//!
//! These two counts are all that McNemar's test needs; the test itself is the program's business.

use std::fs::{self, File};
use std::path::Path;

use serde::Serialize;

use crate::Error;

/// The predictions of a run on its test rows.
const FILE: &str = "test_predictions.csv";

/// How the predictions of two runs differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Paired {
    /// Test rows, the same in both.
    pub rows: u64,
    /// Rows on which only the first is right.
    pub only_first: u64,
    /// Rows on which only the second is right.
    pub only_second: u64,
}

/// Compares the predictions in two folders; nothing where one has none, or they are not of the same rows: the same
/// numbers, labels and texts in the same order.
///
/// # Errors
/// When a file cannot be read, or holds something else.
pub fn paired(first: &Path, second: &Path) -> Result<Option<Paired>, Error> {
    let (first, second) = (first.join(FILE), second.join(FILE));
    let is_file = |file: &Path| fs::metadata(file).is_ok_and(|found| found.is_file());
    if !is_file(&first) || !is_file(&second) {
        return Ok(None);
    }
    let (mut first, mut second) = (Answers::open(&first)?, Answers::open(&second)?);
    let mut paired = Paired { rows: 0, only_first: 0, only_second: 0 };
    loop {
        match (first.next()?, second.next()?) {
            (None, None) => break,
            (Some(a), Some(b)) if a.of == b.of => {
                paired.rows += 1;
                paired.only_first += u64::from(a.right && !b.right);
                paired.only_second += u64::from(b.right && !a.right);
            }
            _ => return Ok(None),
        }
    }
    Ok((paired.rows > 0).then_some(paired))
}

/// A file of predictions, read row by row.
struct Answers<'a> {
    file: &'a Path,
    rows: csv::StringRecordsIntoIter<File>,
    /// Columns of `row`, `label` and, where it is there, `text`.
    of: [Option<usize>; 3],
    label: usize,
    predicted: usize,
}

/// A row.
struct Answer {
    /// What tells it from others.
    of: [Option<String>; 3],
    right: bool,
}

impl<'a> Answers<'a> {
    fn open(file: &'a Path) -> Result<Self, Error> {
        let refused = |what: String| Error::Predictions { file: file.to_owned(), what };
        let mut reader = csv::Reader::from_path(file).map_err(|error| refused(error.to_string()))?;
        let head = reader.headers().map_err(|error| refused(error.to_string()))?.clone();
        let column = |name: &str| head.iter().position(|found| found == name);
        let needed = |name: &str| column(name).ok_or_else(|| refused(format!("it has no column {name:?}")));
        let (row, label, predicted) = (needed("row")?, needed("label")?, needed("predicted")?);
        let of = [Some(row), Some(label), column("text")];
        Ok(Self { file, rows: reader.into_records(), of, label, predicted })
    }

    fn next(&mut self) -> Result<Option<Answer>, Error> {
        let Some(record) = self.rows.next() else { return Ok(None) };
        let record =
            record.map_err(|error| Error::Predictions { file: self.file.to_owned(), what: error.to_string() })?;
        let of = self.of.map(|column| record.get(column?).map(str::to_owned));
        Ok(Some(Answer { of, right: record.get(self.label) == record.get(self.predicted) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(first: &str, second: &str) -> Result<Option<Paired>, Error> {
        let folders = [first, second].map(|text| {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(FILE), text).unwrap();
            folder
        });
        paired(folders[0].path(), folders[1].path())
    }

    const FIRST: &str = "row,label,predicted,text\n1,a,a,x\n4,a,b,y\n6,b,b,z\n";

    #[test]
    fn rows_on_which_one_is_right_are_counted() {
        let second = "row,label,predicted,p:a,p:b,text\n1,a,b,0,1,x\n4,a,a,1,0,y\n6,b,a,1,0,z\n";
        assert_eq!(compare(FIRST, second).unwrap(), Some(Paired { rows: 3, only_first: 2, only_second: 1 }));
    }

    #[test]
    fn other_rows_are_not_compared() {
        for other in [
            "row,label,predicted,text\n1,a,a,x\n5,a,b,y\n6,b,b,z\n",
            "row,label,predicted,text\n1,a,a,x\n4,a,b,other\n6,b,b,z\n",
            "row,label,predicted,text\n1,a,a,x\n4,a,b,y\n",
            "row,label,predicted\n1,a,a\n4,a,b\n6,b,b\n",
        ] {
            assert_eq!(compare(FIRST, other).unwrap(), None, "{other}");
        }
        assert_eq!(paired(Path::new("/nowhere"), Path::new("/nowhere")).unwrap(), None);
    }

    #[test]
    fn a_garbled_file_is_named() {
        let error = compare(FIRST, "row,label\n1,a\n").unwrap_err().to_string();
        assert!(error.contains(FILE) && error.contains("\"predicted\""), "{error}");
        let error = compare(FIRST, "row,label,predicted,text\n1,a,a,x\n4\n").unwrap_err().to_string();
        assert!(error.contains("1 field"), "{error}");
    }
}
