//! From numbers to bytes: weights once, rows of activations at each product.

use std::arch::x86_64::{
    _mm_cvtss_si32, _mm_set_ss, _mm_storeu_si128, _mm512_cvtps_epi32, _mm512_cvtusepi32_epi8, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_max_epi32, _mm512_max_ps, _mm512_min_ps, _mm512_reduce_add_ps, _mm512_reduce_max_ps,
    _mm512_reduce_min_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512,
};

use half::bf16;

use crate::cpu::buffer::widen_run;
use crate::cpu::tile::COLUMNS;

/// Bytes of one group of depth.
pub(super) const GROUP: usize = 4;

/// A weight, O×I, as signed bytes in panels: for each 32 outputs and each group of four inputs, 32 groups.
#[derive(Clone, Debug, Default)]
pub(in crate::cpu) struct Quantized {
    pub(super) outputs: usize,
    /// Groups of depth.
    pub(super) groups: usize,
    panels: Vec<u32>,
    /// One for each output, and zeros up to whole panels.
    pub(super) scales: Vec<f32>,
    /// Sums of each output's bytes.
    pub(super) sums: Vec<i32>,
}

impl Quantized {
    pub(in crate::cpu) fn new(values: &[f32], inputs: usize) -> Self {
        let (outputs, groups) = (values.len() / inputs, inputs.div_ceil(GROUP));
        let padded = outputs.next_multiple_of(COLUMNS);
        let mut quantized = Self {
            outputs,
            groups,
            panels: vec![0; padded * groups],
            scales: vec![0.0; padded],
            sums: vec![0; padded],
        };
        for (output, row) in values.chunks_exact(inputs).enumerate() {
            quantized.set_row(output, row);
        }
        quantized
    }

    fn set_row(&mut self, output: usize, row: &[f32]) {
        let largest = row.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        let scale = largest / 127.0;
        // A damaged weight must not look like a sound one.
        let damaged: f32 = row.iter().map(|x| x * 0.0).sum();
        self.scales[output] = scale + damaged;
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        let panel = &mut self.panels[output / COLUMNS * COLUMNS * self.groups..][..COLUMNS * self.groups];
        for (group, numbers) in row.chunks(GROUP).enumerate() {
            let mut bytes = [0_i8; GROUP];
            for (byte, x) in bytes.iter_mut().zip(numbers) {
                #[expect(clippy::cast_possible_truncation, reason = "at most 127 in size, and rounded")]
                let rounded = (x * inverse).round_ties_even().clamp(-127.0, 127.0) as i8;
                *byte = rounded;
                self.sums[output] += i32::from(rounded);
            }
            panel[group * COLUMNS + output % COLUMNS] = u32::from_le_bytes(bytes.map(i8::cast_unsigned));
        }
    }

    pub(super) fn count(&self) -> usize {
        self.outputs.div_ceil(COLUMNS)
    }

    pub(super) fn panel(&self, panel: usize) -> &[u32] {
        &self.panels[panel * COLUMNS * self.groups..][..COLUMNS * self.groups]
    }
}

/// Quantises one row of activations to unsigned bytes; returns its scale and zero point. A row with something that is no
/// finite number has a scale that is none, and so has everything made of it.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
pub(super) fn quantize_row(row: &[bf16], values: &mut [f32], bytes: &mut [u8]) -> (f32, i32) {
    widen_run(row, values);
    let (lowest, highest, damaged) = range(values);
    let scale = (highest - lowest) / 255.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    let zero = to_whole(-lowest * inverse);
    let shift = zero as f32;
    let chunks = values.chunks_exact(16);
    let done = values.len() - chunks.remainder().len();
    for (chunk, bytes) in chunks.zip(bytes.chunks_exact_mut(16)) {
        #[expect(unsafe_code, reason = "vector instructions on raw pointers")]
        // SAFETY: sixteen numbers and sixteen bytes.
        unsafe {
            let x = _mm512_fmadd_ps(_mm512_loadu_ps(chunk.as_ptr()), _mm512_set1_ps(inverse), _mm512_set1_ps(shift));
            let whole = _mm512_max_epi32(_mm512_cvtps_epi32(x), _mm512_setzero_si512());
            _mm_storeu_si128(bytes.as_mut_ptr().cast(), _mm512_cvtusepi32_epi8(whole));
        }
    }
    for (byte, &x) in bytes[done..].iter_mut().zip(&values[done..]) {
        *byte = u8::try_from(to_whole(x.mul_add(inverse, shift)).clamp(0, 255)).expect("from 0 to 255");
    }
    bytes[values.len()..].fill(0);
    (scale + damaged, zero)
}

/// The lowest and the highest of some numbers and zero; and zero, or not a number if one of them is not finite.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn range(values: &[f32]) -> (f32, f32, f32) {
    let [mut lowest, mut highest, mut damaged] = [_mm512_setzero_ps(); 3];
    let chunks = values.chunks_exact(16);
    let mut last = [0.0_f32; 16];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    for chunk in chunks.chain([&last[..]]) {
        #[expect(unsafe_code, reason = "vector instructions on raw pointers")]
        // SAFETY: sixteen numbers.
        let x = unsafe { _mm512_loadu_ps(chunk.as_ptr()) };
        lowest = _mm512_min_ps(lowest, x);
        highest = _mm512_max_ps(highest, x);
        damaged = _mm512_fmadd_ps(x, _mm512_setzero_ps(), damaged);
    }
    (_mm512_reduce_min_ps(lowest), _mm512_reduce_max_ps(highest), _mm512_reduce_add_ps(damaged))
}

/// The nearest whole number, ties to even.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn to_whole(x: f32) -> i32 {
    _mm_cvtss_si32(_mm_set_ss(x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn a_row_comes_back_within_half_a_step() {
        if Isa::detect() != Isa::Avx512Bf16 {
            return;
        }
        for (len, low, high) in [(1, -1.0, 1.0), (7, 0.0, 3.0), (64, -0.2, 6.0), (100, -5.0, -1.0), (33, 0.0, 0.0)] {
            let row: Vec<bf16> =
                (0..len).map(|n| bf16::from_f32(low + (high - low) * (n * 37 % 101) as f32 / 101.0)).collect();
            let (mut values, mut bytes) = (vec![0.0; len], vec![9; len.next_multiple_of(GROUP)]);
            #[expect(unsafe_code, reason = "calls a function compiled for instructions that were detected")]
            // SAFETY: detected above.
            let (scale, zero) = unsafe { quantize_row(&row, &mut values, &mut bytes) };
            for (x, &byte) in row.iter().zip(&bytes) {
                let back = scale * (i32::from(byte) - zero) as f32;
                assert!((x.to_f32() - back).abs() <= 0.51 * scale, "{x} came back as {back} with a step of {scale}");
            }
            assert!(bytes[len..].iter().all(|&byte| byte == 0), "groups are filled up with zeros");
        }
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let row: Vec<bf16> = [1.0, bad, -2.0].map(bf16::from_f32).into();
            #[expect(unsafe_code, reason = "calls a function compiled for instructions that were detected")]
            // SAFETY: detected above.
            let (scale, _) = unsafe { quantize_row(&row, &mut [0.0; 3], &mut [0; 4]) };
            assert!(!scale.is_finite(), "{bad} must not be lost");
        }
    }

    #[test]
    fn a_weight_comes_back_within_half_a_step_of_its_output() {
        let (outputs, inputs) = (33, 10);
        let values: Vec<f32> = (0..outputs * inputs).map(|n| (n * 31 % 67) as f32 * 0.01 - 0.3).collect();
        let quantized = Quantized::new(&values, inputs);
        for (at, &x) in values.iter().enumerate() {
            let (output, input) = (at / inputs, at % inputs);
            let group = quantized.panel(output / COLUMNS)[input / GROUP * COLUMNS + output % COLUMNS];
            let byte = group.to_le_bytes()[input % GROUP].cast_signed();
            let back = f32::from(byte) * quantized.scales[output];
            assert!((x - back).abs() <= 0.5001 * quantized.scales[output], "{x} came back as {back}");
        }
    }
}
