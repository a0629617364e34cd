//! Attention of one head of one text on bf16 operands, in tiles of queries that stay in cache.
//!
//! A (text, head) pair is one task and touches only its own rows and columns, so its bits depend on that text alone.
//! Scores and softmax are f32; probabilities and gradients of scores are rounded to bf16 for the products that follow,
//! whose sums are f32 again. The scheme is FlashAttention-2's (arXiv 2307.08691), except that all keys of a tile of
//! queries are at hand at once: 512 keys fit the second-level cache.

use half::bf16;

use super::panels::pack_pair;
use super::vectors::transpose;
use crate::cpu::Cpu;
use crate::cpu::buffer::{narrow_halves, widen_run};
use crate::cpu::profile::Kind;
use crate::cpu::shared::Shared;
use crate::cpu::tile::{COLUMNS, Halves, Left, ROWS, Target, tile};
use crate::dropout::RowKey;
use crate::{Dropout, Heads, Layout, Queries};

/// Queries of one tile forward: with 512 keys the scores take 48 KiB.
const FORWARD_QUERIES: usize = 2 * ROWS;
/// Queries of one tile backward: deeper sums over queries spare loads of the gradients of keys and values.
const BACKWARD_QUERIES: usize = 4 * ROWS;

/// What one task knows of its text and head.
#[derive(Clone, Copy)]
struct Head<'a> {
    heads: Heads,
    head: usize,
    /// Rows of the text, all of which are keys.
    tokens: usize,
    /// Rows that ask: all, or the first alone.
    queries: usize,
    first_row: usize,
    /// Where the results of the text start.
    first_result: usize,
    example: u64,
    dropout: Option<&'a Dropout>,
}

/// Rows of one head, copied together: T×`padded` with zeros behind the head's width.
#[derive(Debug, Default)]
struct Rows {
    values: Vec<bf16>,
    padded: usize,
}

/// Memory that a thread uses for one task after another.
#[derive(Debug, Default)]
struct Scratch {
    query: Rows,
    key: Rows,
    value: Rows,
    d_out: Rows,
    /// Keys, or values, as columns: depth is the head's width.
    key_columns: Vec<u32>,
    value_columns: Vec<u32>,
    /// Rows in pairs: depth is the text's tokens.
    key_pairs: Vec<u32>,
    value_pairs: Vec<u32>,
    query_pairs: Vec<u32>,
    d_out_pairs: Vec<u32>,
    scores: Vec<f32>,
    gradients: Vec<f32>,
    /// Probabilities of a tile, and gradients of its scores: queries×keys.
    probabilities: Vec<bf16>,
    d_scores: Vec<bf16>,
    /// The same with queries in pairs.
    probability_pairs: Vec<u32>,
    d_score_pairs: Vec<u32>,
    /// Results of one tile, queries×padded width.
    result: Vec<f32>,
    /// What a row of the result is multiplied by.
    scales: Vec<f32>,
    d_key: Vec<f32>,
    d_value: Vec<f32>,
}

/// Grows to `len`; what was there stays, as garbage to be overwritten.
fn at_least<T: Clone>(buffer: &mut Vec<T>, len: usize, zero: T) {
    if buffer.len() < len {
        buffer.resize(len, zero);
    }
}

impl Rows {
    /// Copies columns `column..column + width` of `count` rows of `stride`.
    fn gather(&mut self, from: &[bf16], count: usize, stride: usize, column: usize, width: usize) {
        self.padded = width.next_multiple_of(COLUMNS);
        self.values.clear();
        self.values.resize(count * self.padded, bf16::ZERO);
        for (row, to) in self.values.chunks_exact_mut(self.padded).enumerate() {
            to[..width].copy_from_slice(&from[row * stride + column..][..width]);
        }
    }

    fn left(&self, row: usize) -> Left {
        Left { at: self.values[row * self.padded..].as_ptr().cast(), row: self.padded / 2, group: 1 }
    }

    /// The rows as columns of panels: for each panel of 32 rows and each pair of width, 32 pairs. Zeros behind the
    /// last row.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
    #[expect(unsafe_code, reason = "vector instructions on raw pointers")]
    unsafe fn as_columns(&self, into: &mut Vec<u32>) {
        use std::arch::x86_64::{_mm512_loadu_si512, _mm512_setzero_si512, _mm512_storeu_si512};
        let (count, pairs) = (self.values.len() / self.padded, self.padded / 2);
        at_least(into, count.next_multiple_of(COLUMNS) * pairs, 0);
        for first in (0..count.next_multiple_of(COLUMNS)).step_by(16) {
            let panel = &mut into[first / COLUMNS * COLUMNS * pairs..][..COLUMNS * pairs];
            for pair in (0..pairs).step_by(16) {
                let mut square = [_mm512_setzero_si512(); 16];
                for (row, pairs) in square.iter_mut().enumerate().take(count.saturating_sub(first)) {
                    let from = &self.values[(first + row) * self.padded + 2 * pair..][..32];
                    // SAFETY: 32 numbers of 16 bits.
                    *pairs = unsafe { _mm512_loadu_si512(from.as_ptr().cast()) };
                }
                for (n, columns) in transpose(square).into_iter().enumerate() {
                    let to = &mut panel[(pair + n) * COLUMNS + first % COLUMNS..][..16];
                    // SAFETY: sixteen elements, by the line above.
                    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), columns) };
                }
            }
        }
    }

    /// The rows in pairs as depth of panels: for each panel of 32 columns and each pair of rows, 32 pairs.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
    #[expect(unsafe_code, reason = "vector instructions that were detected")]
    unsafe fn as_pairs(&self, into: &mut Vec<u32>) {
        let count = self.values.len() / self.padded;
        let pairs = count.div_ceil(2);
        at_least(into, pairs * self.padded, 0);
        for (pair, rows) in self.values.chunks(2 * self.padded).enumerate() {
            let (first, second) = rows.split_at(self.padded);
            for column in (0..self.padded).step_by(COLUMNS) {
                let second = (!second.is_empty()).then(|| &second[column..][..COLUMNS]);
                let run = &mut into[(column / COLUMNS * pairs + pair) * COLUMNS..][..COLUMNS];
                // SAFETY: the instructions of this function.
                unsafe { pack_pair(&first[column..][..COLUMNS], second, run) };
            }
        }
    }
}

impl Head<'_> {
    /// Keys of a row of scores, rounded up to whole panels.
    fn keys(&self) -> usize {
        self.tokens.next_multiple_of(COLUMNS)
    }

    fn scale(&self) -> f32 {
        1.0 / (self.heads.width as f32).sqrt()
    }

    fn dropout_of(&self, query: usize) -> Option<(&Dropout, RowKey)> {
        let query = u32::try_from(query).expect("a text has fewer than 2^32 tokens");
        self.dropout.map(|dropout| (dropout, dropout.attention_row(self.example, self.head, query)))
    }

    /// Columns of the query (0), key (1) or value (2) of this head in a row of `qkv`.
    fn column(&self, part: usize) -> usize {
        part * self.heads.hidden() + self.head * self.heads.width
    }

    fn gather(&self, qkv: &[bf16], part: usize, count: usize, rows: &mut Rows) {
        let stride = 3 * self.heads.hidden();
        rows.gather(&qkv[self.first_row * stride..], count, stride, self.column(part), self.heads.width);
    }

    /// `out[queries, keys] = left · columns` over the head's width, for rows `first..first + queries` of `left`.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
    #[expect(unsafe_code, reason = "tiles on raw pointers")]
    unsafe fn against_columns(&self, left: &Rows, first: usize, queries: usize, columns: &[u32], out: &mut [f32]) {
        let (keys, pairs) = (self.keys(), left.padded / 2);
        assert!(out.len() >= queries * keys && columns.len() >= keys * pairs, "operand shorter than its shape");
        for row in (0..queries).step_by(ROWS) {
            for key in (0..keys).step_by(COLUMNS) {
                let right = columns[key * pairs..].as_ptr();
                let target = Target { at: out[row * keys + key..].as_mut_ptr(), row: keys, add: false };
                let height = ROWS.min(queries - row);
                // SAFETY: shapes by the lines above.
                unsafe { tile::<Halves>(height, self.heads.width.div_ceil(2), left.left(first + row), right, target) };
            }
        }
    }

    /// `out[queries, padded] = left · pairs` over the keys.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
    #[expect(unsafe_code, reason = "tiles on raw pointers")]
    unsafe fn against_keys(&self, left: &[bf16], queries: usize, pairs: &[u32], padded: usize, out: &mut [f32]) {
        let (keys, depth) = (self.keys(), self.tokens.div_ceil(2));
        assert!(left.len() >= queries * keys && pairs.len() >= depth * padded, "operand shorter than its shape");
        assert!(out.len() >= queries * padded, "result shorter than its shape");
        for row in (0..queries).step_by(ROWS) {
            let left = Left { at: left[row * keys..].as_ptr().cast(), row: keys / 2, group: 1 };
            for column in (0..padded).step_by(COLUMNS) {
                let right = pairs[column * depth..].as_ptr();
                let target = Target { at: out[row * padded + column..].as_mut_ptr(), row: padded, add: false };
                // SAFETY: shapes by the lines above.
                unsafe { tile::<Halves>(ROWS.min(queries - row), depth, left, right, target) };
            }
        }
    }

    /// `out[keys, padded] += leftᵀ · right` over the queries of the tile that starts at query `first`.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
    #[expect(unsafe_code, reason = "tiles on raw pointers")]
    unsafe fn over_queries(
        &self,
        left: &[u32],
        (first, queries): (usize, usize),
        right: &[u32],
        padded: usize,
        out: &mut [f32],
    ) {
        let (keys, depth) = (self.keys(), queries.div_ceil(2));
        let all = self.queries.div_ceil(2);
        assert!(left.len() >= depth * keys && right.len() >= all * padded, "operand shorter than its shape");
        assert!(out.len() >= self.tokens * padded, "result shorter than its shape");
        for key in (0..self.tokens).step_by(ROWS) {
            let left = Left { at: left[key..].as_ptr(), row: 1, group: keys };
            for column in (0..padded).step_by(COLUMNS) {
                let right = right[column * all + first / 2 * COLUMNS..].as_ptr();
                let target = Target { at: out[key * padded + column..].as_mut_ptr(), row: padded, add: first > 0 };
                // SAFETY: shapes by the lines above.
                unsafe { tile::<Halves>(ROWS.min(self.tokens - key), depth, left, right, target) };
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")]
    #[expect(unsafe_code, reason = "vector instructions that were detected; heads write disjoint columns")]
    unsafe fn forward(&self, qkv: &[bf16], scratch: &mut Scratch, out: Shared<'_, bf16>, log_sum_exp: Shared<'_, f32>) {
        let (keys, width, hidden) = (self.keys(), self.heads.width, self.heads.hidden());
        self.gather(qkv, 0, self.queries, &mut scratch.query);
        self.gather(qkv, 1, self.tokens, &mut scratch.key);
        self.gather(qkv, 2, self.tokens, &mut scratch.value);
        let padded = scratch.query.padded;
        // SAFETY: the instructions of this function.
        unsafe {
            scratch.key.as_columns(&mut scratch.key_columns);
            scratch.value.as_pairs(&mut scratch.value_pairs);
        }
        at_least(&mut scratch.scores, FORWARD_QUERIES * keys, 0.0);
        at_least(&mut scratch.probabilities, FORWARD_QUERIES * keys, bf16::ZERO);
        at_least(&mut scratch.result, FORWARD_QUERIES * padded, 0.0);
        for first in (0..self.queries).step_by(FORWARD_QUERIES) {
            let queries = FORWARD_QUERIES.min(self.queries - first);
            scratch.scales.clear();
            // SAFETY: the instructions of this function; the columns of this head in the results of this text belong
            // to this task alone.
            unsafe {
                let (scores, probabilities) = (&mut scratch.scores, &mut scratch.probabilities);
                self.against_columns(&scratch.query, first, queries, &scratch.key_columns, scores);
                let rows = scores.chunks_exact_mut(keys).zip(probabilities.chunks_exact_mut(keys)).take(queries);
                for (query, (scores, probabilities)) in (first..).zip(rows) {
                    let (highest, sum) =
                        powers(scores, self.tokens, self.scale(), self.dropout_of(query), probabilities);
                    scratch.scales.push(1.0 / sum);
                    let at = (self.first_result + query) * self.heads.count + self.head;
                    log_sum_exp.part(at, 1)[0] = highest + sum.ln();
                }
                self.against_keys(probabilities, queries, &scratch.value_pairs, padded, &mut scratch.result);
                for (query, (result, scale)) in
                    (first..).zip(scratch.result.chunks_exact_mut(padded).zip(&scratch.scales))
                {
                    let to = out.part((self.first_result + query) * hidden + self.head * width, width);
                    result.iter_mut().for_each(|x| *x *= scale);
                    narrow_halves(&result[..width], to);
                }
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")]
    #[expect(unsafe_code, reason = "vector instructions that were detected; heads write disjoint columns")]
    unsafe fn backward(
        &self,
        (qkv, d_out, out): (&[bf16], &[bf16], &[bf16]),
        log_sum_exp: &[f32],
        scratch: &mut Scratch,
        d_qkv: Shared<'_, bf16>,
    ) {
        let (keys, width, hidden) = (self.keys(), self.heads.width, self.heads.hidden());
        self.gather(qkv, 0, self.queries, &mut scratch.query);
        self.gather(qkv, 1, self.tokens, &mut scratch.key);
        self.gather(qkv, 2, self.tokens, &mut scratch.value);
        let results = self.first_result * hidden;
        scratch.d_out.gather(&d_out[results..], self.queries, hidden, self.head * width, width);
        let padded = scratch.query.padded;
        // SAFETY: the instructions of this function.
        unsafe {
            scratch.key.as_columns(&mut scratch.key_columns);
            scratch.value.as_columns(&mut scratch.value_columns);
            scratch.key.as_pairs(&mut scratch.key_pairs);
            scratch.query.as_pairs(&mut scratch.query_pairs);
            scratch.d_out.as_pairs(&mut scratch.d_out_pairs);
        }
        let len = BACKWARD_QUERIES * keys;
        at_least(&mut scratch.scores, len, 0.0);
        at_least(&mut scratch.gradients, len, 0.0);
        at_least(&mut scratch.probabilities, len, bf16::ZERO);
        at_least(&mut scratch.d_scores, len, bf16::ZERO);
        at_least(&mut scratch.probability_pairs, len / 2, 0);
        at_least(&mut scratch.d_score_pairs, len / 2, 0);
        at_least(&mut scratch.result, BACKWARD_QUERIES * padded, 0.0);
        at_least(&mut scratch.d_key, self.tokens * padded, 0.0);
        at_least(&mut scratch.d_value, self.tokens * padded, 0.0);
        for first in (0..self.queries).step_by(BACKWARD_QUERIES) {
            let tile = (first, BACKWARD_QUERIES.min(self.queries - first));
            let queries = tile.1;
            // SAFETY: the instructions of this function; the columns of this head in the rows of this text belong to
            // this task alone.
            unsafe {
                self.against_columns(&scratch.query, first, queries, &scratch.key_columns, &mut scratch.scores);
                self.against_columns(&scratch.d_out, first, queries, &scratch.value_columns, &mut scratch.gradients);
                for query in 0..queries {
                    let at = (self.first_result + first + query) * hidden + self.head * width;
                    let row = query * keys..(query + 1) * keys;
                    score_gradients(
                        &mut scratch.scores[row.clone()],
                        &mut scratch.gradients[row.clone()],
                        self.tokens,
                        self.scale(),
                        log_sum_exp[(self.first_result + first + query) * self.heads.count + self.head],
                        dot(&d_out[at..][..width], &out[at..][..width]),
                        self.dropout_of(first + query),
                        &mut scratch.probabilities[row.clone()],
                        &mut scratch.d_scores[row],
                    );
                }
                self.against_keys(&scratch.d_scores, queries, &scratch.key_pairs, padded, &mut scratch.result);
                for (query, result) in (first..).zip(scratch.result.chunks_exact(padded).take(queries)) {
                    let to = d_qkv.part((self.first_row + query) * 3 * hidden + self.column(0), width);
                    narrow_halves(&result[..width], to);
                }
                pair_up(&scratch.probabilities[..queries * keys], keys, &mut scratch.probability_pairs);
                pair_up(&scratch.d_scores[..queries * keys], keys, &mut scratch.d_score_pairs);
                self.over_queries(&scratch.probability_pairs, tile, &scratch.d_out_pairs, padded, &mut scratch.d_value);
                self.over_queries(&scratch.d_score_pairs, tile, &scratch.query_pairs, padded, &mut scratch.d_key);
            }
        }
        for token in 0..self.tokens {
            let at = (self.first_row + token) * 3 * hidden;
            // SAFETY: as above.
            unsafe {
                narrow_halves(&scratch.d_key[token * padded..][..width], d_qkv.part(at + self.column(1), width));
                narrow_halves(&scratch.d_value[token * padded..][..width], d_qkv.part(at + self.column(2), width));
                if token >= self.queries {
                    d_qkv.part(at + self.column(0), width).fill(bf16::ZERO);
                }
            }
        }
    }
}

/// e^x for x from -87 to 88 to a few millionths: what is made of it is rounded to bf16.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding 1.5·2²³ rounds to an integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // Written so that something that is no number stays.
    let x = if x < -87.3 { -87.3 } else { x };
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let r = (shifted - ROUND).mul_add(-std::f32::consts::LN_2, x);
    // Taylor series to r⁵, |r| at most ln 2 / 2: what is left out is below 3·10⁻⁶.
    let mut series = r.mul_add(1.0 / 120.0, 1.0 / 24.0);
    series = series.mul_add(r, 1.0 / 6.0);
    series = series.mul_add(r, 0.5);
    series = series.mul_add(r, 1.0);
    series = series.mul_add(r, 1.0);
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    series * f32::from_bits(power)
}

/// From raw scores to powers e^(score - highest) times their dropout factors, as bf16; returns the highest scaled score
/// and the sum of the powers.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")]
fn powers(
    scores: &mut [f32],
    tokens: usize,
    scale: f32,
    dropout: Option<(&Dropout, RowKey)>,
    probabilities: &mut [bf16],
) -> (f32, f32) {
    scores[tokens..].fill(f32::NEG_INFINITY);
    let mut lanes = [f32::NEG_INFINITY; 16];
    for chunk in scores.chunks_exact(16) {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            // Written so that something that is no number stays.
            *lane = if x <= *lane { *lane } else { x };
        }
    }
    let highest =
        scale * lanes.into_iter().fold(f32::NEG_INFINITY, |highest, x| if x <= highest { highest } else { x });
    let mut lanes = [0.0_f32; 16];
    for chunk in scores.chunks_exact_mut(16) {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *x = exp(x.mul_add(scale, -highest));
            *lane += *x;
        }
    }
    if let Some((dropout, key)) = dropout {
        for (column, x) in (0_u32..).zip(scores.iter_mut()) {
            *x *= dropout.factor(key, column);
        }
    }
    narrow_halves(scores, probabilities);
    probabilities[tokens..].fill(bf16::ZERO);
    (highest, lanes.iter().sum())
}

/// From raw scores and gradients of probabilities to probabilities times their dropout factors and gradients of the raw
/// scores, both bf16. `delta`: the sum of d_out · out of the query, which equals that of p · dp over its keys.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")]
fn score_gradients(
    scores: &mut [f32],
    gradients: &mut [f32],
    tokens: usize,
    scale: f32,
    log_sum: f32,
    delta: f32,
    dropout: Option<(&Dropout, RowKey)>,
    probabilities: &mut [bf16],
    d_scores: &mut [bf16],
) {
    match dropout {
        None => {
            for (score, gradient) in scores.iter_mut().zip(&mut *gradients) {
                *score = exp(score.mul_add(scale, -log_sum));
                *gradient = *score * (*gradient - delta) * scale;
            }
        }
        Some((dropout, key)) => {
            // In runs of sixteen, which the compiler turns into vectors; one loop over all of it, it does not.
            let runs = scores.chunks_exact_mut(16).zip(gradients.chunks_exact_mut(16));
            for (first, (scores, gradients)) in (0_u32..).step_by(16).zip(runs) {
                let mut factors = [0.0_f32; 16];
                for (column, factor) in (first..).zip(&mut factors) {
                    *factor = dropout.factor(key, column);
                }
                for ((score, gradient), factor) in scores.iter_mut().zip(gradients).zip(factors) {
                    let p = exp(score.mul_add(scale, -log_sum));
                    *score = p * factor;
                    *gradient = p * gradient.mul_add(factor, -delta) * scale;
                }
            }
        }
    }
    narrow_halves(scores, probabilities);
    narrow_halves(gradients, d_scores);
    probabilities[tokens..].fill(bf16::ZERO);
    d_scores[tokens..].fill(bf16::ZERO);
}

/// Rows of `width` two by two; a last row alone is paired with zeros.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
#[expect(unsafe_code, reason = "vector instructions that were detected")]
unsafe fn pair_up(rows: &[bf16], width: usize, into: &mut [u32]) {
    for (rows, run) in rows.chunks(2 * width).zip(into.chunks_exact_mut(width)) {
        let (first, second) = rows.split_at(width);
        // SAFETY: the instructions of this function.
        unsafe { pack_pair(first, (!second.is_empty()).then_some(second), run) };
    }
}

/// The scalar product of two short runs, in sixteen lanes.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")]
fn dot(x: &[bf16], y: &[bf16]) -> f32 {
    let mut lanes = [0.0_f32; 16];
    for (x, y) in x.chunks(16).zip(y.chunks(16)) {
        let (mut a, mut b) = ([0.0_f32; 16], [0.0_f32; 16]);
        widen_run(x, &mut a);
        widen_run(y, &mut b);
        for (lane, (a, b)) in lanes.iter_mut().zip(a.into_iter().zip(b)) {
            *lane = a.mul_add(b, *lane);
        }
    }
    lanes.iter().sum()
}

/// Runs `work` for every head of every text that has rows.
fn for_each_head<'a>(
    cpu: &Cpu,
    heads: Heads,
    layout: &Layout,
    queries: Queries,
    dropout: Option<&'a Dropout>,
    work: impl Fn(Head<'a>, &mut Scratch) + Sync,
) {
    cpu.tasks_with(Kind::Attention, layout.texts() * heads.count, Scratch::default, |scratch, task| {
        let (text, head) = (task / heads.count, task % heads.count);
        let rows = layout.range(text);
        let (queries, first_result) = match queries {
            Queries::All => (rows.len(), rows.start),
            Queries::First => (1, text),
        };
        if !rows.is_empty() {
            let (tokens, first_row, example) = (rows.len(), rows.start, layout.example(text));
            work(Head { heads, head, tokens, queries, first_row, first_result, example, dropout }, scratch);
        }
    });
}

/// [`crate::Backend::attention_varlen`].
pub(in crate::cpu) fn forward(
    cpu: &Cpu,
    qkv: &[bf16],
    heads: Heads,
    layout: &Layout,
    queries: Queries,
    dropout: Option<&Dropout>,
    out: &mut [bf16],
    log_sum_exp: &mut [f32],
) {
    let (out, log_sum_exp) = (Shared::new(out), Shared::new(log_sum_exp));
    for_each_head(cpu, heads, layout, queries, dropout, |head, scratch| {
        #[expect(unsafe_code, reason = "instructions that were detected")]
        // SAFETY: bf16 operands exist only where AVX512-BF16 was detected; each head is asked once.
        unsafe {
            head.forward(qkv, scratch, out, log_sum_exp);
        }
    });
}

/// [`crate::Backend::attention_varlen_backward`].
pub(in crate::cpu) fn backward(
    cpu: &Cpu,
    (qkv, d_out, out): (&[bf16], &[bf16], &[bf16]),
    log_sum_exp: &[f32],
    heads: Heads,
    layout: &Layout,
    queries: Queries,
    dropout: Option<&Dropout>,
    d_qkv: &mut [bf16],
) {
    let d_qkv = Shared::new(d_qkv);
    for_each_head(cpu, heads, layout, queries, dropout, |head, scratch| {
        #[expect(unsafe_code, reason = "instructions that were detected")]
        // SAFETY: as in the forward.
        unsafe {
            head.backward((qkv, d_out, out), log_sum_exp, scratch, d_qkv);
        }
    });
}
