//! What is not wrong but should be said of how rows were loaded. What the rows themselves are like is for
//! [`mod@crate::check`].

use std::fmt;

/// What the user should be told although nothing is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
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
    /// A split that is larger or smaller than asked, because equal texts stay together.
    SizeMissed {
        /// Which rows.
        split: &'static str,
        /// How many were asked for.
        asked: usize,
        /// How many there are.
        rows: usize,
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
            Self::LabelsAreIds { names } => {
                let ids: Vec<String> = names.iter().enumerate().map(|(id, name)| format!("{id} is {name}")).collect();
                write!(f, "the labels are read as the model's ids: {}", ids.join(", "))
            }
            Self::UnusedRows { count } => write!(f, "rows in no split: {count}"),
            Self::SizeMissed { split, asked, rows } => write!(
                f,
                "{split} has {rows} rows where {asked} were asked for, because rows of equal text are kept together"
            ),
            Self::SampleOfAll { split, asked, rows } => {
                write!(f, "{asked} {split} rows were asked for, all {rows} are used")
            }
        }
    }
}
