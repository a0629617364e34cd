//! The gradient's norm and AdamW on a run of elements, one pass over memory each.

use super::isa::for_each_isa;
use crate::master::AdamWFactors;

/// Elements whose squares are summed by one task: fixed, so that sums do not depend on the number of threads.
pub(super) const NORM_CHUNK: usize = 16 * 1024;

for_each_isa! {
    /// Sum of squares in 16 double-precision lanes.
    pub(super) fn chunk_norm(x: &[f32]) -> f64 {
        let mut lanes = [0.0_f64; 16];
        let chunks = x.chunks_exact(LINE);
        let rest = chunks.remainder();
        for chunk in chunks {
            fetch_ahead(chunk);
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane += f64::from(x) * f64::from(x);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane += f64::from(x) * f64::from(x);
        }
        lanes.iter().sum()
    }
}

for_each_isa! {
    /// One step on elements of a weight that learns; the gradient is left as it is.
    pub(super) fn adamw_chunk(
        factors: &AdamWFactors,
        value: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        let lines = value.chunks_mut(LINE).zip(gradient.chunks(LINE)).zip(first.chunks_mut(LINE)).zip(second.chunks_mut(LINE));
        for (((value, gradient), first), second) in lines {
            [&*value, gradient, first, second].into_iter().for_each(fetch_ahead);
            if let (Ok(value), Ok(gradient), Ok(first), Ok(second)) = (
                <&mut [f32; LINE]>::try_from(&mut *value),
                <&[f32; LINE]>::try_from(gradient),
                <&mut [f32; LINE]>::try_from(&mut *first),
                <&mut [f32; LINE]>::try_from(&mut *second),
            ) {
                for at in 0..LINE {
                    factors.apply(&mut value[at], gradient[at], &mut first[at], &mut second[at]);
                }
            } else {
                for (((value, &gradient), first), second) in value.iter_mut().zip(gradient).zip(first).zip(second) {
                    factors.apply(value, gradient, first, second);
                }
            }
        }
    }
}

/// Elements of a line of the cache.
const LINE: usize = 16;

/// Asks for what stands a page of memory further on: the processor's own prefetching ends with each page.
#[inline(always)]
fn fetch_ahead(line: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "a hint that never faults")]
    // SAFETY: the instruction is part of every x86-64 processor and takes any address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().wrapping_add(AHEAD).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}

/// Elements that [`fetch_ahead`] looks ahead.
const AHEAD: usize = 1024;
