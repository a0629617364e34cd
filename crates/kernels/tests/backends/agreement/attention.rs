//! Attention, of all rows and of first rows.

use kernels::{Dropout, Heads, Layout, Precision, Queries, Reference, Site};

use super::{Bound, SUMMATION, assert_agree, assert_all_agree, layouts, rounding, stored};
use crate::numbers::{numbered, pack};
use crate::operations::{self, On, Outcome};
use crate::settings::cpus;

fn assert_attention_agrees(layout: Layout, heads: Heads) {
    let batch = [layout];
    for queries in [Queries::All, Queries::First] {
        let on = On::rounded(&Reference, Precision::Bf16);
        let (qkv, d_out) = operations::attention_operands(&on, &batch[0], heads, queries);
        for dropout in [None, Dropout::new(0.3, 1, 2, 0, Site::Attention)] {
            let dropout = dropout.as_ref();
            let allowance = rounding::of_attention((&qkv, &d_out), heads, &batch[0], queries, dropout);
            let kind = if dropout.is_some() { "with dropout" } else { "plain" };
            assert_all_agree(
                &format!("attention of {queries:?} {} rows {heads:?} {kind}", batch[0].rows()),
                |on| operations::attention(on, &batch, heads, queries, dropout),
                |on| operations::attention(on, &batch, heads, queries, dropout),
                |precision, kept| {
                    let bound = stored(precision, kept.place);
                    match (precision, kept.name.as_str()) {
                        // A logarithm is off by as much as its sum is off in proportion, a few millionths.
                        (_, "log_sum_exp") => Bound { of_largest: 2e-6, ..bound },
                        (Precision::Bf16, "out") => Bound { inside: Some(&allowance.out), ..bound },
                        (Precision::Bf16, "d_qkv") => Bound { inside: Some(&allowance.d_qkv), ..bound },
                        _ => bound,
                    }
                },
            );
        }
    }
}

const HEADS: [Heads; 6] = [
    Heads { count: 1, width: 1 },
    Heads { count: 3, width: 7 },
    Heads { count: 2, width: 32 },
    Heads { count: 1, width: 33 },
    Heads { count: 2, width: 64 },
    Heads { count: 1, width: 80 },
];

#[test]
fn several_texts() {
    for layout in layouts() {
        for heads in HEADS {
            assert_attention_agrees(layout.clone(), heads);
        }
    }
}

/// Lengths around the tiles: 16, 24, 32 and 48 queries or keys.
#[test]
fn texts_around_the_size_of_a_tile() {
    for tokens in [1, 2, 15, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 65, 96, 97] {
        for heads in [Heads { count: 1, width: 5 }, Heads { count: 2, width: 32 }] {
            assert_attention_agrees(pack(&[(tokens as u64, tokens)]), heads);
        }
    }
}

#[test]
fn long_texts() {
    assert_attention_agrees(pack(&numbered(&[512])), Heads { count: 1, width: 64 });
    assert_attention_agrees(pack(&numbered(&[3, 513])), Heads { count: 2, width: 7 });
}

/// Scores that are all far below zero, or above: a softmax does not see what they have in common, and keys that are not
/// there must not stand out among them. Scores of some 200 are kept to 10⁻⁵, and so are powers in proportion; that is
/// ten times what it is elsewhere.
#[test]
fn scores_far_from_zero() {
    let (layout, heads) = (pack(&numbered(&[30, 5, 64])), Heads { count: 2, width: 8 });
    let queries = Queries::All;
    for shift in [-64.0, 64.0] {
        let on = On::rounded(&Reference, Precision::Bf16);
        let (mut qkv, d_out) = operations::attention_operands(&on, &layout, heads, queries);
        for (at, x) in qkv.iter_mut().enumerate().filter(|(at, _)| at % heads.width == 0) {
            match at / heads.hidden() % 3 {
                0 => *x = 8.0,
                1 => *x = shift,
                _ => {}
            }
        }
        let allowance = rounding::of_attention((&qkv, &d_out), heads, &layout, queries, None);
        let mut expected = Outcome::default();
        operations::attention_of(&on, (&qkv, &d_out), &layout, heads, queries, None, &mut expected);
        for cpu in cpus() {
            let mut got = Outcome::default();
            operations::attention_of(&On::drawn(&cpu), (&qkv, &d_out), &layout, heads, queries, None, &mut got);
            let what = format!("{:?} {:?} attention, keys shifted by {shift}", cpu.isa(), cpu.precision());
            assert_agree(&what, &got, &expected, |kept| {
                let inside = match kept.name.as_str() {
                    "out" => Some(&allowance.out[..]),
                    "d_qkv" => Some(&allowance.d_qkv[..]),
                    _ => None,
                };
                let bound = Bound { of_largest: 10.0 * SUMMATION, ..stored(cpu.precision(), kept.place) };
                Bound { inside: inside.filter(|_| cpu.precision() == Precision::Bf16), ..bound }
            });
        }
    }
}
