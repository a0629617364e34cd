//! Softmax attention (arXiv 1706.03762) of each text over its own rows.

use super::single;
use crate::{Dropout, Heads, Layout, Queries};

/// One head of one text: where its rows stand and how to read them.
struct Head<'a> {
    qkv: &'a [f32],
    heads: Heads,
    head: usize,
    first_row: usize,
    /// How many rows ask, and where their results start.
    queries: usize,
    first_result: usize,
}

impl Head<'_> {
    /// Offset of column `column` of the query (part 0), key (1) or value (2) of row `row` of the text.
    fn at(&self, part: usize, row: usize, column: usize) -> usize {
        let hidden = self.heads.hidden();
        (self.first_row + row) * 3 * hidden + part * hidden + self.head * self.heads.width + column
    }

    fn dot(&self, parts: (usize, usize), rows: (usize, usize)) -> f64 {
        let product =
            |c| f64::from(self.qkv[self.at(parts.0, rows.0, c)]) * f64::from(self.qkv[self.at(parts.1, rows.1, c)]);
        (0..self.heads.width).map(product).sum()
    }

    fn score(&self, query: usize, key: usize) -> f64 {
        self.dot((0, 1), (query, key)) / (self.heads.width as f64).sqrt()
    }
}

fn for_each_head(
    qkv: &[f32],
    heads: Heads,
    layout: &Layout,
    queries: Queries,
    mut f: impl FnMut(&Head<'_>, usize, u64),
) {
    for text in 0..layout.texts() {
        let rows = layout.range(text);
        let (queries, first_result) = match queries {
            Queries::All => (rows.len(), rows.start),
            Queries::First => (rows.len().min(1), text),
        };
        for head in 0..heads.count {
            let first_row = rows.start;
            f(&Head { qkv, heads, head, first_row, queries, first_result }, rows.len(), layout.example(text));
        }
    }
}

fn factor(dropout: Option<&Dropout>, example: u64, head: usize, query: usize, key: usize) -> f64 {
    f64::from(dropout.map_or(1.0, |d| d.factor(d.attention_row(example, head, query as u32), key as u32)))
}

pub(super) fn forward(
    qkv: &[f32],
    heads: Heads,
    layout: &Layout,
    queries: Queries,
    dropout: Option<&Dropout>,
    out: &mut [f32],
    log_sum_exp: &mut [f32],
) {
    for_each_head(qkv, heads, layout, queries, |head, tokens, example| {
        for query in 0..head.queries {
            let scores: Vec<f64> = (0..tokens).map(|key| head.score(query, key)).collect();
            let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let log_sum = highest + scores.iter().map(|s| (s - highest).exp()).sum::<f64>().ln();
            let row = head.first_result + query;
            log_sum_exp[row * heads.count + head.head] = single(log_sum);
            for column in 0..heads.width {
                let weighted = |(key, score): (usize, &f64)| {
                    (score - log_sum).exp()
                        * factor(dropout, example, head.head, query, key)
                        * f64::from(qkv[head.at(2, key, column)])
                };
                out[row * heads.hidden() + head.head * heads.width + column] =
                    single(scores.iter().enumerate().map(weighted).sum());
            }
        }
    });
}

pub(super) fn backward(
    d_out: &[f32],
    qkv: &[f32],
    log_sum_exp: &[f32],
    heads: Heads,
    layout: &Layout,
    queries: Queries,
    dropout: Option<&Dropout>,
    d_qkv: &mut [f32],
) {
    let mut d = vec![0.0_f64; layout.rows() * 3 * heads.hidden()];
    for_each_head(qkv, heads, layout, queries, |head, tokens, example| {
        let scale = 1.0 / (heads.width as f64).sqrt();
        for query in 0..head.queries {
            let row = head.first_result + query;
            let d_row = &d_out[row * heads.hidden() + head.head * heads.width..][..heads.width];
            let log_sum = f64::from(log_sum_exp[row * heads.count + head.head]);
            let probability: Vec<f64> = (0..tokens).map(|key| (head.score(query, key) - log_sum).exp()).collect();
            let kept: Vec<f64> = (0..tokens).map(|key| factor(dropout, example, head.head, query, key)).collect();
            let d_probability: Vec<f64> = (0..tokens)
                .map(|key| {
                    let value = |c: usize| f64::from(qkv[head.at(2, key, c)]);
                    kept[key] * d_row.iter().enumerate().map(|(c, &g)| f64::from(g) * value(c)).sum::<f64>()
                })
                .collect();
            let mean: f64 = probability.iter().zip(&d_probability).map(|(p, g)| p * g).sum();
            for key in 0..tokens {
                let d_score = probability[key] * (d_probability[key] - mean) * scale;
                for column in 0..heads.width {
                    d[head.at(0, query, column)] += d_score * f64::from(qkv[head.at(1, key, column)]);
                    d[head.at(1, key, column)] += d_score * f64::from(qkv[head.at(0, query, column)]);
                    d[head.at(2, key, column)] += probability[key] * kept[key] * f64::from(d_row[column]);
                }
            }
        }
    });
    for (to, from) in d_qkv.iter_mut().zip(d) {
        *to = single(from);
    }
}
