//! Attention of one head of one text in tiles of queries; no T×T matrix leaves the cache.
//!
//! A (text, head) pair is one task and touches only its own rows and columns, so its bits depend on that text alone.
//! Keys and values are transposed once per task into scratch, which makes every product's right operand contiguous.

use super::product::{Strides, small};
use crate::cpu::heads::{Head, for_each_head};
use crate::cpu::isa::{Isa, for_each_isa};
use crate::cpu::shared::Shared;
use crate::cpu::{Cpu, math};
use crate::dropout::RowKey;
use crate::{Dropout, Heads, Layout, Queries};

/// Queries of one tile: with 512 keys its scores take 128 KiB.
const QUERY_TILE: usize = 64;

/// A head, and with which instructions it is computed.
struct Task<'a> {
    isa: Isa,
    head: Head<'a>,
}

/// Memory that a thread uses for one task after another, and where a task leaves its result.
#[derive(Default)]
struct Scratch {
    keys: Vec<f32>,
    values: Vec<f32>,
    scores: Vec<f32>,
    gradients: Vec<f32>,
    dropped: Vec<f32>,
    /// Forward: the head's output, queries×D. Backward: the gradients of queries, keys and values, each rows×D.
    result: Vec<f32>,
    /// Forward: the logarithm of the sum of exponentials of each query.
    log_sum_exp: Vec<f32>,
}

impl Task<'_> {
    /// Keys of a row of scores, rounded up to whole vectors.
    fn stride(&self) -> usize {
        self.head.tokens.next_multiple_of(16)
    }

    /// Copies the keys (1) or values (2) of the text transposed: D×stride, zeros behind the last token.
    fn transposed(&self, qkv: &[f32], part: usize, into: &mut Vec<f32>) {
        let (width, stride, row) = (self.head.heads.width, self.stride(), 3 * self.head.heads.hidden());
        into.clear();
        into.resize(width * stride, 0.0);
        for token in 0..self.head.tokens {
            let from = &qkv[token * row + self.head.column(part)..][..width];
            for (column, &x) in from.iter().enumerate() {
                into[column * stride + token] = x;
            }
        }
    }

    /// `scores[queries, stride] = Q Kᵀ` for the tile that starts at query `first`.
    fn score(&self, qkv: &[f32], keys: &[f32], first: usize, queries: usize, scores: &mut [f32]) {
        let row = 3 * self.head.heads.hidden();
        let stride = self.stride();
        let query = &qkv[first * row + self.head.column(0)..];
        small(
            (queries, stride, self.head.heads.width),
            query,
            Strides { row, col: 1 },
            keys,
            stride,
            scores,
            stride,
            false,
        );
    }

    /// The forward of this head; `qkv` starts at the text's first row.
    fn forward(&self, qkv: &[f32], scratch: &mut Scratch) {
        let (stride, hidden, width) = (self.stride(), self.head.heads.hidden(), self.head.heads.width);
        self.transposed(qkv, 1, &mut scratch.keys);
        scratch.scores.resize(QUERY_TILE * stride, 0.0);
        scratch.result.resize(self.head.queries * width, 0.0);
        scratch.log_sum_exp.clear();
        let values = &qkv[self.head.column(2)..];
        for first in (0..self.head.queries).step_by(QUERY_TILE) {
            let queries = QUERY_TILE.min(self.head.queries - first);
            self.score(qkv, &scratch.keys, first, queries, &mut scratch.scores);
            for (query, scores) in (first..first + queries).zip(scratch.scores.chunks_exact_mut(stride)) {
                let log_sum =
                    softmax(self.isa, scores, self.head.tokens, self.head.scale(), self.head.dropout_of(query));
                scratch.log_sum_exp.push(log_sum);
            }
            let shape = (queries, width, self.head.tokens);
            let strides = Strides { row: stride, col: 1 };
            let out = &mut scratch.result[first * width..];
            small(shape, &scratch.scores, strides, values, 3 * hidden, out, width, false);
        }
    }

    /// The backward of this head; all slices start at the text's first row, or its first result.
    fn backward(&self, d_out: &[f32], qkv: &[f32], out: &[f32], log_sum_exp: &[f32], scratch: &mut Scratch) {
        let (stride, hidden, width) = (self.stride(), self.head.heads.hidden(), self.head.heads.width);
        let row = 3 * hidden;
        self.transposed(qkv, 1, &mut scratch.keys);
        self.transposed(qkv, 2, &mut scratch.values);
        for buffer in [&mut scratch.scores, &mut scratch.gradients, &mut scratch.dropped] {
            buffer.resize(QUERY_TILE * stride, 0.0);
        }
        scratch.result.resize((self.head.queries + 2 * self.head.tokens) * width, 0.0);
        let (d_query, rest) = scratch.result.split_at_mut(self.head.queries * width);
        let (d_key, d_value) = rest.split_at_mut(self.head.tokens * width);
        for first in (0..self.head.queries).step_by(QUERY_TILE) {
            let queries = QUERY_TILE.min(self.head.queries - first);
            self.score(qkv, &scratch.keys, first, queries, &mut scratch.scores);
            let d_rows = &d_out[first * hidden + self.head.number * width..];
            let across = Strides { row: hidden, col: 1 };
            let shape = (queries, stride, width);
            small(shape, d_rows, across, &scratch.values, stride, &mut scratch.gradients, stride, false);
            for query in 0..queries {
                let at = query * stride;
                let elements = (first + query) * hidden + self.head.number * width;
                softmax_backward(
                    self.isa,
                    &mut scratch.scores[at..][..stride],
                    &mut scratch.gradients[at..][..stride],
                    &mut scratch.dropped[at..][..stride],
                    self.head.tokens,
                    self.head.scale(),
                    log_sum_exp[(first + query) * self.head.heads.count + self.head.number],
                    delta(self.isa, &d_out[elements..][..width], &out[elements..][..width]),
                    self.head.dropout_of(first + query),
                );
            }
            let along = Strides { row: stride, col: 1 };
            let down = Strides { row: 1, col: stride };
            let queries_of_head = &qkv[first * row + self.head.column(0)..];
            let keys_of_head = &qkv[self.head.column(1)..];
            let (by_query, by_key) = ((queries, width, self.head.tokens), (self.head.tokens, width, queries));
            let add = first > 0;
            small(by_query, &scratch.gradients, along, keys_of_head, row, &mut d_query[first * width..], width, false);
            small(by_key, &scratch.gradients, down, queries_of_head, row, d_key, width, add);
            small(by_key, &scratch.dropped, down, d_rows, hidden, d_value, width, add);
        }
    }
}

/// [`crate::Backend::attention_varlen`].
pub(in crate::cpu) fn forward(
    cpu: &Cpu,
    qkv: &[f32],
    heads: Heads,
    layout: &Layout,
    queries: Queries,
    dropout: Option<&Dropout>,
    out: &mut [f32],
    log_sum_exp: &mut [f32],
) {
    let (hidden, width) = (heads.hidden(), heads.width);
    let (out, log_sum_exp) = (Shared::new(out), Shared::new(log_sum_exp));
    for_each_head(cpu, heads, layout, queries, dropout, |head, scratch: &mut Scratch| {
        Task { isa: cpu.isa(), head }.forward(&qkv[head.first_row * 3 * hidden..], scratch);
        for (query, result) in scratch.result.chunks_exact(width).take(head.queries).enumerate() {
            let row = head.first_result + query;
            #[expect(unsafe_code, reason = "heads write disjoint columns")]
            // SAFETY: the columns of this head in the results of this text belong to this task alone.
            unsafe {
                out.part(row * hidden + head.number * width, width).copy_from_slice(result);
                log_sum_exp.part(row * heads.count + head.number, 1)[0] = scratch.log_sum_exp[query];
            }
        }
    });
}

/// [`crate::Backend::attention_varlen_backward`].
pub(in crate::cpu) fn backward(
    cpu: &Cpu,
    (qkv, d_out, out): (&[f32], &[f32], &[f32]),
    log_sum_exp: &[f32],
    heads: Heads,
    layout: &Layout,
    queries: Queries,
    dropout: Option<&Dropout>,
    d_qkv: &mut [f32],
) {
    let (hidden, width) = (heads.hidden(), heads.width);
    let d_qkv = Shared::new(d_qkv);
    for_each_head(cpu, heads, layout, queries, dropout, |head, scratch: &mut Scratch| {
        let (at, result) = (head.first_row * 3 * hidden, head.first_result * hidden);
        let log_sum_exp = &log_sum_exp[head.first_result * heads.count..];
        Task { isa: cpu.isa(), head }.backward(&d_out[result..], &qkv[at..], &out[result..], log_sum_exp, scratch);
        let (d_query, rest) = scratch.result.split_at(head.queries * width);
        let (d_key, d_value) = rest.split_at(head.tokens * width);
        for (part, rows) in [d_query, d_key, d_value].into_iter().enumerate() {
            for token in 0..head.tokens {
                let column = part * hidden + head.number * width;
                #[expect(unsafe_code, reason = "heads write disjoint columns")]
                // SAFETY: the columns of this head in the rows of this text belong to this task alone.
                let to = unsafe { d_qkv.part((head.first_row + token) * 3 * hidden + column, width) };
                match rows.get(token * width..(token + 1) * width) {
                    Some(row) if part > 0 || token < head.queries => to.copy_from_slice(row),
                    _ => to.fill(0.0),
                }
            }
        }
    });
}

for_each_isa! {
    /// Turns a row of raw scores into probabilities times their dropout factors; returns the log of the sum.
    fn softmax(scores: &mut [f32], tokens: usize, scale: f32, dropout: Option<(&Dropout, RowKey)>) -> f32 {
        let mut lanes = [f32::NEG_INFINITY; 16];
        scores[tokens..].fill(f32::NEG_INFINITY);
        for chunk in scores.chunks_exact_mut(16) {
            for (lane, x) in lanes.iter_mut().zip(chunk) {
                *x *= scale;
                *lane = if *x > *lane { *x } else { *lane };
            }
        }
        let highest = lanes.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for x in &mut *scores {
            *x = math::exp(*x - highest);
        }
        scores[tokens..].fill(0.0);
        let sum = math::sum(scores);
        let inverse = 1.0 / sum;
        match dropout {
            None => scores.iter_mut().for_each(|x| *x *= inverse),
            Some((dropout, key)) => {
                for (column, x) in (0_u32..).zip(scores.iter_mut()) {
                    *x *= inverse * dropout.factor(key, column);
                }
            }
        }
        highest + sum.ln()
    }
}

for_each_isa! {
    /// From raw scores and gradients of probabilities: `dropped` takes the probabilities times their dropout factors,
    /// `gradients` the gradients of the raw scores.
    fn softmax_backward(
        scores: &mut [f32],
        gradients: &mut [f32],
        dropped: &mut [f32],
        tokens: usize,
        scale: f32,
        log_sum: f32,
        delta: f32,
        dropout: Option<(&Dropout, RowKey)>,
    ) {
        for x in &mut *scores {
            *x = math::exp(*x * scale - log_sum);
        }
        scores[tokens..].fill(0.0);
        match dropout {
            None => {
                dropped.copy_from_slice(scores);
                for (g, &p) in gradients.iter_mut().zip(&*scores) {
                    *g = p * (*g - delta) * scale;
                }
            }
            Some((dropout, key)) => {
                for (((column, g), &p), kept) in (0_u32..).zip(&mut *gradients).zip(&*scores).zip(&mut *dropped) {
                    let factor = dropout.factor(key, column);
                    *kept = p * factor;
                    *g = p * (*g * factor - delta) * scale;
                }
            }
        }
    }
}

for_each_isa! {
    /// Σ d_out · out of one query, which equals Σ p · dp over its keys (FlashAttention-2, arXiv 2307.08691).
    fn delta(d_out: &[f32], out: &[f32]) -> f32 {
        math::dot(d_out, out)
    }
}
