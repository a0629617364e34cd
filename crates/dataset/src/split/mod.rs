//! Dealing rows out to train, validation and test, and sampling from them.
//!
//! Everything here works on class ids and texts and gives back row positions in file order. Texts matter only where equal
//! ones are kept together: what is dealt, and how many of each class, is for `pool`.

mod pool;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Notice, Result, Size, TextList, same_text};
use pool::Pool;

/// How one file is split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SplitSizes {
    /// `None`: all rows that the others leave.
    pub train_size: Option<Size>,
    /// Rows to choose the best model by.
    pub validation_size: Size,
    /// Rows to report on.
    pub test_size: Size,
    /// Whether rows are dealt out at random, every class in proportion; otherwise the file is cut into train, validation
    /// and test in its own order.
    pub shuffle: bool,
    /// Whether rows of equal text may come into different splits when they are dealt out at random.
    pub duplicates: Duplicates,
    /// What the dealing and the sampling depend on.
    pub seed: u64,
}

impl Default for SplitSizes {
    fn default() -> Self {
        Self {
            train_size: None,
            validation_size: Size::Share(0.1),
            test_size: Size::Share(0.1),
            shuffle: true,
            duplicates: Duplicates::Together,
            seed: 42,
        }
    }
}

/// What becomes of rows whose texts are the same but for case, blanks and Unicode form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Duplicates {
    /// They come into one split, so that no row is reported on whose text was learnt from.
    #[default]
    Together,
    /// Each is dealt by itself.
    Apart,
}

impl Duplicates {
    /// How they are spelled.
    pub const WORDS: [&'static str; 2] = ["together", "apart"];
}

impl FromStr for Duplicates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "together" => Ok(Self::Together),
            "apart" => Ok(Self::Apart),
            _ => Err(format!("expected together or apart, got {text:?}")),
        }
    }
}

/// Positions of rows, each list in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assignment {
    /// Rows to learn from.
    pub train: Vec<usize>,
    /// Rows to choose by.
    pub validation: Vec<usize>,
    /// Rows to report on.
    pub test: Vec<usize>,
    /// What is not as asked: rows in none of them, and sizes that equal texts did not allow.
    pub notices: Vec<Notice>,
}

/// Splits the rows of `file`, of which `labels` are the class ids.
///
/// # Errors
/// When the sizes ask for more rows than there are, or leave training none, or a class too few.
pub fn split<T: TextList + ?Sized>(
    file: &str,
    texts: &T,
    labels: &[u32],
    classes: usize,
    sizes: &SplitSizes,
) -> Result<Assignment> {
    let rows = labels.len();
    let fault = |reason: String| Error::Split { file: file.to_owned(), rows, reason };
    let (validation, test) = (sizes.validation_size.of(rows), sizes.test_size.of(rows));
    let left = rows
        .checked_sub(validation + test)
        .filter(|left| *left > 0)
        .ok_or_else(|| fault(format!("{validation} rows for validation and {test} for test leave none to train on")))?;
    let train = sizes.train_size.map_or(left, |size| match size {
        // What is left after rounding the others up is what a share that fills the rest means.
        Size::Share(_) => size.of(rows).min(left),
        Size::Count(count) => count,
    });
    if train > left || train == 0 {
        return Err(fault(format!("{train} rows for training, {validation} for validation and {test} for test")));
    }
    let assignment = match sizes.shuffle && train < rows {
        true => {
            let units = match sizes.duplicates {
                Duplicates::Together => same_text::groups(texts),
                Duplicates::Apart => single(rows),
            };
            let pool = Pool::new(labels, &units, classes, sizes.seed);
            deal(pool, [train, validation, test], train == left).map_err(fault)?
        }
        false => Assignment {
            train: (0..train).collect(),
            validation: (train..train + validation).collect(),
            test: (train + validation..train + validation + test).collect(),
            notices: Vec::new(),
        },
    };
    Ok(assignment.with_notices(rows, [train, validation, test], train == left))
}

fn deal(mut pool: Pool<'_>, sizes: [usize; 3], train_is_rest: bool) -> Result<Assignment, String> {
    let [train, validation, test] = sizes;
    let hint = match pool.has_groups() {
        true => "; rows of equal text are kept together, unless you say --split-duplicates apart",
        false => "",
    };
    let too_few = |role: &str, wanted: usize| {
        format!("{wanted} rows for {role} cannot be had while every class keeps one to train on{hint}")
    };
    let test = pool.deal(test).ok_or_else(|| too_few("test", test))?;
    let validation = pool.deal(validation).ok_or_else(|| too_few("validation", validation))?;
    let train = match train_is_rest {
        true => pool.rest(),
        false => pool.deal_to_train(train).ok_or_else(|| too_few("training", train))?,
    };
    Ok(Assignment { train, validation, test, notices: Vec::new() })
}

impl Assignment {
    fn with_notices(mut self, rows: usize, [train, validation, test]: [usize; 3], train_is_rest: bool) -> Self {
        let unused = rows - self.train.len() - self.validation.len() - self.test.len();
        if unused > 0 {
            self.notices.push(Notice::UnusedRows { count: unused });
        }
        let parts =
            [("train", train, &self.train), ("validation", validation, &self.validation), ("test", test, &self.test)];
        for (split, asked, dealt) in parts.into_iter().skip(usize::from(train_is_rest)) {
            if asked != dealt.len() {
                self.notices.push(Notice::SizeMissed { split, asked, rows: dealt.len() });
            }
        }
        self
    }
}

/// Every row a unit of its own.
fn single(rows: usize) -> Vec<u32> {
    (0..rows as u32).collect()
}

/// A sample of at most `count` rows, every class in proportion and none lost while there is room for it.
///
/// `stream` keeps samples of several splits under one seed independent.
pub fn sample(labels: &[u32], classes: usize, count: usize, seed: u64, stream: u64) -> Vec<usize> {
    if count >= labels.len() {
        return (0..labels.len()).collect();
    }
    let seed = seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Pool::new(labels, &single(labels.len()), classes, seed).deal_to_train(count).unwrap_or_default()
}

#[cfg(test)]
mod tests;
