//! Dealing rows out to train, validation and test, and sampling from them.
//!
//! Everything here works on class ids and gives back row positions in file order. Where rows that belong together (equal
//! texts, one author) must not be parted, a unit of dealing would be a group instead of a row: `deal` is the place.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Permutation, Result};

/// How large a split is: a share of the rows, or a number of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    /// Between 0 and 1, rounded up to whole rows.
    Share(f64),
    /// As many rows; 0 for none.
    Count(usize),
}

impl Size {
    /// How many of `rows` rows it asks for.
    pub fn of(self, rows: usize) -> usize {
        match self {
            Self::Count(count) => count,
            // 0.1 of 30 rows is 3.0000000000000004 in floating point, which must not become 4.
            Self::Share(share) => ((share * rows as f64) * (1.0 - 4.0 * f64::EPSILON)).ceil() as usize,
        }
    }

    /// Whether it asks for nothing.
    pub fn is_zero(self) -> bool {
        self == Self::Count(0)
    }
}

impl FromStr for Size {
    type Err = Error;

    /// A number with a point is a share, one without is a count.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if let Ok(count) = text.parse() {
            return Ok(Self::Count(count));
        }
        match text.parse::<f64>() {
            Ok(0.0) => Ok(Self::Count(0)),
            Ok(share) if share > 0.0 && share < 1.0 => Ok(Self::Share(share)),
            _ => Err(Error::Size { got: text.to_owned() }),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => write!(f, "{share}"),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Share(share) => serializer.serialize_f64(*share),
            Self::Count(count) => serializer.serialize_u64(*count as u64),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Count(usize),
            Share(f64),
            Text(String),
        }
        let text = match Raw::deserialize(deserializer)? {
            Raw::Count(count) => return Ok(Self::Count(count)),
            Raw::Share(share) => format!("{share:?}"),
            Raw::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

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
            seed: 42,
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
    /// How many rows are in none of them.
    pub unused: usize,
}

/// Splits the rows of `file`, of which `labels` are the class ids.
///
/// # Errors
/// When the sizes ask for more rows than there are, or leave training none, or a class too few.
pub fn split(file: &str, labels: &[u32], classes: usize, sizes: &SplitSizes) -> Result<Assignment> {
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
    if !sizes.shuffle {
        return Ok(Assignment {
            train: (0..train).collect(),
            validation: (train..train + validation).collect(),
            test: (train + validation..train + validation + test).collect(),
            unused: left - train,
        });
    }
    let mut pool = Pool::new(labels, classes, sizes.seed);
    let too_few = |role: &str, wanted: usize| {
        fault(format!("{wanted} rows for {role} cannot be had while every class keeps a row to train on"))
    };
    let test = pool.deal(test, 1).ok_or_else(|| too_few("test", test))?;
    let validation = pool.deal(validation, 1).ok_or_else(|| too_few("validation", validation))?;
    let train = match train == left {
        true => pool.rest(),
        false => pool.deal(train, 0).ok_or_else(|| too_few("training", train))?,
    };
    let unused = rows - train.len() - validation.len() - test.len();
    Ok(Assignment { train, validation, test, unused })
}

/// A sample of at most `count` rows, every class in proportion and none lost while there is room for it.
///
/// `stream` keeps samples of several splits under one seed independent.
pub fn sample(labels: &[u32], classes: usize, count: usize, seed: u64, stream: u64) -> Vec<usize> {
    if count >= labels.len() {
        return (0..labels.len()).collect();
    }
    let mut pool = Pool::new(labels, classes, seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    pool.deal(count, 0).unwrap_or_default()
}

/// Rows by class, each class in a random order, that are dealt out from the end.
struct Pool {
    classes: Vec<Vec<usize>>,
    /// How many rows each class had at first: the proportions.
    weights: Vec<usize>,
}

impl Pool {
    fn new(labels: &[u32], classes: usize, seed: u64) -> Self {
        let mut by_class = vec![Vec::new(); classes];
        for (row, &label) in labels.iter().enumerate() {
            by_class[label as usize].push(row);
        }
        let shuffled = by_class.iter().enumerate().map(|(class, rows)| {
            let order = Permutation::new(rows.len(), seed, class as u64);
            order.iter().map(|position| rows[position]).collect()
        });
        Self { classes: shuffled.collect(), weights: by_class.iter().map(Vec::len).collect() }
    }

    /// `count` rows in proportion, of which every class keeps `reserve`; `None` when that cannot be.
    fn deal(&mut self, count: usize, reserve: usize) -> Option<Vec<usize>> {
        let room: Vec<usize> = self.classes.iter().map(|rows| rows.len().saturating_sub(reserve)).collect();
        let shares = apportion(count, &self.weights, &room)?;
        let mut rows: Vec<usize> = Vec::with_capacity(count);
        for (class, share) in self.classes.iter_mut().zip(shares) {
            rows.extend(class.drain(class.len() - share..));
        }
        rows.sort_unstable();
        Some(rows)
    }

    fn rest(self) -> Vec<usize> {
        let mut rows: Vec<usize> = self.classes.into_iter().flatten().collect();
        rows.sort_unstable();
        rows
    }
}

/// `count` seats by largest remainder, no class above its room, and, while there are seats enough, each with room one.
fn apportion(count: usize, weights: &[usize], room: &[usize]) -> Option<Vec<usize>> {
    if count > room.iter().sum() {
        return None;
    }
    let total = weights.iter().sum::<usize>().max(1) as u128;
    let exact = |class: usize| count as u128 * weights[class] as u128;
    let mut seats: Vec<usize> =
        (0..weights.len()).map(|class| room[class].min((exact(class) / total) as usize)).collect();
    let mut left = count - seats.iter().sum::<usize>();

    // Classes too small for a whole seat come first, so that a sample loses none of them; then by remainder, then by size.
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&class| {
        let without = seats[class] == 0;
        (!without, std::cmp::Reverse((exact(class) % total, weights[class])), class)
    });
    // Capped classes leave seats over: they go round until all are given, which `count <= room` guarantees.
    while left > 0 {
        for &class in &order {
            if left > 0 && seats[class] < room[class] {
                seats[class] += 1;
                left -= 1;
            }
        }
    }
    Some(seats)
}
