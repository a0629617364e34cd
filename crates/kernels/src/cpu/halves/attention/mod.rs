//! Attention of one head of one text on bf16 operands, in tiles of queries that stay in cache.
//!
//! A (text, head) pair is one task and touches only its own rows and columns, so its bits depend on that text alone.
//! Scores and softmax are f32; probabilities and gradients of scores are rounded to bf16 for the products that follow,
//! whose sums are f32 again. The scheme is FlashAttention-2's (arXiv 2307.08691), except that all keys of a tile of
//! queries are at hand at once: 512 keys fit the second-level cache.

mod rows;
mod scores;

use half::bf16;

use crate::cpu::Cpu;
use crate::cpu::buffer::narrow_halves;
use crate::cpu::heads::{Head, for_each_head};
use crate::cpu::shared::Shared;
use crate::cpu::tile::{COLUMNS, Halves, Left, ROWS, Target, tile};
use crate::{Dropout, Heads, Layout, Queries};
use rows::{Rows, at_least};
use scores::{dot, pair_up, powers, score_gradients};

/// Queries of one tile forward: with 512 keys the scores take 48 KiB.
const FORWARD_QUERIES: usize = 2 * ROWS;
/// Queries of one tile backward: deeper sums over queries spare loads of the gradients of keys and values.
const BACKWARD_QUERIES: usize = 4 * ROWS;

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

impl Head<'_> {
    /// Keys of a row of scores, rounded up to whole panels.
    fn keys(&self) -> usize {
        self.tokens.next_multiple_of(COLUMNS)
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
                    let at = (self.first_result + query) * self.heads.count + self.number;
                    log_sum_exp.part(at, 1)[0] = highest + sum.ln();
                }
                self.against_keys(probabilities, queries, &scratch.value_pairs, padded, &mut scratch.result);
                for (query, (result, scale)) in
                    (first..).zip(scratch.result.chunks_exact_mut(padded).zip(&scratch.scales))
                {
                    let to = out.part((self.first_result + query) * hidden + self.number * width, width);
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
        scratch.d_out.gather(&d_out[results..], self.queries, hidden, self.number * width, width);
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
                    let at = (self.first_result + first + query) * hidden + self.number * width;
                    let row = query * keys..(query + 1) * keys;
                    score_gradients(
                        &mut scratch.scores[row.clone()],
                        &mut scratch.gradients[row.clone()],
                        self.tokens,
                        self.scale(),
                        log_sum_exp[(self.first_result + first + query) * self.heads.count + self.number],
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
    for_each_head(cpu, heads, layout, queries, dropout, |head, scratch: &mut Scratch| {
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
    for_each_head(cpu, heads, layout, queries, dropout, |head, scratch: &mut Scratch| {
        #[expect(unsafe_code, reason = "instructions that were detected")]
        // SAFETY: as in the forward.
        unsafe {
            head.backward((qkv, d_out, out), log_sum_exp, scratch, d_qkv);
        }
    });
}
