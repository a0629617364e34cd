//! Attention, of all rows and of first rows.

use kernels::{Backend, Dropout, Heads, Layout, Queries, Reference, Site};

use super::{assert_gradient, functional, numbers};
use crate::numbers::{numbered, pack};

#[test]
fn attention_varlen() {
    let layout = pack(&numbered(&[1, 4, 0, 3]));
    for (heads, queries) in [Heads { count: 1, width: 3 }, Heads { count: 2, width: 2 }]
        .into_iter()
        .flat_map(|heads| [(heads, Queries::All), (heads, Queries::First)])
    {
        let results = if queries == Queries::All { layout.rows() } else { layout.texts() };
        let hidden = heads.hidden();
        let (qkv, c) = (numbers(1, layout.rows() * 3 * hidden), numbers(2, results * hidden));
        for dropout in [None, Dropout::new(0.4, 1, 2, 0, Site::Attention)] {
            let dropout = dropout.as_ref();
            let forward = |qkv: &[f32]| {
                let (mut out, mut log_sum) = (vec![0.0; c.len()], vec![0.0; results * heads.count]);
                Reference.attention_varlen(&qkv.to_vec(), heads, &layout, queries, dropout, &mut out, &mut log_sum);
                (out, log_sum)
            };
            let (out, log_sum) = forward(&qkv);
            let mut d_qkv = vec![f32::NAN; qkv.len()];
            Reference.attention_varlen_backward(&c, &qkv, &out, &log_sum, heads, &layout, queries, dropout, &mut d_qkv);
            let what = format!("attention of {queries:?} {heads:?}, dropout {}", dropout.is_some());
            assert_gradient(&what, &d_qkv, &qkv, |qkv| functional(&c, &forward(qkv).0));
        }
    }
}

/// A text of one token attends to itself alone: queries and keys take no gradient, and the value takes all of it.
#[test]
fn attention_of_one_token() {
    let (layout, heads) = (Layout::one_row_each(&[7]), Heads { count: 1, width: 2 });
    let (qkv, c) = (numbers(1, 6), numbers(2, 2));
    let (mut out, mut log_sum, mut d_qkv) = (vec![0.0; 2], vec![0.0; 1], vec![0.0; 6]);
    let all = Queries::All;
    Reference.attention_varlen(&qkv, heads, &layout, all, None, &mut out, &mut log_sum);
    assert_eq!(out, qkv[4..]);
    Reference.attention_varlen_backward(&c, &qkv, &out, &log_sum, heads, &layout, all, None, &mut d_qkv);
    // The probability is recomputed from a logarithm rounded to f32.
    for (got, expected) in d_qkv.iter().zip([0.0, 0.0, 0.0, 0.0, c[0], c[1]]) {
        assert!((got - expected).abs() < 1e-6, "{got}, expected {expected}");
    }
}
