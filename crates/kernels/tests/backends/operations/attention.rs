//! Attention.

use kernels::{Backend, Dropout, Heads, Layout, Queries};

use super::{On, Outcome, Place};
use crate::numbers::rows_of;

/// What attention of all rows or of first rows reads: queries, keys and values, and the gradient of the result.
/// The former are spread widely enough for some probabilities to stand out.
pub(crate) fn attention_operands<B: Backend>(
    on: &On<'_, B>,
    layout: &Layout,
    heads: Heads,
    queries: Queries,
) -> (Vec<f32>, Vec<f32>) {
    let spread: Vec<f32> = rows_of(layout, 3 * heads.hidden(), 1).iter().map(|x| x * 3.0).collect();
    (on.round(&spread), on.round(&rows_of(&asking(layout, queries), heads.hidden(), 2)))
}

/// The rows that ask, as a batch of their own.
fn asking(layout: &Layout, queries: Queries) -> Layout {
    match queries {
        Queries::All => layout.clone(),
        Queries::First => Layout::one_row_each(layout.examples()),
    }
}

/// Attention of all rows or of first rows over the batches, one after another.
pub(crate) fn attention<B: Backend>(
    on: &On<'_, B>,
    batches: &[Layout],
    heads: Heads,
    queries: Queries,
    dropout: Option<&Dropout>,
) -> Outcome {
    let mut outcome = Outcome::default();
    for layout in batches {
        let (qkv, d_out) = attention_operands(on, layout, heads, queries);
        attention_of(on, (&qkv, &d_out), layout, heads, queries, dropout, &mut outcome);
    }
    outcome
}

/// Attention of given operands, added to `outcome`.
pub(crate) fn attention_of<B: Backend>(
    on: &On<'_, B>,
    (qkv, d_out): (&[f32], &[f32]),
    layout: &Layout,
    heads: Heads,
    queries: Queries,
    dropout: Option<&Dropout>,
    outcome: &mut Outcome,
) {
    let (backend, results) = (on.backend, asking(layout, queries).rows());
    let [qkv, d_out] = [qkv, d_out].map(|values| on.buffer(Place::Operand, values));
    let mut out = backend.operand(results * heads.hidden());
    let mut log_sum_exp = backend.zeros(results * heads.count);
    // What stood in the gradient before must not shine through.
    let mut d_qkv = on.buffer(Place::Operand, &vec![7.0; layout.rows() * 3 * heads.hidden()]);
    backend.attention_varlen(&qkv, heads, layout, queries, dropout, &mut out, &mut log_sum_exp);
    backend.attention_varlen_backward(&d_out, &qkv, &out, &log_sum_exp, heads, layout, queries, dropout, &mut d_qkv);
    for (name, place, results) in [("out", Place::Operand, &out), ("log_sum_exp", Place::Single, &log_sum_exp)] {
        match queries {
            Queries::All => outcome.add_rows(backend, name, place, results),
            Queries::First => outcome.add_texts(backend, name, place, results),
        }
    }
    outcome.add_rows(backend, "d_qkv", Place::Operand, &d_qkv);
}
