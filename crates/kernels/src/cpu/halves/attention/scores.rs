//! Softmax of rows of scores, forward and backward, with dropout.

use half::bf16;

use super::super::panels::pack_pair;
use crate::Dropout;
use crate::cpu::buffer::{narrow_halves, widen_run};
use crate::dropout::RowKey;

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
pub(super) fn powers(
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
pub(super) fn score_gradients(
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
pub(super) unsafe fn pair_up(rows: &[bf16], width: usize, into: &mut [u32]) {
    for (rows, run) in rows.chunks(2 * width).zip(into.chunks_exact_mut(width)) {
        let (first, second) = rows.split_at(width);
        // SAFETY: the instructions of this function.
        unsafe { pack_pair(first, (!second.is_empty()).then_some(second), run) };
    }
}

/// The scalar product of two short runs, in sixteen lanes.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")]
pub(super) fn dot(x: &[bf16], y: &[bf16]) -> f32 {
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
