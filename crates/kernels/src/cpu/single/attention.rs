//! Attention of one head of one text in tiles of queries; no T×T matrix leaves the cache.
//!
//! A (text, head) pair is one task and touches only its own rows and columns, so its bits depend on that text alone.
//! Keys and values are transposed once per task into scratch, which makes every product's right operand contiguous.

use super::product::{Strides, small};
use crate::cpu::isa::{Isa, for_each_isa};
use crate::cpu::profile::Kind;
use crate::cpu::shared::Shared;
use crate::cpu::{Cpu, math};
use crate::dropout::RowKey;
use crate::{Dropout, Heads, Layout, Queries};

/// Queries of one tile: with 512 keys its scores take 128 KiB.
const QUERY_TILE: usize = 64;

/// What one task knows of its text and head.
#[derive(Clone, Copy)]
struct Task<'a> {
    isa: Isa,
    heads: Heads,
    head: usize,
    /// Rows of the text, all of which are keys.
    tokens: usize,
    /// Rows that ask: all, or the first alone.
    queries: usize,
    example: u64,
    dropout: Option<&'a Dropout>,
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
        self.tokens.next_multiple_of(16)
    }

    fn scale(&self) -> f32 {
        1.0 / (self.heads.width as f32).sqrt()
    }

    /// Offset of the query (0), key (1) or value (2) of this head in a row of `qkv`.
    fn column(&self, part: usize) -> usize {
        part * self.heads.hidden() + self.head * self.heads.width
    }

    fn key(&self, query: usize) -> Option<(&Dropout, RowKey)> {
        let query = u32::try_from(query).expect("a text has fewer than 2^32 tokens");
        self.dropout.map(|dropout| (dropout, dropout.attention_row(self.example, self.head, query)))
    }

    /// Copies the keys (1) or values (2) of the text transposed: D×stride, zeros behind the last token.
    fn transposed(&self, qkv: &[f32], part: usize, into: &mut Vec<f32>) {
        let (width, stride, row) = (self.heads.width, self.stride(), 3 * self.heads.hidden());
        into.clear();
        into.resize(width * stride, 0.0);
        for token in 0..self.tokens {
            let from = &qkv[token * row + self.column(part)..][..width];
            for (column, &x) in from.iter().enumerate() {
                into[column * stride + token] = x;
            }
        }
    }

    /// `scores[queries, stride] = Q Kᵀ` for the tile that starts at query `first`.
    fn score(&self, qkv: &[f32], keys: &[f32], first: usize, queries: usize, scores: &mut [f32]) {
        let row = 3 * self.heads.hidden();
        let stride = self.stride();
        let query = &qkv[first * row + self.column(0)..];
        small((queries, stride, self.heads.width), query, Strides { row, col: 1 }, keys, stride, scores, stride, false);
    }

    /// The forward of this head; `qkv` starts at the text's first row.
    fn forward(&self, qkv: &[f32], scratch: &mut Scratch) {
        let (stride, hidden, width) = (self.stride(), self.heads.hidden(), self.heads.width);
        self.transposed(qkv, 1, &mut scratch.keys);
        scratch.scores.resize(QUERY_TILE * stride, 0.0);
        scratch.result.resize(self.queries * width, 0.0);
        scratch.log_sum_exp.clear();
        let values = &qkv[self.column(2)..];
        for first in (0..self.queries).step_by(QUERY_TILE) {
            let queries = QUERY_TILE.min(self.queries - first);
            self.score(qkv, &scratch.keys, first, queries, &mut scratch.scores);
            for (query, scores) in (first..first + queries).zip(scratch.scores.chunks_exact_mut(stride)) {
                let log_sum = softmax(self.isa, scores, self.tokens, self.scale(), self.key(query));
                scratch.log_sum_exp.push(log_sum);
            }
            let shape = (queries, width, self.tokens);
            let strides = Strides { row: stride, col: 1 };
            let out = &mut scratch.result[first * width..];
            small(shape, &scratch.scores, strides, values, 3 * hidden, out, width, false);
        }
    }

    /// The backward of this head; all slices start at the text's first row, or its first result.
    fn backward(&self, d_out: &[f32], qkv: &[f32], out: &[f32], log_sum_exp: &[f32], scratch: &mut Scratch) {
        let (stride, hidden, width) = (self.stride(), self.heads.hidden(), self.heads.width);
        let row = 3 * hidden;
        self.transposed(qkv, 1, &mut scratch.keys);
        self.transposed(qkv, 2, &mut scratch.values);
        for buffer in [&mut scratch.scores, &mut scratch.gradients, &mut scratch.dropped] {
            buffer.resize(QUERY_TILE * stride, 0.0);
        }
        scratch.result.resize((self.queries + 2 * self.tokens) * width, 0.0);
        let (d_query, rest) = scratch.result.split_at_mut(self.queries * width);
        let (d_key, d_value) = rest.split_at_mut(self.tokens * width);
        for first in (0..self.queries).step_by(QUERY_TILE) {
            let queries = QUERY_TILE.min(self.queries - first);
            self.score(qkv, &scratch.keys, first, queries, &mut scratch.scores);
            let d_rows = &d_out[first * hidden + self.head * width..];
            let across = Strides { row: hidden, col: 1 };
            let shape = (queries, stride, width);
            small(shape, d_rows, across, &scratch.values, stride, &mut scratch.gradients, stride, false);
            for query in 0..queries {
                let at = query * stride;
                let elements = (first + query) * hidden + self.head * width;
                softmax_backward(
                    self.isa,
                    &mut scratch.scores[at..][..stride],
                    &mut scratch.gradients[at..][..stride],
                    &mut scratch.dropped[at..][..stride],
                    self.tokens,
                    self.scale(),
                    log_sum_exp[(first + query) * self.heads.count + self.head],
                    delta(self.isa, &d_out[elements..][..width], &out[elements..][..width]),
                    self.key(first + query),
                );
            }
            let along = Strides { row: stride, col: 1 };
            let down = Strides { row: 1, col: stride };
            let queries_of_head = &qkv[first * row + self.column(0)..];
            let keys_of_head = &qkv[self.column(1)..];
            let (by_query, by_key) = ((queries, width, self.tokens), (self.tokens, width, queries));
            let add = first > 0;
            small(by_query, &scratch.gradients, along, keys_of_head, row, &mut d_query[first * width..], width, false);
            small(by_key, &scratch.gradients, down, queries_of_head, row, d_key, width, add);
            small(by_key, &scratch.dropped, down, d_rows, hidden, d_value, width, add);
        }
    }
}

/// Runs `work` for every head of every text with its first row and first result; texts with no tokens have no work.
fn for_each_head<'a>(
    cpu: &Cpu,
    heads: Heads,
    layout: &Layout,
    queries: Queries,
    dropout: Option<&'a Dropout>,
    work: impl Fn(Task<'a>, (usize, usize), &mut Scratch) + Sync,
) {
    cpu.tasks_with(Kind::Attention, layout.texts() * heads.count, Scratch::default, |scratch, task| {
        let (text, head) = (task / heads.count, task % heads.count);
        let rows = layout.range(text);
        let (queries, first_result) = match queries {
            Queries::All => (rows.len(), rows.start),
            Queries::First => (1, text),
        };
        if !rows.is_empty() {
            let (isa, tokens, example) = (cpu.isa(), rows.len(), layout.example(text));
            let task = Task { isa, heads, head, tokens, queries, example, dropout };
            work(task, (rows.start, first_result), scratch);
        }
    });
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
    for_each_head(cpu, heads, layout, queries, dropout, |task, (first_row, first_result), scratch| {
        task.forward(&qkv[first_row * 3 * hidden..], scratch);
        for (query, result) in scratch.result.chunks_exact(width).take(task.queries).enumerate() {
            let row = first_result + query;
            #[expect(unsafe_code, reason = "heads write disjoint columns")]
            // SAFETY: the columns of this head in the results of this text belong to this task alone.
            unsafe {
                out.part(row * hidden + task.head * width, width).copy_from_slice(result);
                log_sum_exp.part(row * heads.count + task.head, 1)[0] = scratch.log_sum_exp[query];
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
    for_each_head(cpu, heads, layout, queries, dropout, |task, (first_row, first_result), scratch| {
        let (at, result) = (first_row * 3 * hidden, first_result * hidden);
        let log_sum_exp = &log_sum_exp[first_result * heads.count..];
        task.backward(&d_out[result..], &qkv[at..], &out[result..], log_sum_exp, scratch);
        let (d_query, rest) = scratch.result.split_at(task.queries * width);
        let (d_key, d_value) = rest.split_at(task.tokens * width);
        for (part, rows) in [d_query, d_key, d_value].into_iter().enumerate() {
            for token in 0..task.tokens {
                let column = part * hidden + task.head * width;
                #[expect(unsafe_code, reason = "heads write disjoint columns")]
                // SAFETY: the columns of this head in the rows of this text belong to this task alone.
                let to = unsafe { d_qkv.part((first_row + token) * 3 * hidden + column, width) };
                match rows.get(token * width..(token + 1) * width) {
                    Some(row) if part > 0 || token < task.queries => to.copy_from_slice(row),
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
