//! The confusion matrix of a file of predictions.

use std::collections::HashMap;
use std::path::Path;

use crate::PlaceError;

/// The most classes of which a matrix is drawn.
const MOST_CLASSES: usize = 1000;

/// How often rows of one class were given each class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Confusion {
    /// Names of the C classes in the order of their ids.
    pub(super) names: Vec<String>,
    /// Counts.
    ///
    /// # Shapes
    /// `[C, C]` row-major: true class, predicted class
    pub(super) counts: Vec<u64>,
}

impl Confusion {
    /// Reads a file with the columns `label`, `predicted` and `p:NAME` for each class.
    ///
    /// # Errors
    /// When it cannot be read, or holds something else.
    pub(super) fn read(file: &Path) -> Result<Self, PlaceError> {
        let refused = |what: String| PlaceError::refused(format!("{}: {what}", file.display()));
        let mut reader = csv::Reader::from_path(file).map_err(|error| refused(error.to_string()))?;
        let head = reader.headers().map_err(|error| refused(error.to_string()))?.clone();
        let column = |name: &str| {
            head.iter().position(|found| found == name).ok_or_else(|| refused(format!("it has no column {name:?}")))
        };
        let (label, predicted) = (column("label")?, column("predicted")?);
        let names: Vec<String> = head.iter().filter_map(|name| name.strip_prefix("p:")).map(str::to_owned).collect();
        let classes = names.len();
        if !(1..=MOST_CLASSES).contains(&classes) {
            return Err(refused(format!("it has {classes} columns p:NAME, expected 1 to {MOST_CLASSES}")));
        }
        let ids: HashMap<&str, usize> = names.iter().enumerate().map(|(id, name)| (name.as_str(), id)).collect();
        let mut counts = vec![0; classes * classes];
        for (row, record) in reader.records().enumerate() {
            let record = record.map_err(|error| refused(error.to_string()))?;
            let class = |column: usize| {
                let name = record.get(column).unwrap_or_default();
                ids.get(name).ok_or_else(|| refused(format!("row {}: {name:?} is no class of the file", row + 1)))
            };
            counts[class(label)? * classes + class(predicted)?] += 1;
        }
        Ok(Self { names, counts })
    }

    pub(super) fn classes(&self) -> usize {
        self.names.len()
    }

    pub(super) fn rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Rows that were given their own class.
    pub(super) fn right(&self) -> u64 {
        self.counts.iter().step_by(self.classes() + 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<Confusion, PlaceError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test_predictions.csv");
        fs::write(&file, text).unwrap();
        Confusion::read(&file)
    }

    #[test]
    fn rows_are_true_classes() {
        let text = "row,label,predicted,p:ham,\"p:sp,am\",text\n1,ham,\"sp,am\",0.4,0.6,x\n5,ham,ham,1,0,\"a\nb\"\n";
        let found = read(text).unwrap();
        assert_eq!(
            (found.names.as_slice(), found.counts.as_slice()),
            (&["ham", "sp,am"].map(str::to_owned)[..], &[1, 1, 0, 0][..])
        );
        assert_eq!((found.rows(), found.right()), (2, 1));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let cases = [
            ("", "no column \"label\""),
            ("label,p:a\na,a\n", "no column \"predicted\""),
            ("label,predicted\na,a\n", "0 columns p:NAME"),
            ("label,predicted,p:a\na,a,1\na,b,1\n", "row 2: \"b\" is no class"),
            ("label,predicted,p:a\na,a\n", "2 fields"),
        ];
        for (text, told) in cases {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("test_predictions.csv") && error.contains(told), "{text:?}: {error}");
        }
        assert!(Confusion::read(Path::new("/no/such/file")).is_err());
    }
}
