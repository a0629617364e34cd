//! Buffers in single precision or in bfloat16, and rows of them as f32.
//!
//! Operations that go row by row load a row as f32, work on it and store the result; only what a buffer keeps between
//! operations is rounded.

use half::bf16;

use super::isa::{Isa, for_each_isa};
use super::shared::Shared;

/// A run of numbers of [`super::Cpu`].
#[derive(Clone, Debug)]
pub enum CpuBuffer {
    /// f32.
    Single(Vec<f32>),
    /// bfloat16: an f32 without its lower 16 bits.
    Half(Vec<bf16>),
}

impl CpuBuffer {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Half(values) => values.len(),
        }
    }

    /// The elements from `at` as f32.
    pub(super) fn load(&self, isa: Isa, at: usize, into: &mut [f32]) {
        match self {
            Self::Single(values) => into.copy_from_slice(&values[at..at + into.len()]),
            Self::Half(values) => widen(isa, &values[at..at + into.len()], into),
        }
    }

    /// The buffer as f32.
    ///
    /// # Panics
    /// If it holds bf16: the caller handed an operand where the operation asks for f32.
    pub(super) fn single(&self) -> &[f32] {
        match self {
            Self::Single(values) => values,
            Self::Half(_) => panic!("this operation takes f32"),
        }
    }

    /// [`CpuBuffer::single`], to be changed.
    pub(super) fn single_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Single(values) => values,
            Self::Half(_) => panic!("this operation takes f32"),
        }
    }

    /// For tasks that write disjoint elements.
    pub(super) fn shared(&mut self) -> SharedBuffer<'_> {
        match self {
            Self::Single(values) => SharedBuffer::Single(Shared::new(values)),
            Self::Half(values) => SharedBuffer::Half(Shared::new(values)),
        }
    }
}

/// A buffer that several tasks write, each its own elements.
#[derive(Clone, Copy)]
pub(super) enum SharedBuffer<'a> {
    Single(Shared<'a, f32>),
    Half(Shared<'a, bf16>),
}

#[expect(unsafe_code, reason = "tasks write disjoint parts")]
impl SharedBuffer<'_> {
    /// The elements from `at` as f32.
    ///
    /// # Safety
    /// No other task may write these elements meanwhile.
    pub(super) unsafe fn load(&self, isa: Isa, at: usize, into: &mut [f32]) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::Single(values) => into.copy_from_slice(values.part(at, into.len())),
                Self::Half(values) => widen(isa, values.part(at, into.len()), into),
            }
        }
    }

    /// Overwrites the elements from `at`.
    ///
    /// # Safety
    /// No other task may touch these elements meanwhile.
    pub(super) unsafe fn store(&self, isa: Isa, at: usize, from: &[f32]) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::Single(values) => values.part(at, from.len()).copy_from_slice(from),
                Self::Half(values) => narrow(isa, from, values.part(at, from.len())),
            }
        }
    }
}

for_each_isa! {
    pub(super) fn widen(from: &[bf16], into: &mut [f32]) {
        widen_run(from, into);
    }
}

for_each_isa! {
    pub(super) fn narrow(from: &[f32], into: &mut [bf16]) {
        narrow_run(from, into);
    }
}

/// [`widen`] inside a function that is compiled for an instruction set.
#[inline(always)]
pub(super) fn widen_run(from: &[bf16], into: &mut [f32]) {
    for (x, half) in into.iter_mut().zip(from) {
        *x = f32::from_bits(u32::from(half.to_bits()) << 16);
    }
}

/// [`narrow`] inside a function that is compiled for an instruction set.
#[inline(always)]
pub(super) fn narrow_run(from: &[f32], into: &mut [bf16]) {
    for (half, &x) in into.iter_mut().zip(from) {
        *half = round(x);
    }
}

/// To the nearest bf16, ties to even; not a number stays so. Written without branches, so that it vectorises.
#[inline(always)]
pub(super) fn round(x: f32) -> bf16 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7FFF + (bits >> 16 & 1));
    let kept = if x.is_nan() { bits | 0x0040_0000 } else { rounded };
    bf16::from_bits((kept >> 16) as u16)
}

/// [`narrow_run`] with the instruction for it, which takes numbers below 2⁻¹²⁶ for zero.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
#[expect(unsafe_code, reason = "vector instructions on raw pointers")]
pub(super) fn narrow_halves(from: &[f32], into: &mut [bf16]) {
    use std::arch::x86_64::{__m512bh, __m512i, _mm512_cvtne2ps_pbh, _mm512_loadu_ps, _mm512_storeu_si512};
    let (chunks, halves) = (from.chunks_exact(32), into.chunks_exact_mut(32));
    let rest = chunks.remainder();
    for (from, into) in chunks.zip(halves) {
        // SAFETY: 32 numbers on both sides; both types of register are 512 bits without invalid values.
        unsafe {
            let (low, high) = (_mm512_loadu_ps(from.as_ptr()), _mm512_loadu_ps(from[16..].as_ptr()));
            let pairs = std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low));
            _mm512_storeu_si512(into.as_mut_ptr().cast(), pairs);
        }
    }
    let done = from.len() - rest.len();
    for (half, &x) in into[done..].iter_mut().zip(rest) {
        // The same numbers are zero in a rest as in a chunk.
        *half = if x.abs() < f32::MIN_POSITIVE { round(0.0_f32.copysign(x)) } else { round(x) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_as_the_standard_library_of_halves_does() {
        let cases =
            [0.0, -0.0, 1.0, 1.003_906_2, 1.011_718_8, -3.3e38, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, 1e-40];
        let more = (0..100_000_u32).map(|n| f32::from_bits(n.wrapping_mul(42_949)));
        for x in cases.into_iter().chain(more) {
            assert_eq!(round(x).to_bits(), bf16::from_f32(x).to_bits(), "{x:e}");
        }
        assert!(round(f32::NAN).is_nan() && round(f32::from_bits(0x7F80_0001)).is_nan());
    }
}
