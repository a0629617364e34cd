//! Attention of first rows against that of all rows: the same results for the rows that ask, and, where no other row has
//! a gradient, the same gradients.
//!
//! The reference and the tiles of bf16 compute a row without looking at its neighbours, and rows without a gradient add
//! zeros: the same bits. The library behind f32 products has other loops for one row than for several, which add up in
//! another order; the bound is that of `agreement` for sums in single precision.

use kernels::{Backend, Dropout, Heads, Layout, Precision, Queries, Reference, Site};

use crate::numbers::{numbered, pack, rows_of};
use crate::operations::{On, Place, read};
use crate::settings::cpus;

const BOUND: f32 = 2e-5;

/// Results of the rows that ask, their log-sum-exp, and the gradients of all rows.
fn attention<B: Backend>(
    backend: &B,
    layout: &Layout,
    heads: Heads,
    queries: Queries,
    dropout: Option<&Dropout>,
) -> [Vec<f32>; 3] {
    let (on, hidden) = (On::drawn(backend), heads.hidden());
    let spread: Vec<f32> = rows_of(layout, 3 * hidden, 1).iter().map(|x| x * 3.0).collect();
    let qkv = on.buffer(Place::Operand, &spread);
    let first = Layout::one_row_each(layout.examples());
    let mut d_out = rows_of(&first, hidden, 2);
    let rows = if queries == Queries::First { first.rows() } else { layout.rows() };
    if queries == Queries::All {
        let mut all = vec![0.0; rows * hidden];
        for (text, d) in d_out.chunks_exact(hidden).enumerate() {
            all[layout.range(text).start * hidden..][..hidden].copy_from_slice(d);
        }
        d_out = all;
    }
    let d_out = on.buffer(Place::Operand, &d_out);
    let (mut out, mut log_sum_exp) = (backend.operand(rows * hidden), backend.zeros(rows * heads.count));
    let mut d_qkv = on.buffer(Place::Operand, &spread);
    backend.attention_varlen(&qkv, heads, layout, queries, dropout, &mut out, &mut log_sum_exp);
    backend.attention_varlen_backward(&d_out, &qkv, &out, &log_sum_exp, heads, layout, queries, dropout, &mut d_qkv);
    let asked = |buffer: &B::Buffer, width: usize| {
        let values = read(backend, buffer);
        if queries == Queries::First {
            return values;
        }
        (0..layout.texts()).flat_map(|text| values[layout.range(text).start * width..][..width].to_vec()).collect()
    };
    [asked(&out, hidden), asked(&log_sum_exp, heads.count), read(backend, &d_qkv)]
}

/// `bound`: of the largest element.
fn assert_first_is_all<B: Backend>(what: &str, backend: &B, bound: f32) {
    for lengths in [&[1][..], &[2, 1, 17], &[23, 24, 25, 49], &[130]] {
        let layout = pack(&numbered(lengths));
        for heads in [Heads { count: 1, width: 1 }, Heads { count: 3, width: 7 }, Heads { count: 2, width: 32 }] {
            for dropout in [None, Dropout::new(0.3, 1, 2, 0, Site::Attention)] {
                let [first, all] = [Queries::First, Queries::All]
                    .map(|queries| attention(backend, &layout, heads, queries, dropout.as_ref()));
                for ((name, got), expected) in ["out", "log_sum_exp", "d_qkv"].into_iter().zip(&first).zip(&all) {
                    assert_eq!(got.len(), expected.len());
                    let largest = expected.iter().fold(1e-3_f32, |m, x| m.max(x.abs()));
                    for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
                        assert!(
                            (got - expected).abs() <= bound * largest,
                            "{what}, texts of {lengths:?}, {heads:?}: {name} [{index}] is {got:e}, of all {expected:e}"
                        );
                    }
                }
                // Whoever does not ask has no gradient of its query.
                let hidden = heads.hidden();
                for (row, d) in first[2].chunks_exact(3 * hidden).enumerate() {
                    let asks = layout.example_and_position(row).1 == 0;
                    assert!(asks || d[..hidden].iter().all(|&x| x == 0.0), "{what}: row {row} did not ask");
                }
            }
        }
    }
}

#[test]
fn of_the_reference() {
    assert_first_is_all("reference", &Reference, 0.0);
}

#[test]
fn of_the_cpu() {
    for cpu in cpus() {
        let bound = if cpu.precision() == Precision::Bf16 { 0.0 } else { BOUND };
        assert_first_is_all(&format!("{:?} {:?}", cpu.isa(), cpu.precision()), &cpu, bound);
    }
}
