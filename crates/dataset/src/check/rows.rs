//! All rows of a data set in one line: those of train, then of validation, then of test.

use std::ops::Range;

use serde::Serialize;

use super::finding::{Spot, excerpt};
use crate::{Dataset, Split};

/// What a split is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Its rows are learnt from.
    Train,
    /// Its rows choose the best model.
    Validation,
    /// Its rows are reported on.
    Test,
}

impl Role {
    /// In the order in which a model meets them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// As it stands before "row": "training".
    pub(super) fn adjective(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The splits that come before it: those that its rows should not have been seen in.
    pub(super) fn before(self) -> &'static [Self] {
        &Self::ALL[..self as usize]
    }
}

/// Rows by their number in the line.
pub(super) struct Rows<'a> {
    dataset: &'a Dataset,
    splits: [Option<&'a Split>; 3],
    /// Where each split begins, and the end.
    starts: [usize; 4],
}

impl<'a> Rows<'a> {
    pub(super) fn new(dataset: &'a Dataset) -> Self {
        let splits = [Some(&dataset.train), dataset.validation.as_ref(), dataset.test.as_ref()];
        let mut starts = [0; 4];
        for (at, split) in splits.iter().enumerate() {
            starts[at + 1] = starts[at] + split.map_or(0, Split::len);
        }
        Self { dataset, splits, starts }
    }

    pub(super) fn len(&self) -> usize {
        self.starts[3]
    }

    /// The splits there are.
    pub(super) fn splits(&self) -> impl Iterator<Item = (Role, &'a Split)> {
        Role::ALL.into_iter().zip(self.splits).filter_map(|(role, split)| Some((role, split?)))
    }

    pub(super) fn range(&self, role: Role) -> Range<usize> {
        self.starts[role as usize]..self.starts[role as usize + 1]
    }

    /// The split of a row, and its position there.
    pub(super) fn place(&self, row: usize) -> (Role, usize) {
        let role = if row < self.starts[1] {
            Role::Train
        } else if row < self.starts[2] {
            Role::Validation
        } else {
            Role::Test
        };
        (role, row - self.starts[role as usize])
    }

    fn split(&self, role: Role) -> &'a Split {
        // A split without rows has none to be asked for.
        self.splits[role as usize].unwrap_or(&self.dataset.train)
    }

    pub(super) fn text(&self, row: usize) -> &'a str {
        let (role, position) = self.place(row);
        self.split(role).texts.text(position)
    }

    /// How many bytes a row's text has.
    pub(super) fn size(&self, row: usize) -> usize {
        let (role, position) = self.place(row);
        self.split(role).texts.size(position)
    }

    pub(super) fn label(&self, row: usize) -> u32 {
        let (role, position) = self.place(row);
        self.split(role).labels[position]
    }

    /// A row as an example shows it.
    pub(super) fn spot(&self, row: usize) -> Spot {
        let (role, position) = self.place(row);
        let split = self.split(role);
        Spot {
            split: role,
            file: split.file(position).to_owned(),
            row: split.row(position),
            label: self.dataset.labels.name(split.labels[position]).unwrap_or_default().to_owned(),
            text: excerpt(split.texts.text(position)),
        }
    }

    /// The names of the classes.
    pub(super) fn classes(&self) -> &'a [String] {
        self.dataset.labels.names()
    }
}
