//! Rows of one head, copied together, and in the orders that tiles read.

use half::bf16;

use super::super::panels::pack_pair;
use super::super::vectors::transpose;
use crate::cpu::tile::{COLUMNS, Left};

/// Rows of one head, copied together: T×`padded` with zeros behind the head's width.
#[derive(Debug, Default)]
pub(super) struct Rows {
    values: Vec<bf16>,
    pub(super) padded: usize,
}

/// Grows to `len`; what was there stays, as garbage to be overwritten.
pub(super) fn at_least<T: Clone>(buffer: &mut Vec<T>, len: usize, zero: T) {
    if buffer.len() < len {
        buffer.resize(len, zero);
    }
}

impl Rows {
    /// Copies columns `column..column + width` of `count` rows of `stride`.
    pub(super) fn gather(&mut self, from: &[bf16], count: usize, stride: usize, column: usize, width: usize) {
        self.padded = width.next_multiple_of(COLUMNS);
        self.values.clear();
        self.values.resize(count * self.padded, bf16::ZERO);
        for (row, to) in self.values.chunks_exact_mut(self.padded).enumerate() {
            to[..width].copy_from_slice(&from[row * stride + column..][..width]);
        }
    }

    pub(super) fn left(&self, row: usize) -> Left {
        Left { at: self.values[row * self.padded..].as_ptr().cast(), row: self.padded / 2, group: 1 }
    }

    /// The rows as columns of panels: for each panel of 32 rows and each pair of width, 32 pairs. Zeros behind the
    /// last row.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
    #[expect(unsafe_code, reason = "vector instructions on raw pointers")]
    pub(super) unsafe fn as_columns(&self, into: &mut Vec<u32>) {
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
    pub(super) unsafe fn as_pairs(&self, into: &mut Vec<u32>) {
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
