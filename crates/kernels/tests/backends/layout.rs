//! How a batch is cut into pieces.

use std::ops::Range;

use proptest::prelude::*;

use crate::numbers::{numbered, pack};

/// What one product of a weight's gradient adds up in f32, which no piece may cut.
const GROUP_ROWS: usize = 256;

/// The first text of each piece, and the one behind it.
fn pieces(lengths: &[usize], limit: usize) -> Vec<(usize, usize)> {
    pack(&numbered(lengths)).pieces(limit).into_iter().map(|texts| (texts.start, texts.end)).collect()
}

#[test]
fn short_texts_share_a_piece() {
    assert_eq!(pieces(&[100, 100, 50], 2048), [(0, 3)]);
    // Groups are texts 0 and 1, 2 and 3, 4: a piece of 256 rows holds one of them, one of 450 two.
    let lengths = [100, 150, 100, 100, 200];
    assert_eq!(pieces(&lengths, 256), [(0, 2), (2, 4), (4, 5)]);
    assert_eq!(pieces(&lengths, 450), [(0, 4), (4, 5)]);
    assert_eq!(pieces(&lengths, 449), [(0, 2), (2, 5)]);
    assert_eq!(pieces(&lengths, 650), [(0, 5)]);
}

#[test]
fn long_texts_stay_whole() {
    assert_eq!(pieces(&[513], 256), [(0, 1)]);
    assert_eq!(pieces(&[10, 513, 10], 256), [(0, 1), (1, 2), (2, 3)]);
    assert_eq!(pieces(&[10, 513, 10], 523), [(0, 2), (2, 3)]);
    assert_eq!(pieces(&[300, 300, 300], 1), [(0, 1), (1, 2), (2, 3)]);
    // All of a long text counts, not its first group alone.
    assert_eq!(pieces(&[130, 334], 391), [(0, 1), (1, 2)]);
    assert_eq!(pieces(&[130, 334], 464), [(0, 2)]);
}

#[test]
fn texts_without_rows_go_along() {
    assert_eq!(pieces(&[0, 200, 0, 200, 0], 256), [(0, 2), (2, 5)]);
    assert_eq!(pieces(&[0, 0, 300, 0, 0, 300, 0, 0], 300), [(0, 3), (3, 8)]);
    assert_eq!(pieces(&[0, 0], 256), []);
}

#[test]
fn a_slice_is_the_batch_of_its_texts() {
    let texts = numbered(&[3, 0, 5, 1, 0, 300]);
    let layout = pack(&texts);
    for start in 0..=texts.len() {
        for end in start..=texts.len() {
            let slice = layout.slice(start..end);
            assert_eq!(slice, pack(&texts[start..end]), "texts {start}..{end}");
            let first_row = layout.range(start.min(texts.len() - 1)).start;
            for row in 0..slice.rows() {
                assert_eq!(slice.example_and_position(row), layout.example_and_position(first_row + row));
            }
        }
    }
}

#[test]
fn first_rows_are_texts_of_one_row() {
    let layout = pack(&[(7, 3), (8, 300), (9, 1)]);
    let first = layout.first_rows();
    assert_eq!((first.texts(), first.rows(), first.examples()), (3, 3, &[7, 8, 9][..]));
    for (row, example) in [7, 8, 9].into_iter().enumerate() {
        assert_eq!((first.range(row), first.example_and_position(row)), (row..row + 1, (example, 0)));
    }
}

fn length() -> impl Strategy<Value = usize> {
    prop_oneof![1 => Just(0_usize), 4 => 1_usize..=40, 3 => 41_usize..=256, 1 => 257_usize..=1100]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_once_and_within_the_limit(
        lengths in prop::collection::vec(length(), 1..40),
        limit in prop_oneof![1_usize..300, 300_usize..3000],
    ) {
        let layout = pack(&numbered(&lengths));
        prop_assume!(layout.rows() > 0);
        let pieces = layout.pieces(limit);
        let rows_of = |texts: &Range<usize>| lengths[texts.clone()].iter().sum::<usize>();
        let texts: Vec<usize> = pieces.iter().cloned().flatten().collect();
        prop_assert_eq!(texts, (0..lengths.len()).collect::<Vec<_>>(), "every text once, in order: {:?}", pieces);
        for texts in &pieces {
            prop_assert!(rows_of(texts) > 0, "a piece without rows: {:?}", pieces);
            let with_rows = lengths[texts.clone()].iter().filter(|&&rows| rows > 0).count();
            // More than the limit only where there is one text, or one group that sums of gradients keep together.
            prop_assert!(rows_of(texts) <= limit.max(GROUP_ROWS) || with_rows == 1, "{:?} of {:?}", texts, lengths);
        }
        // And no more pieces than need be: two neighbours do not fit into one.
        for pair in pieces.windows(2) {
            prop_assert!(rows_of(&pair[0]) + rows_of(&pair[1]) > limit, "{:?} of {:?}", pair, lengths);
        }
        // A piece is cut like the batch it came from: again into itself.
        for texts in pieces {
            let slice = layout.slice(texts);
            prop_assert_eq!(slice.pieces(limit), vec![0..slice.texts()]);
        }
    }
}
