//! Bias and activation on rows that just left the product, and the activation's backward.

use super::isa::for_each_isa;
use super::math;
use crate::Activation;

for_each_isa! {
    /// Adds the bias to a run of one row.
    pub(super) fn add_bias(row: &mut [f32], bias: &[f32]) {
        for (x, &b) in row.iter_mut().zip(bias) {
            *x += b;
        }
    }
}

for_each_isa! {
    /// Applies the activation in place.
    pub(super) fn apply(activation: Activation, row: &mut [f32]) {
        match activation {
            Activation::Gelu => row.iter_mut().for_each(|x| *x *= math::normal(*x).0),
            Activation::GeluTanh => row.iter_mut().for_each(|x| *x *= 0.5 * (1.0 + math::tanh(inner(*x)))),
            Activation::Relu => row.iter_mut().for_each(|x| *x = x.max(0.0)),
            Activation::Tanh => row.iter_mut().for_each(|x| *x = x.tanh()),
        }
    }
}

for_each_isa! {
    /// Multiplies a gradient by the derivative at `pre`.
    pub(super) fn backward(activation: Activation, pre: &[f32], gradient: &mut [f32]) {
        let pairs = gradient.iter_mut().zip(pre);
        match activation {
            Activation::Gelu => pairs.for_each(|(d, &x)| {
                let (distribution, density) = math::normal(x);
                *d *= distribution + x * density;
            }),
            Activation::GeluTanh => pairs.for_each(|(d, &x)| {
                let tanh = math::tanh(inner(x));
                *d *= 0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * SCALE * (1.0 + 3.0 * CUBIC * x * x);
            }),
            Activation::Relu => pairs.for_each(|(d, &x)| *d = if x > 0.0 { *d } else { 0.0 }),
            Activation::Tanh => pairs.for_each(|(d, &x)| {
                let tanh = x.tanh();
                *d *= 1.0 - tanh * tanh;
            }),
        }
    }
}

for_each_isa! {
    /// Adds rows of `width` into `sums`.
    pub(super) fn add_rows(rows: &[f32], sums: &mut [f32]) {
        for row in rows.chunks_exact(sums.len()) {
            for (sum, &x) in sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

/// √(2/π) and the cubic coefficient of the tanh form, arXiv 1606.08415.
const SCALE: f32 = 0.797_884_6;
const CUBIC: f32 = 0.044_715;

#[inline(always)]
fn inner(x: f32) -> f32 {
    SCALE * (x + CUBIC * x * x * x)
}
