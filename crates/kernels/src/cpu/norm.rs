//! Dropout and layer normalisation of a row, and the way back.

use super::isa::for_each_isa;
use super::math;
use crate::Dropout;
use crate::dropout::RowKey;

for_each_isa! {
    /// Multiplies a row by its dropout factors.
    pub(super) fn drop_row(row: &mut [f32], dropout: &Dropout, key: RowKey) {
        for (column, x) in (0_u32..).zip(row) {
            *x *= dropout.factor(key, column);
        }
    }
}

for_each_isa! {
    /// Normalises the row `sum` in place and writes it scaled and shifted to `out`. Returns the reciprocal of the
    /// standard deviation.
    pub(super) fn forward_row(weight: &[f32], bias: &[f32], epsilon: f32, sum: &mut [f32], out: &mut [f32]) -> f32 {
        let count = sum.len() as f32;
        let mean = math::sum(sum) / count;
        let variance = math::sum_with(sum, |x| (x - mean) * (x - mean)) / count;
        let inverse_std = 1.0 / (variance + epsilon).sqrt();
        for (((x, out), &weight), &bias) in sum.iter_mut().zip(out).zip(weight).zip(bias) {
            *x = (*x - mean) * inverse_std;
            *out = *x * weight + bias;
        }
        inverse_std
    }
}

for_each_isa! {
    /// One row backward: `gradient` becomes that of the sum; `d_weight` and `d_bias` take their shares.
    pub(super) fn backward_row(
        gradient: &mut [f32],
        normalized: &[f32],
        inverse_std: f32,
        weight: &[f32],
        d_weight: &mut [f32],
        d_bias: &mut [f32],
    ) {
        for (((d, &unit), d_weight), d_bias) in gradient.iter().zip(normalized).zip(d_weight).zip(d_bias) {
            *d_weight += d * unit;
            *d_bias += d;
        }
        for (d, &weight) in gradient.iter_mut().zip(weight) {
            *d *= weight;
        }
        let count = gradient.len() as f32;
        let mean = math::sum(gradient) / count;
        let along = math::dot(gradient, normalized) / count;
        for (d, &unit) in gradient.iter_mut().zip(normalized) {
            *d = (*d - mean - unit * along) * inverse_std;
        }
    }
}
