//! The gradient's norm and the AdamW step, one pass over memory each.

use rayon::prelude::*;

use super::isa::for_each_isa;
use crate::AdamW;
use crate::master::{AdamWFactors, Master};

/// Elements of one task: fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 16 * 1024;

/// Sum of squares: each chunk in 16 double-precision lanes, the chunks in order.
pub(super) fn squared_norm(isa: super::Isa, gradient: &[f32]) -> f64 {
    let chunks: Vec<f64> = gradient.par_chunks(CHUNK).map(|chunk| chunk_norm(isa, chunk)).collect();
    chunks.iter().sum()
}

/// One step on a weight that learns.
pub(super) fn adamw(isa: super::Isa, master: &mut Master, step: &AdamW) {
    let factors = AdamWFactors::from(step);
    master
        .value
        .par_chunks_mut(CHUNK)
        .zip(master.gradient.par_chunks_mut(CHUNK))
        .zip(master.first_moment.par_chunks_mut(CHUNK))
        .zip(master.second_moment.par_chunks_mut(CHUNK))
        .for_each(|(((value, gradient), first), second)| adamw_chunk(isa, &factors, value, gradient, first, second));
}

for_each_isa! {
    fn chunk_norm(x: &[f32]) -> f64 {
        let mut lanes = [0.0_f64; 16];
        for chunk in x.chunks(16) {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane += f64::from(x) * f64::from(x);
            }
        }
        lanes.iter().sum()
    }
}

for_each_isa! {
    fn adamw_chunk(
        factors: &AdamWFactors,
        value: &mut [f32],
        gradient: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        for (((value, gradient), first), second) in value.iter_mut().zip(gradient).zip(first).zip(second) {
            factors.apply(value, gradient, first, second);
        }
    }
}
