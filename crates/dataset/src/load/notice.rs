//! What is not wrong but should be said.

use std::fmt;

/// What the user should be told although nothing is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Texts with nothing but blanks, which are kept.
    EmptyTexts {
        /// Which rows: "train", "validation" or "test".
        split: &'static str,
        /// How many.
        count: usize,
    },
    /// Texts that training rows have too, to the letter: they flatter the score.
    SharedTexts {
        /// Which rows: "validation" or "test".
        split: &'static str,
        /// How many.
        count: usize,
    },
    /// Integer labels that were taken for the ids of a model's classes.
    LabelsAreIds {
        /// The classes in the order of their ids.
        names: Vec<String>,
    },
    /// Rows that the sizes leave over.
    UnusedRows {
        /// How many.
        count: usize,
    },
    /// Classes that no training row has.
    UntrainedClasses {
        /// Their names.
        names: Vec<String>,
    },
    /// A sample was asked for that is larger than what there is.
    SampleOfAll {
        /// Which rows.
        split: &'static str,
        /// How many were asked for.
        asked: usize,
        /// How many there are.
        rows: usize,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyTexts { split, count } => write!(f, "empty texts in {split}, which are kept: {count}"),
            Self::SharedTexts { split, count } => write!(f, "rows of {split} whose text is in train too: {count}"),
            Self::LabelsAreIds { names } => {
                let ids: Vec<String> = names.iter().enumerate().map(|(id, name)| format!("{id} is {name}")).collect();
                write!(f, "the labels are read as the model's ids: {}", ids.join(", "))
            }
            Self::UnusedRows { count } => write!(f, "rows in no split: {count}"),
            Self::UntrainedClasses { names } => {
                write!(f, "no training row has the label {}", crate::error::list(names))
            }
            Self::SampleOfAll { split, asked, rows } => {
                write!(f, "{asked} {split} rows were asked for, all {rows} are used")
            }
        }
    }
}
