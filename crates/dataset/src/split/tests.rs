//! Nothing lost, nothing parted, proportions kept.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn sizes(validation: &str, test: &str) -> SplitSizes {
    SplitSizes {
        validation_size: validation.parse().unwrap(),
        test_size: test.parse().unwrap(),
        ..SplitSizes::default()
    }
}

/// Rows that all have texts of their own.
fn split_distinct(labels: &[u32], classes: usize, sizes: &SplitSizes) -> Result<Assignment> {
    let texts: Vec<String> = (0..labels.len()).map(|row| format!("text {row}")).collect();
    split("f", &texts, labels, classes, sizes)
}

/// Rows whose texts are these numbers, in spellings that count as equal.
fn split_grouped(groups: &[u32], labels: &[u32], classes: usize, sizes: &SplitSizes) -> Result<Assignment> {
    let texts = groups.iter().enumerate().map(|(row, group)| match row % 3 {
        0 => format!("Text {group}"),
        1 => format!("text  {group}"),
        _ => format!(" TEXT {group}\n"),
    });
    split("f", &texts.collect::<Vec<_>>(), labels, classes, sizes)
}

fn counts(labels: &[u32], rows: &[usize]) -> Vec<usize> {
    let mut counts = vec![0; 3];
    rows.iter().for_each(|&row| counts[labels[row] as usize] += 1);
    counts
}

fn all(dealt: &Assignment) -> Vec<usize> {
    let mut all = [&dealt.train[..], &dealt.validation, &dealt.test].concat();
    all.sort_unstable();
    all
}

#[test]
fn every_class_is_dealt_in_proportion() {
    let labels: Vec<u32> = (0..1000).map(|row| u32::from(row % 10 == 0)).collect();
    let dealt = split_distinct(&labels, 2, &sizes("0.1", "0.2")).unwrap();
    assert_eq!(counts(&labels, &dealt.test)[..2], [180, 20]);
    assert_eq!(counts(&labels, &dealt.validation)[..2], [90, 10]);
    assert_eq!(counts(&labels, &dealt.train)[..2], [630, 70]);
    assert_eq!(dealt.notices, []);
}

#[test]
fn rows_can_be_cut_in_file_order() {
    let cut = SplitSizes { train_size: Some(Size::Count(8)), shuffle: false, ..sizes("2", "9") };
    let dealt = split_grouped(&[0; 20], &[0; 20], 1, &cut).unwrap();
    assert_eq!(dealt.train, (0..8).collect::<Vec<_>>());
    assert_eq!((dealt.validation, dealt.test), ((8..10).collect(), (10..19).collect()));
    assert_eq!(dealt.notices, [Notice::UnusedRows { count: 1 }]);
}

#[test]
fn sizes_that_do_not_fit_are_errors() {
    for (validation, test) in [("10", "10"), ("0.6", "0.5"), ("30", "0")] {
        assert!(split_distinct(&[0; 20], 1, &sizes(validation, test)).is_err(), "{validation} {test}");
    }
    let too_many = SplitSizes { train_size: Some(Size::Count(20)), ..sizes("1", "0") };
    assert!(split_distinct(&[0; 20], 1, &too_many).is_err());
    let one_each: Vec<u32> = (0..20).collect();
    let error = split_distinct(&one_each, 20, &sizes("1", "0")).unwrap_err().to_string();
    assert!(error.ends_with("1 rows for validation cannot be had while every class keeps one to train on"), "{error}");
}

#[test]
fn seeds_decide_and_repeat() {
    let labels: Vec<u32> = (0..100).map(|row| row % 3).collect();
    let with = |seed| split_distinct(&labels, 3, &SplitSizes { seed, ..sizes("0.1", "0.1") }).unwrap();
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

#[test]
fn rows_without_equal_texts_are_dealt_as_they_always_were() {
    // Figures of the dealing of single rows as it was before rows of equal text were kept together.
    let labels: Vec<u32> = (0..60u32).map(|row| [2, 1, 0, 0, 1, 0, 0][row as usize % 7]).collect();
    let dealt =
        split_distinct(&labels, 3, &SplitSizes { train_size: Some(Size::Count(20)), ..sizes("6", "12") }).unwrap();
    assert_eq!(dealt.test, [3, 4, 14, 17, 21, 24, 27, 30, 32, 36, 45, 58]);
    assert_eq!(dealt.validation, [2, 6, 15, 18, 33, 56]);
    assert_eq!(dealt.train, [0, 7, 8, 9, 20, 22, 25, 26, 29, 31, 34, 38, 46, 48, 49, 51, 52, 53, 54, 59]);

    // And many more, as one hash (FNV-1a over the positions).
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |value: u64| hash = (hash ^ value).wrapping_mul(0x0100_0000_01b3);
    for seed in 0..200 {
        let (rows, classes) = (3 + (seed as usize * 37) % 400, 2 + seed % 5);
        let labels: Vec<u32> = (0..rows as u64).map(|row| ((row * row + seed * row) % 11 % classes) as u32).collect();
        let sizes = SplitSizes {
            train_size: (seed % 3 == 0).then_some(Size::Count(rows / 3 + 1)),
            validation_size: Size::Count(rows / 10),
            test_size: Size::Count(rows / 5),
            seed,
            ..SplitSizes::default()
        };
        let dealt = split_distinct(&labels, classes as usize, &sizes).unwrap_or_default();
        for part in [dealt.train, dealt.validation, dealt.test] {
            part.into_iter().for_each(|row| add(row as u64));
            add(1 << 40);
        }
    }
    assert_eq!(hash, 0x13a4_368f_bc0c_888b);
}

#[test]
fn equal_texts_may_be_dealt_apart() {
    let groups: Vec<u32> = (0..100).map(|row| row / 2).collect();
    let apart = SplitSizes { duplicates: Duplicates::Apart, ..sizes("0.1", "0.1") };
    let labels = [0; 100];
    assert_eq!(split_grouped(&groups, &labels, 1, &apart).unwrap(), split_distinct(&labels, 1, &apart).unwrap());
    let together = SplitSizes { duplicates: Duplicates::Together, ..apart };
    let dealt = split_grouped(&groups, &labels, 1, &together).unwrap();
    assert!(dealt.test.chunks(2).all(|pair| pair[0] + 1 == pair[1] && pair[0] % 2 == 0), "{:?}", dealt.test);
}

#[test]
fn sizes_that_equal_texts_do_not_allow_are_missed_by_little_and_told() {
    // Every text occurs four times: ten rows are two units and a half.
    let groups: Vec<u32> = (0..100).map(|row| row / 4).collect();
    let dealt = split_grouped(&groups, &[0; 100], 1, &sizes("11", "10")).unwrap();
    assert_eq!((dealt.test.len(), dealt.validation.len(), dealt.train.len()), (8, 12, 80));
    let missed = |split, asked, rows| Notice::SizeMissed { split, asked, rows };
    assert_eq!(dealt.notices, [missed("validation", 11, 12), missed("test", 10, 8)]);
    let told = "test has 8 rows where 10 were asked for, because rows of equal text are kept together";
    assert_eq!(dealt.notices[1].to_string(), told);
}

#[test]
fn one_text_alone_cannot_be_split_and_says_what_can_be_done() {
    let error = split_grouped(&[0; 50], &[0; 50], 1, &sizes("0", "0.1")).unwrap_err().to_string();
    assert!(error.ends_with("kept together, unless you say --split-duplicates apart"), "{error}");
    let apart = SplitSizes { duplicates: Duplicates::Apart, ..sizes("0", "0.1") };
    assert_eq!(split_grouped(&[0; 50], &[0; 50], 1, &apart).unwrap().test.len(), 5);
}

#[test]
fn a_class_that_only_shares_texts_is_learnt_from() {
    // Class 2 has one row, whose text two rows of class 0 have too.
    let mut groups: Vec<u32> = (0..60).collect();
    let mut labels: Vec<u32> = (0..60).map(|row| row % 2).collect();
    groups.extend([60, 60, 60]);
    labels.extend([0, 0, 2]);
    for seed in 0..50 {
        let few = SplitSizes { train_size: Some(Size::Count(10)), seed, ..sizes("0.3", "0.3") };
        for sizes in [few, SplitSizes { seed, ..sizes("0.4", "0.4") }] {
            let dealt = split_grouped(&groups, &labels, 3, &sizes).unwrap();
            assert!(counts(&labels, &dealt.train).iter().all(|count| *count > 0), "{:?}", dealt.train);
        }
    }
}

/// Rows of up to `most` texts; equal texts have mixed labels, but mostly one.
fn grouped_rows(most: u32) -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
    prop::collection::vec((0..most, 0u32..3, 0u32..10), 2..200).prop_map(|rows| {
        let label = |(group, label, odd): (u32, u32, u32)| if odd == 0 { label } else { group % 3 };
        (rows.iter().map(|row| row.0).collect(), rows.iter().map(|row| label(*row)).collect())
    })
}

proptest! {
    #[test]
    fn dealing_loses_nothing_and_keeps_proportions(
        labels in prop::collection::vec(0u32..3, 1..200), validation in 0usize..40, test in 0usize..40, seed: u64,
    ) {
        let sizes = SplitSizes { validation_size: Size::Count(validation), test_size: Size::Count(test), seed, ..SplitSizes::default() };
        let weights = counts(&labels, &(0..labels.len()).collect::<Vec<_>>());
        let room: usize = weights.iter().map(|count| count.saturating_sub(1)).sum();
        let Ok(dealt) = split_distinct(&labels, 3, &sizes) else {
            prop_assert!(validation + test > room, "refused although there is room");
            return Ok(());
        };
        prop_assert_eq!(all(&dealt), (0..labels.len()).collect::<Vec<_>>());
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
    fn no_text_is_parted_and_no_row_is_lost(
        (groups, labels) in grouped_rows(80), validation in 0usize..40, test in 0usize..40,
        train in prop::option::of(1usize..60), seed: u64,
    ) {
        let sizes = SplitSizes {
            train_size: train.map(Size::Count),
            validation_size: Size::Count(validation),
            test_size: Size::Count(test),
            seed,
            ..SplitSizes::default()
        };
        let Ok(dealt) = split_grouped(&groups, &labels, 3, &sizes) else { return Ok(()) };
        let parts = [&dealt.train, &dealt.validation, &dealt.test];
        let mut split_of = HashMap::new();
        for (part, rows) in parts.into_iter().enumerate() {
            prop_assert!(rows.is_sorted());
            for &row in rows {
                prop_assert_eq!(*split_of.entry(groups[row]).or_insert(part), part, "text {} is parted", groups[row]);
            }
        }
        let mut distinct = all(&dealt);
        distinct.dedup();
        prop_assert_eq!(distinct.len(), parts.iter().map(|rows| rows.len()).sum::<usize>(), "a row is dealt once");
        if train.is_none() {
            prop_assert_eq!(distinct.len(), labels.len());
            let (all, learnt) = (counts(&labels, &distinct), counts(&labels, &dealt.train));
            prop_assert!((0..3).all(|class| all[class] == 0 || learnt[class] > 0), "{learnt:?} of {all:?}");
        }
        prop_assert_eq!(split_grouped(&groups, &labels, 3, &sizes).unwrap(), dealt);
    }

    #[test]
    fn sizes_are_missed_by_less_than_the_largest_text(
        (groups, labels) in grouped_rows(80), validation in 0usize..20, test in 0usize..20, seed: u64,
    ) {
        let sizes = SplitSizes { validation_size: Size::Count(validation), test_size: Size::Count(test), seed, ..SplitSizes::default() };
        let Ok(dealt) = split_grouped(&groups, &labels, 3, &sizes) else { return Ok(()) };
        let largest = (0..80).map(|text| groups.iter().filter(|group| **group == text).count()).max().unwrap();
        for (asked, dealt) in [(test, dealt.test.len()), (validation, dealt.validation.len())] {
            prop_assert!(asked.abs_diff(dealt) < largest.max(1), "{dealt} rows for {asked}, texts of up to {largest}");
        }
    }

    #[test]
    fn shares_of_classes_are_kept_where_texts_are_small(pairs in prop::collection::vec(0u32..3, 100..200), seed: u64) {
        // Every text twice.
        let groups: Vec<u32> = (0..2 * pairs.len() as u32).map(|row| row / 2).collect();
        let labels: Vec<u32> = groups.iter().map(|&group| pairs[group as usize]).collect();
        let dealt = split_grouped(&groups, &labels, 3, &SplitSizes { seed, ..sizes("0.1", "0.2") }).unwrap();
        let all = counts(&labels, &(0..labels.len()).collect::<Vec<_>>());
        let tested = counts(&labels, &dealt.test);
        for class in 0..3 {
            let share = all[class] as f64 * 0.2;
            // The remainder, a text that does not fit, and what other classes could not fill.
            prop_assert!((tested[class] as f64 - share).abs() < 5.0, "{tested:?} of {all:?}");
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
