//! What training saw of each row on its way: how far the label was ahead, and how often.
//!
//! Every step computes the logits of its rows anyway; this is what is kept of them, 20 bytes a row however many passes
//! there are. It changes nothing in what is learnt. What it says of the labels is worked out in `suspects.rs`.

use std::path::Path;

use encoder::tensors::{TensorFile, write_safetensors};

use crate::Error;

/// The file in a checkpoint's folder.
const FILE: &str = "dynamics.safetensors";

/// One training row through all passes so far. A margin is the label's logit minus the largest other one, with dropout
/// as it was in the step, before the step learnt from the row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowDynamics {
    /// Passes that read it.
    pub seen: u32,
    /// Passes in which its label had the largest logit.
    pub right: u32,
    /// Passes in which it no longer had, after one in which it had: forgetting events (Toneva et al., 2019).
    pub forgotten: u32,
    /// The class with the largest logit beside the label's in the last pass.
    pub rival: u32,
    /// Margin of the last pass.
    pub last_margin: f32,
}

impl RowDynamics {
    fn note(&mut self, margin: Margin) {
        let (was_right, is_right) = (self.seen > 0 && self.last_margin > 0.0, margin.value > 0.0);
        self.seen += 1;
        self.right += u32::from(is_right);
        self.forgotten += u32::from(was_right && !is_right);
        self.rival = margin.rival;
        self.last_margin = margin.value;
    }
}

/// How far a label is ahead of the class that comes closest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Margin {
    pub(crate) value: f32,
    pub(crate) rival: u32,
}

impl Margin {
    /// The first of equal rivals counts; where there is no other class there is no margin.
    pub(crate) fn of(label: u32, logits: &[f32]) -> Option<Self> {
        let own = *logits.get(label as usize)?;
        let others = (0..).zip(logits).filter(|(class, _)| *class != label);
        let (rival, highest) = others.reduce(|best, other| if other.1 > best.1 { other } else { best })?;
        Some(Self { value: own - highest, rival })
    }
}

/// All training rows of a run, in the order of its [`crate::Examples`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dynamics {
    rows: Vec<RowDynamics>,
}

/// A column of the file: its name, and how it is read from a row.
type Column = (&'static str, fn(&RowDynamics) -> f32);

/// Counts and classes are whole numbers below 2^24 in any run that ends, which f32 holds exactly.
const COLUMNS: [Column; 5] = [
    ("forgotten", |row| row.forgotten as f32),
    ("last_margin", |row| row.last_margin),
    ("right", |row| row.right as f32),
    ("rival", |row| row.rival as f32),
    ("seen", |row| row.seen as f32),
];

impl FromIterator<RowDynamics> for Dynamics {
    fn from_iter<I: IntoIterator<Item = RowDynamics>>(rows: I) -> Self {
        Self { rows: rows.into_iter().collect() }
    }
}

impl Dynamics {
    /// Of `rows` rows that have not been read yet.
    pub(crate) fn new(rows: usize) -> Self {
        Self { rows: vec![RowDynamics::default(); rows] }
    }

    /// The rows, in the order of the run's [`crate::Examples`].
    #[must_use]
    pub fn rows(&self) -> &[RowDynamics] {
        &self.rows
    }

    /// Notes what a step said of a row that it learns from.
    pub(crate) fn note(&mut self, row: usize, label: u32, logits: &[f32]) {
        if let (Some(row), Some(margin)) = (self.rows.get_mut(row), Margin::of(label, logits)) {
            row.note(margin);
        }
    }

    /// Writes the file into a checkpoint's folder.
    ///
    /// # Errors
    /// Where the system refuses.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Error> {
        let columns = COLUMNS.map(|(name, read)| (name, self.rows.iter().map(read).collect::<Vec<f32>>()));
        let shape = [self.rows.len()];
        let tensors = columns.iter().map(|(name, values)| (*name, &shape[..], &values[..]));
        Ok(write_safetensors(folder.join(FILE), &[], tensors)?)
    }

    /// Reads what [`Dynamics::write`] wrote of `rows` rows.
    ///
    /// # Errors
    /// Where the file is missing, damaged or of another number of rows.
    pub(crate) fn read(folder: &Path, rows: usize) -> Result<Self, Error> {
        let file = TensorFile::open(folder.join(FILE))?;
        let column = |name: &str| file.read_f32_shaped(name, &[rows]);
        let [forgotten, last_margin, right, rival, seen] =
            [column("forgotten")?, column("last_margin")?, column("right")?, column("rival")?, column("seen")?];
        let row = |at: usize| RowDynamics {
            seen: seen[at] as u32,
            right: right[at] as u32,
            forgotten: forgotten[at] as u32,
            rival: rival[at] as u32,
            last_margin: last_margin[at],
        };
        Ok((0..rows).map(row).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_is_to_the_closest_other_class() {
        let of = |label, logits: &[f32]| Margin::of(label, logits).map(|margin| (margin.value, margin.rival));
        assert_eq!(of(0, &[3.0, 1.0]), Some((2.0, 1)));
        assert_eq!(of(1, &[3.0, 1.0]), Some((-2.0, 0)));
        assert_eq!(of(2, &[0.5, 4.0, 1.0, 3.5]), Some((-3.0, 1)));
        assert_eq!(of(1, &[0.5, 4.0, 3.5, 3.5]), Some((0.5, 2)), "the first of equals");
        assert_eq!(of(0, &[3.0]), None, "no other class");
        assert_eq!(of(7, &[3.0, 1.0]), None, "no such class");
    }

    fn after(margins: &[f32]) -> RowDynamics {
        let mut dynamics = Dynamics::new(1);
        margins.iter().for_each(|&margin| dynamics.note(0, 1, &[0.0, margin]));
        dynamics.rows()[0]
    }

    #[test]
    fn passes_are_counted_and_forgetting_is_a_fall_from_right_to_wrong() {
        let row = after(&[-1.0, 2.0, -0.5, -0.25, 1.0, -3.0]);
        assert_eq!((row.seen, row.right, row.forgotten, row.rival), (6, 2, 2, 0));
        assert_eq!(row.last_margin, -3.0);
        assert_eq!(after(&[0.0]).right, 0, "level with another class is not right");
        assert_eq!(after(&[]), RowDynamics::default());
    }

    #[test]
    fn the_file_brings_back_every_bit() {
        let mut dynamics = Dynamics::new(5);
        for (row, label, logits) in
            [(3, 2, [0.1, -0.2, 0.3]), (0, 0, [1e-30, 2.5, -7.0]), (3, 2, [0.5, 0.25, 1.0 / 3.0])]
        {
            dynamics.note(row, label, &logits);
        }
        let folder = tempfile::tempdir().unwrap();
        dynamics.write(folder.path()).unwrap();
        assert_eq!(Dynamics::read(folder.path(), 5).unwrap(), dynamics);
        let error = Dynamics::read(folder.path(), 6).unwrap_err().to_string();
        assert!(error.contains("dynamics.safetensors") && error.contains('6'), "{error}");
        std::fs::write(folder.path().join(FILE), "cut off").unwrap();
        assert!(Dynamics::read(folder.path(), 5).is_err());
    }

    #[test]
    fn no_rows_are_a_file_too() {
        let folder = tempfile::tempdir().unwrap();
        Dynamics::new(0).write(folder.path()).unwrap();
        assert_eq!(Dynamics::read(folder.path(), 0).unwrap(), Dynamics::default());
    }
}
