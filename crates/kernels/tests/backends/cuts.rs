//! A batch in pieces against the whole, bit for bit: rows, gradients of weights and the loss.
//!
//! In f32 gradients of matrices are added up in groups of rows that `Layout::pieces` does not cut; those of biases and
//! tables go row by row, those of normalisations in runs within a text. In bf16 gradients of matrices go by pairs of
//! rows within a text as well, so that any cut between texts will do.

use kernels::{Activation, Cpu, Layout, Precision};
use proptest::prelude::*;

use crate::invariance::{Linear, assert_same, every_operation};
use crate::numbers::{numbered, pack};
use crate::settings::{best, precisions};

const LINEAR: [Linear; 3] = [(100, 70, Some(Activation::Gelu)), (33, 130, None), (300, 2, None)];

fn assert_pieces_are_the_whole(cpu: &Cpu, what: &str, layout: &Layout, pieces: &[Layout]) {
    let whole = every_operation(cpu, std::slice::from_ref(layout), &LINEAR, 40);
    let lengths = |layout: &Layout| (0..layout.texts()).map(|text| layout.range(text).len()).collect::<Vec<_>>();
    let what = format!("{:?} {what}, pieces of {:?}", cpu.precision(), pieces.iter().map(lengths).collect::<Vec<_>>());
    assert_same(&what, &every_operation(cpu, pieces, &LINEAR, 40), &whole);
    // What the head and the last block see: gradients of their weights are sums over the first rows of all texts.
    if (0..layout.texts()).all(|text| !layout.range(text).is_empty()) {
        let first: Vec<_> = pieces.iter().map(Layout::first_rows).collect();
        let whole = every_operation(cpu, &[layout.first_rows()], &LINEAR, 40);
        assert_same(&format!("{what}, first rows"), &every_operation(cpu, &first, &LINEAR, 40), &whole);
    }
}

#[test]
fn pieces_of_many_texts() {
    let layout = pack(&numbered(&[100, 31, 125, 200, 56, 300, 1, 1, 255, 513, 7, 90, 90, 90, 90, 12]));
    for precision in precisions() {
        for limit in [256, 700] {
            let pieces: Vec<_> = layout.pieces(limit).into_iter().map(|texts| layout.slice(texts)).collect();
            assert!(pieces.len() > 2, "something must be cut");
            assert_pieces_are_the_whole(&best(2, precision), &format!("limit {limit}"), &layout, &pieces);
        }
    }
}

/// Texts of no rows at all, short ones, and ones longer than a group.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![1 => Just(0_usize), 4 => 1_usize..=40, 3 => 41_usize..=256, 1 => 257_usize..=400]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_of_any_size(lengths in prop::collection::vec(length(), 2..7), limit in 1_usize..=700) {
        let layout = pack(&numbered(&lengths));
        prop_assume!(layout.rows() > 0);
        let pieces: Vec<_> = layout.pieces(limit).into_iter().map(|texts| layout.slice(texts)).collect();
        for precision in precisions() {
            assert_pieces_are_the_whole(&best(2, precision), &format!("limit {limit}"), &layout, &pieces);
        }
    }

    #[test]
    fn any_cut_in_bf16(lengths in prop::collection::vec(length(), 2..6), cut in 1_usize..=5) {
        let texts = numbered(&lengths);
        let (one, other) = texts.split_at(cut.min(texts.len() - 1));
        prop_assume!(pack(one).rows() > 0 && pack(other).rows() > 0);
        for precision in precisions().into_iter().filter(|&precision| precision == Precision::Bf16) {
            assert_pieces_are_the_whole(&best(2, precision), "cut anywhere", &pack(&texts), &[pack(one), pack(other)]);
        }
    }
}
