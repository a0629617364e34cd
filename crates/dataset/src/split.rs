//! Dealing rows out to train, validation and test, and sampling from them.
//!
//! Everything here works on class ids and gives back row positions in file order. Where rows that belong together (equal
//! texts, one author) must not be parted, a unit of dealing would be a group instead of a row: `deal` is the place.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::{Error, Permutation, Result, Size};

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
        fault(format!("{wanted} rows for {role} cannot be had while every class keeps one to train on"))
    };
    let test = pool.deal(test, 1, 0).ok_or_else(|| too_few("test", test))?;
    let validation = pool.deal(validation, 1, 0).ok_or_else(|| too_few("validation", validation))?;
    let train = match train == left {
        true => pool.rest(),
        false => pool.deal(train, 0, 1).ok_or_else(|| too_few("training", train))?,
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
    pool.deal(count, 0, 1).unwrap_or_default()
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

    /// `count` rows in proportion, every class keeping `reserve` and giving `least` if it can; `None` when that cannot be.
    fn deal(&mut self, count: usize, reserve: usize, least: usize) -> Option<Vec<usize>> {
        let room: Vec<usize> = self.classes.iter().map(|rows| rows.len().saturating_sub(reserve)).collect();
        let shares = apportion(count, &self.weights, &room, least)?;
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

/// `count` seats by largest remainder: no class above its room, and each with `least` while that can be for all.
fn apportion(count: usize, weights: &[usize], room: &[usize], least: usize) -> Option<Vec<usize>> {
    if count > room.iter().sum() {
        return None;
    }
    let total = weights.iter().sum::<usize>().max(1) as u128;
    let exact = |class: usize| count as u128 * weights[class] as u128;
    let classes = 0..weights.len();
    let least = if room.iter().map(|room| least.min(*room)).sum::<usize>() <= count { least } else { 0 };
    let mut seats: Vec<usize> =
        classes.clone().map(|class| room[class].min(least.max((exact(class) / total) as usize))).collect();
    let mut given: usize = seats.iter().sum();

    // What small classes were given beyond their share is taken from the largest.
    while given > count {
        let largest = classes.clone().max_by_key(|&class| (seats[class], class))?;
        seats[largest] -= 1;
        given -= 1;
    }
    let mut order: Vec<usize> = classes.collect();
    order.sort_by_key(|&class| (Reverse((exact(class) % total, weights[class])), class));
    // Full classes leave seats over: they go round until all are given, which `count <= room` guarantees.
    while given < count {
        for &class in &order {
            if given < count && seats[class] < room[class] {
                seats[class] += 1;
                given += 1;
            }
        }
    }
    Some(seats)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sizes(validation: &str, test: &str) -> SplitSizes {
        SplitSizes {
            validation_size: validation.parse().unwrap(),
            test_size: test.parse().unwrap(),
            ..SplitSizes::default()
        }
    }

    fn counts(labels: &[u32], rows: &[usize]) -> Vec<usize> {
        let mut counts = vec![0; 3];
        rows.iter().for_each(|&row| counts[labels[row] as usize] += 1);
        counts
    }

    #[test]
    fn every_class_is_dealt_in_proportion() {
        let labels: Vec<u32> = (0..1000).map(|row| u32::from(row % 10 == 0)).collect();
        let dealt = split("f", &labels, 2, &sizes("0.1", "0.2")).unwrap();
        assert_eq!(counts(&labels, &dealt.test)[..2], [180, 20]);
        assert_eq!(counts(&labels, &dealt.validation)[..2], [90, 10]);
        assert_eq!(counts(&labels, &dealt.train)[..2], [630, 70]);
        assert_eq!(dealt.unused, 0);
    }

    #[test]
    fn rows_can_be_cut_in_file_order() {
        let cut = SplitSizes { train_size: Some(Size::Count(8)), shuffle: false, ..sizes("2", "9") };
        let dealt = split("f", &[0; 20], 1, &cut).unwrap();
        assert_eq!((dealt.train, dealt.unused), ((0..8).collect(), 1));
        assert_eq!((dealt.validation, dealt.test), ((8..10).collect(), (10..19).collect()));
    }

    #[test]
    fn sizes_that_do_not_fit_are_errors() {
        for (validation, test) in [("10", "10"), ("0.6", "0.5"), ("30", "0")] {
            assert!(split("f", &[0; 20], 1, &sizes(validation, test)).is_err(), "{validation} {test}");
        }
        let too_many = SplitSizes { train_size: Some(Size::Count(20)), ..sizes("1", "0") };
        assert!(split("f", &[0; 20], 1, &too_many).is_err());
        let one_each: Vec<u32> = (0..20).collect();
        assert!(split("f", &one_each, 20, &sizes("1", "0")).is_err());
    }

    #[test]
    fn seeds_decide_and_repeat() {
        let labels: Vec<u32> = (0..100).map(|row| row % 3).collect();
        let with = |seed| split("f", &labels, 3, &SplitSizes { seed, ..sizes("0.1", "0.1") }).unwrap();
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
    }

    #[test]
    fn a_sample_keeps_small_classes() {
        let mut labels = vec![0; 1000];
        labels.extend([1, 2]);
        assert_eq!(counts(&labels, &sample(&labels, 3, 3, 42, 1)), [1, 1, 1]);
        assert_eq!(counts(&labels, &sample(&labels, 3, 100, 42, 1)), [98, 1, 1]);
        assert_eq!(sample(&labels, 3, 2, 42, 1).len(), 2);
        assert_eq!(sample(&labels, 3, 5000, 42, 1).len(), 1002);
        assert_ne!(sample(&labels, 3, 100, 42, 1), sample(&labels, 3, 100, 42, 2));
    }

    proptest! {
        #[test]
        fn dealing_loses_nothing_and_keeps_proportions(
            labels in prop::collection::vec(0u32..3, 1..200), validation in 0usize..40, test in 0usize..40, seed: u64,
        ) {
            let sizes = SplitSizes { validation_size: Size::Count(validation), test_size: Size::Count(test), seed, ..SplitSizes::default() };
            let weights = counts(&labels, &(0..labels.len()).collect::<Vec<_>>());
            let room: usize = weights.iter().map(|count| count.saturating_sub(1)).sum();
            let Ok(dealt) = split("f", &labels, 3, &sizes) else {
                prop_assert!(validation + test > room, "refused although there is room");
                return Ok(());
            };
            let mut all = [&dealt.train[..], &dealt.validation, &dealt.test].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            prop_assert_eq!((dealt.validation.len(), dealt.test.len()), (validation, test));
            let (tested, trained) = (counts(&labels, &dealt.test), counts(&labels, &dealt.train));
            for class in 0..3 {
                prop_assert!(weights[class] == 0 || trained[class] > 0);
                // Where no class was too small to give its share, shares are exact up to the remainder.
                let share = test as f64 * weights[class] as f64 / labels.len() as f64;
                if weights.iter().all(|weight| test * weight / labels.len() + 2 <= *weight) {
                    prop_assert!((tested[class] as f64 - share).abs() < 1.0, "{} for {share}", tested[class]);
                }
            }
        }

        #[test]
        fn a_sample_is_as_large_as_asked(labels in prop::collection::vec(0u32..3, 1..100), count in 0usize..120, seed: u64) {
            let rows = sample(&labels, 3, count, seed, 1);
            prop_assert_eq!(rows.len(), count.min(labels.len()));
            prop_assert!(rows.is_sorted() && rows.windows(2).all(|pair| pair[0] != pair[1]));
            let had = counts(&labels, &(0..labels.len()).collect::<Vec<_>>());
            if count >= 3 {
                let got = counts(&labels, &rows);
                prop_assert!((0..3).all(|class| had[class] == 0 || got[class] > 0));
            }
        }
    }
}
