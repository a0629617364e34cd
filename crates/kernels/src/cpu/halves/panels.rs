//! Operands in the order in which a tile reads them.
//!
//! A panel is a strip of neighbouring columns of an operand: for each pair of depth, one pair for each column. Depth
//! and columns are filled up with zeros. A weight is packed into panels after each optimiser step, activations when a
//! weight's gradient is computed.

use std::arch::x86_64::{_mm512_setzero_si512, _mm512_storeu_si512};

use half::bf16;

use super::vectors::{interleave, pairs_of, transpose};
use crate::cpu::Cpu;
use crate::cpu::buffer::round;
use crate::cpu::profile::Kind;
use crate::cpu::shared::Shared;
use crate::cpu::tile::COLUMNS;
use crate::layout::Layout;

/// An operand in panels.
#[derive(Clone, Debug, Default)]
pub(in crate::cpu) struct Panels {
    pub(super) columns: usize,
    /// Pairs of depth.
    pub(super) pairs: usize,
    /// Columns of one panel.
    width: usize,
    data: Vec<u32>,
}

impl Panels {
    pub(super) fn new(columns: usize, depth: usize) -> Self {
        let mut panels = Self::default();
        panels.reshape(columns, depth.div_ceil(2), COLUMNS);
        panels
    }

    /// Makes room for another shape; what was there is garbage afterwards.
    fn reshape(&mut self, columns: usize, pairs: usize, width: usize) {
        (self.columns, self.pairs, self.width) = (columns, pairs, width);
        let len = columns.div_ceil(width) * width * pairs;
        if self.data.len() < len {
            self.data.resize(len, 0);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.columns.div_ceil(self.width)
    }

    /// The panel that starts at column `panel` times the width.
    pub(super) fn panel(&self, panel: usize) -> &[u32] {
        &self.data[panel * self.width * self.pairs..][..self.width * self.pairs]
    }
}

/// The two packed forms of a weight: for the product with its transpose (forward) and with itself (gradient of the
/// input). The second is made when it is first asked for: a network that only answers needs none.
#[derive(Clone, Debug, Default)]
pub(in crate::cpu) struct Packed {
    /// Depth: inputs; columns: outputs.
    pub(super) forward: Panels,
    /// Depth: outputs; columns: inputs.
    pub(super) backward: Option<Panels>,
}

/// Rows of a weight, O×I, that one task packs: the width of a panel, so that tasks write disjoint panels forward and
/// disjoint pairs backward.
pub(in crate::cpu) const BAND: usize = COLUMNS;

/// Where tasks write the packed forms of bands of one weight.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct PackedBands<'a> {
    forward: Shared<'a, u32>,
    backward: Option<Shared<'a, u32>>,
}

impl Packed {
    pub(in crate::cpu) fn new(outputs: usize, inputs: usize) -> Self {
        Self { forward: Panels::new(outputs, inputs), backward: None }
    }

    pub(in crate::cpu) fn bands(&mut self) -> PackedBands<'_> {
        PackedBands {
            forward: Shared::new(&mut self.forward.data),
            backward: self.backward.as_mut().map(|panels| Shared::new(&mut panels.data)),
        }
    }

    /// Packs the whole of a weight that changed.
    pub(in crate::cpu) fn renew(&mut self, cpu: &Cpu, values: &[f32], inputs: usize) {
        let bands = self.bands();
        let (values, len) = (values.chunks(BAND * inputs), values.len() / inputs);
        let values: Vec<&[f32]> = values.collect();
        cpu.tasks(Kind::Optimizer, values.len(), |band| bands.pack(band, values[band], len, inputs));
    }

    /// The panels for the gradient of the input.
    pub(super) fn backward(&mut self, cpu: &Cpu, values: &[f32], inputs: usize) -> &Panels {
        if self.backward.is_none() {
            self.backward = Some(Panels::new(inputs, values.len() / inputs));
            self.renew(cpu, values, inputs);
        }
        self.backward.as_ref().expect("made above")
    }
}

impl PackedBands<'_> {
    /// Packs band `band` of a weight of `outputs` rows; `values`: the rows of the band.
    pub(in crate::cpu) fn pack(&self, band: usize, values: &[f32], outputs: usize, inputs: usize) {
        let rows = values.len() / inputs;
        let first = band * BAND;
        let forward_pairs = inputs.div_ceil(2);
        #[expect(unsafe_code, reason = "bands write disjoint panels and pairs")]
        // SAFETY: panel `band` of the forward form and pairs `first / 2..` of the backward form belong to this band
        // alone; inside, 16 columns and 32 rows are there where the vector code runs.
        unsafe {
            let panel = self.forward.part(band * COLUMNS * forward_pairs, COLUMNS * forward_pairs);
            if rows == BAND && inputs.is_multiple_of(32) {
                forward_vectors(values, inputs, panel);
            } else {
                forward_elements(values, rows, inputs, panel);
            }
            let Some(backward) = &self.backward else { return };
            let pairs = outputs.div_ceil(2);
            for column in (0..inputs).step_by(COLUMNS) {
                let columns = COLUMNS.min(inputs - column);
                let count = rows.div_ceil(2);
                let panel = backward.part(column * pairs + first / 2 * COLUMNS, count * COLUMNS);
                if rows == BAND && columns == COLUMNS {
                    backward_vectors(&values[column..], inputs, panel);
                } else {
                    backward_elements(&values[column..], (rows, columns), inputs, panel);
                }
            }
        }
    }
}

fn pair_of(first: f32, second: f32) -> u32 {
    u32::from(round(first).to_bits()) | u32::from(round(second).to_bits()) << 16
}

/// One panel of 32 outputs, any number of inputs.
fn forward_elements(values: &[f32], rows: usize, inputs: usize, panel: &mut [u32]) {
    for (pair, run) in panel.chunks_exact_mut(COLUMNS).enumerate() {
        for (row, to) in run.iter_mut().enumerate() {
            let at = |input: usize| if row < rows && input < inputs { values[row * inputs + input] } else { 0.0 };
            *to = pair_of(at(2 * pair), at(2 * pair + 1));
        }
    }
}

/// [`forward_elements`] of 32 rows whose width is a multiple of 32.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
#[expect(unsafe_code, reason = "vector instructions on raw pointers")]
unsafe fn forward_vectors(values: &[f32], inputs: usize, panel: &mut [u32]) {
    for input in (0..inputs).step_by(32) {
        for half in [0, 16] {
            let mut square = [_mm512_setzero_si512(); 16];
            for (row, pairs) in square.iter_mut().enumerate() {
                // SAFETY: 32 numbers from here are within the row.
                *pairs = unsafe { pairs_of(values[(half + row) * inputs + input..][..32].as_ptr()) };
            }
            for (pair, columns) in transpose(square).into_iter().enumerate() {
                let to = &mut panel[(input / 2 + pair) * COLUMNS + half..][..16];
                // SAFETY: sixteen elements, by the line above.
                unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), columns) };
            }
        }
    }
}

/// Pairs of rows of one panel of inputs; a last row without a partner is paired with zeros.
fn backward_elements(values: &[f32], (rows, columns): (usize, usize), stride: usize, panel: &mut [u32]) {
    for (pair, run) in panel.chunks_exact_mut(COLUMNS).enumerate() {
        for (column, to) in run.iter_mut().enumerate() {
            let at = |row: usize| if row < rows && column < columns { values[row * stride + column] } else { 0.0 };
            *to = pair_of(at(2 * pair), at(2 * pair + 1));
        }
    }
}

/// [`backward_elements`] of 32 rows and 32 columns.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
#[expect(unsafe_code, reason = "vector instructions on raw pointers")]
unsafe fn backward_vectors(values: &[f32], stride: usize, panel: &mut [u32]) {
    for (pair, run) in panel.chunks_exact_mut(COLUMNS).enumerate() {
        // SAFETY: 32 numbers of two rows, and room for 32 pairs, by the slices.
        unsafe {
            let mut rows = [[bf16::ZERO; 32]; 2];
            for (row, halves) in rows.iter_mut().enumerate() {
                let pairs = pairs_of(values[(2 * pair + row) * stride..][..32].as_ptr());
                _mm512_storeu_si512(halves.as_mut_ptr().cast(), pairs);
            }
            for half in [0, 16] {
                let pairs = interleave(rows[0][half..].as_ptr(), Some(rows[1][half..].as_ptr()));
                _mm512_storeu_si512(run[half..].as_mut_ptr().cast(), pairs);
            }
        }
    }
}

/// Rows of a batch in pairs for sums over them: each text's rows two by two, its last alone where they are odd. Pairs
/// never join two texts, so sums do not depend on where a batch was cut.
pub(super) fn row_pairs(layout: &Layout) -> Vec<(usize, bool)> {
    let of_text = |text: usize| layout.range(text).step_by(2).map(move |row| (row, row + 1 < layout.range(text).end));
    (0..layout.texts()).flat_map(of_text).collect()
}

/// Pairs of rows that one task packs.
const PAIR_CHUNK: usize = 16;

/// Packs `x`, N×`columns`, with its rows as depth, into panels of `width` columns.
pub(super) fn pack_rows(
    cpu: &Cpu,
    x: &[bf16],
    columns: usize,
    pairs: &[(usize, bool)],
    width: usize,
    panels: &mut Panels,
) {
    panels.reshape(columns, pairs.len(), width);
    let count = panels.count();
    let to = Shared::new(&mut panels.data);
    cpu.tasks(Kind::Products, pairs.len().div_ceil(PAIR_CHUNK), |chunk| {
        let first = chunk * PAIR_CHUNK;
        let chunk = &pairs[first..pairs.len().min(first + PAIR_CHUNK)];
        for panel in 0..count {
            let column = panel * width;
            let at = (panel * pairs.len() + first) * width;
            #[expect(unsafe_code, reason = "chunks write disjoint pairs")]
            // SAFETY: these pairs of the panel belong to this task alone.
            let run = unsafe { to.part(at, chunk.len() * width) };
            for (&(row, has_second), run) in chunk.iter().zip(run.chunks_exact_mut(width)) {
                let first = &x[row * columns + column..(row + 1) * columns];
                let second = has_second.then(|| &x[(row + 1) * columns + column..(row + 2) * columns]);
                #[expect(unsafe_code, reason = "vector instructions that were detected")]
                // SAFETY: this module runs only where AVX512-BF16 was detected.
                unsafe {
                    pack_pair(first, second, run);
                };
            }
        }
    });
}

/// Pairs of as many columns as `first`, up to the length of `run`; zeros behind them.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
#[expect(unsafe_code, reason = "vector instructions on raw pointers")]
pub(super) unsafe fn pack_pair(first: &[bf16], second: Option<&[bf16]>, run: &mut [u32]) {
    for (column, to) in run.chunks_exact_mut(16).enumerate() {
        let column = 16 * column;
        let columns = first.len().saturating_sub(column).min(16);
        // SAFETY: sixteen numbers of each row, by the slices, and sixteen elements of the run.
        unsafe {
            let pairs = if columns == 16 {
                interleave(first[column..].as_ptr(), second.map(|second| second[column..][..16].as_ptr()))
            } else {
                let mut rows = [[bf16::ZERO; 16]; 2];
                for (row, from) in rows.iter_mut().zip([Some(first), second]) {
                    if let Some(from) = from {
                        row[..columns].copy_from_slice(&from[from.len().min(column)..][..columns]);
                    }
                }
                interleave(rows[0].as_ptr(), Some(rows[1].as_ptr()))
            };
            _mm512_storeu_si512(to.as_mut_ptr().cast(), pairs);
        }
    }
}
