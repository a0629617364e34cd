//! What rounding to bf16 inside attention may do to each element of its results.
//!
//! Beside its operands and results, attention in bf16 rounds three things: probabilities and the gradients of scores,
//! which are factors of every term of the sums that follow, and `out`, which the backward multiplies with its gradient.
//! Each rounding is off by 2⁻⁸ of the number at most, in either direction and on its own, so the errors of a sum add up
//! as the root of the sum of their squares; only the error of a query's d_out · out is the same for all of its keys.
//! [`SPREAD`] times that root is allowed. Sums of one term meet the bound at half, long ones at four standard deviations.

use kernels::{Dropout, Heads, Layout, Queries};

use super::ROUNDING;

const SPREAD: f64 = 2.0;

/// What may be added to or missing from each element of `out` and of `d_qkv`.
pub(super) struct Allowance {
    pub(super) out: Vec<f32>,
    pub(super) d_qkv: Vec<f32>,
}

/// One (text, head, query) with its keys.
struct Row<'a> {
    qkv: &'a [f32],
    heads: Heads,
    head: usize,
    first_row: usize,
    keys: usize,
}

impl Row<'_> {
    /// Where column `column` of the query (0), key (1) or value (2) of a row of the text stands.
    fn at(&self, part: usize, row: usize, column: usize) -> usize {
        ((self.first_row + row) * 3 + part) * self.heads.hidden() + self.head * self.heads.width + column
    }

    fn element(&self, part: usize, row: usize, column: usize) -> f64 {
        f64::from(self.qkv[self.at(part, row, column)])
    }

    fn probabilities(&self, query: usize) -> Vec<f64> {
        let dot = |key| (0..self.heads.width).map(|c| self.element(0, query, c) * self.element(1, key, c)).sum::<f64>();
        let scores: Vec<f64> = (0..self.keys).map(|key| dot(key) / (self.heads.width as f64).sqrt()).collect();
        let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scores.iter().map(|score| (score - highest).exp()).sum();
        scores.iter().map(|score| (score - highest).exp() / sum).collect()
    }
}

/// The allowance of one attention, forward and backward, given what the operands are.
pub(super) fn of_attention(
    (qkv, d_out): (&[f32], &[f32]),
    heads: Heads,
    layout: &Layout,
    queries: Queries,
    dropout: Option<&Dropout>,
) -> Allowance {
    let (unit, scale, hidden) = (f64::from(ROUNDING), 1.0 / (heads.width as f64).sqrt(), heads.hidden());
    // Squares of errors, until the end.
    let (mut out, mut d_qkv) = (vec![0.0_f64; d_out.len()], vec![0.0_f64; qkv.len()]);
    for (text, head) in (0..layout.texts()).flat_map(|text| (0..heads.count).map(move |head| (text, head))) {
        let rows = layout.range(text);
        let row = Row { qkv, heads, head, first_row: rows.start, keys: rows.len() };
        let (asking, first_result) = match queries {
            Queries::All => (rows.len(), rows.start),
            Queries::First => (rows.len().min(1), text),
        };
        for query in 0..asking {
            let result = (first_result + query) * hidden + head * heads.width;
            let d = |c: usize| f64::from(d_out[result + c]);
            let p = row.probabilities(query);
            let factor = |key: usize| {
                f64::from(dropout.map_or(1.0, |dropout| {
                    dropout.factor(dropout.attention_row(layout.example(text), head, query as u32), key as u32)
                }))
            };
            let kept: Vec<f64> = p.iter().enumerate().map(|(key, p)| p * factor(key)).collect();
            let over_keys = |c: usize, term: &dyn Fn(f64) -> f64| -> f64 {
                kept.iter().enumerate().map(|(key, p)| term(p * row.element(2, key, c))).sum()
            };
            let (mut delta, mut delta_error) = (0.0, 0.0);
            for c in 0..heads.width {
                let value = over_keys(c, &|term| term);
                out[result + c] = over_keys(c, &|term| (unit * term).powi(2));
                delta += d(c) * value;
                delta_error += d(c).powi(2) * (out[result + c] + (unit * value).powi(2));
            }
            let delta_error = f64::sqrt(delta_error);
            for key in 0..row.keys {
                let d_kept: f64 = (0..heads.width).map(|c| d(c) * row.element(2, key, c)).sum();
                let d_score = p[key] * (factor(key) * d_kept - delta) * scale;
                let shared = p[key] * delta_error * scale;
                for c in 0..heads.width {
                    d_qkv[row.at(2, key, c)] += (unit * kept[key] * d(c)).powi(2);
                    d_qkv[row.at(1, key, c)] +=
                        ((unit * d_score).powi(2) + shared.powi(2)) * row.element(0, query, c).powi(2);
                    d_qkv[row.at(0, query, c)] += (unit * d_score * row.element(1, key, c)).powi(2);
                }
            }
            for c in 0..heads.width {
                let mean_key: f64 = p.iter().enumerate().map(|(key, p)| p * row.element(1, key, c)).sum();
                d_qkv[row.at(0, query, c)] += (scale * delta_error * mean_key).powi(2);
            }
        }
    }
    let allowed = |squares: Vec<f64>| squares.into_iter().map(|x| (SPREAD * x.sqrt()) as f32).collect();
    Allowance { out: allowed(out), d_qkv: allowed(d_qkv) }
}
