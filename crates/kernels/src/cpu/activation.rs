//! Activations and their derivatives on runs of numbers, and sums of rows.

use super::isa::for_each_isa;
use super::math;
use crate::Activation;

for_each_isa! {
    /// Adds one run to another.
    pub(super) fn add(to: &mut [f32], from: &[f32]) {
        for (x, &y) in to.iter_mut().zip(from) {
            *x += y;
        }
    }
}

/// How near an activation must come to its formula.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Accuracy {
    /// To the last bits of an f32.
    #[default]
    Single,
    /// To a hundredth of what rounding to bf16 costs.
    Half,
}

/// Applies the activation in place, inside a function that is compiled for an instruction set.
#[inline(always)]
pub(super) fn apply_run(activation: Activation, accuracy: Accuracy, row: &mut [f32]) {
    match activation {
        Activation::Gelu if accuracy == Accuracy::Half => row.iter_mut().for_each(|x| *x *= rough::normal(*x)),
        Activation::Gelu => row.iter_mut().for_each(|x| *x *= math::normal(*x).0),
        Activation::GeluTanh => row.iter_mut().for_each(|x| *x *= 0.5 * (1.0 + math::tanh(inner(*x)))),
        Activation::Relu => row.iter_mut().for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x }),
        Activation::Tanh => row.iter_mut().for_each(|x| *x = x.tanh()),
    }
}

/// Multiplies a gradient by the derivative at `pre`, inside a function that is compiled for an instruction set.
#[inline(always)]
pub(super) fn backward_run(activation: Activation, accuracy: Accuracy, pre: &[f32], gradient: &mut [f32]) {
    let pairs = gradient.iter_mut().zip(pre);
    match activation {
        Activation::Gelu if accuracy == Accuracy::Half => pairs.for_each(|(d, &x)| *d *= rough::gelu_slope(x)),
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

for_each_isa! {
    /// Multiplies a gradient by the derivative at `pre`.
    pub(super) fn backward(activation: Activation, pre: &[f32], gradient: &mut [f32]) {
        backward_run(activation, Accuracy::Single, pre, gradient);
    }
}

/// √(2/π) and the cubic coefficient of the tanh form, arXiv 1606.08415.
const SCALE: f32 = 0.797_884_6;
const CUBIC: f32 = 0.044_715;

#[inline(always)]
fn inner(x: f32) -> f32 {
    SCALE * (x + CUBIC * x * x * x)
}

/// Polynomials for results that are rounded to bf16, which costs up to 2·10⁻³ of them. Fused multiply-adds are written
/// here: bf16 products exist under one instruction set alone.
mod rough {
    /// Coefficients of (Φ(x) - 1/2) / x over x² on [0, 4.5²], mapped to [-1, 1], the highest first; fitted here for the
    /// least largest error of Φ, which is 3·10⁻⁶.
    const NORMAL: [f32; 11] = [
        0.000_819_328_3,
        -0.002_259_154_3,
        0.003_079_244_9,
        -0.005_413_264,
        0.011_157_017,
        -0.018_914_82,
        0.028_372_081,
        -0.040_134_475,
        0.054_691_75,
        -0.077_192_284,
        0.156_905_08,
    ];
    const NORMAL_END: f32 = 4.5;

    /// The same for the derivative of x Φ(x) on [0, 5²]; its largest error is 1.3·10⁻⁵.
    const SLOPE: [f32; 12] = [
        -0.020_719_79,
        0.046_514_455,
        -0.027_722_68,
        0.021_228_598,
        -0.068_446_97,
        0.095_119_57,
        -0.085_355_885,
        0.077_089_51,
        -0.071_541_86,
        0.066_826_165,
        -0.075_122_78,
        0.142_130_58,
    ];
    const SLOPE_END: f32 = 5.0;

    /// Φ(x), the standard normal distribution function.
    #[inline(always)]
    pub(super) fn normal(x: f32) -> f32 {
        sigmoid_like(x, &NORMAL, NORMAL_END)
    }

    /// The derivative of x Φ(x).
    #[inline(always)]
    pub(super) fn gelu_slope(x: f32) -> f32 {
        sigmoid_like(x, &SLOPE, SLOPE_END)
    }

    /// 1/2 + x p(x²) within `end`, 0 below and 1 above.
    #[inline(always)]
    fn sigmoid_like(x: f32, coefficients: &[f32], end: f32) -> f32 {
        let t = (x * x).mul_add(2.0 / (end * end), -1.0);
        let p = coefficients[1..].iter().fold(coefficients[0], |p, &c| p.mul_add(t, c));
        let inside = p.mul_add(x, 0.5);
        let capped = if x > end { 1.0 } else { inside };
        if x < -end { 0.0 } else { capped }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn stays_far_below_the_rounding_to_bf16() {
            let (mut worst, mut worst_slope) = (0.0_f64, 0.0_f64);
            for step in -120_000..120_000 {
                let x = step as f32 * 1e-4;
                let wide = f64::from(x);
                let exact = 0.5 * libm::erfc(-wide * std::f64::consts::FRAC_1_SQRT_2);
                let density = (-0.5 * wide * wide).exp() / (2.0 * std::f64::consts::PI).sqrt();
                worst = worst.max((f64::from(normal(x)) - exact).abs());
                worst_slope = worst_slope.max((f64::from(gelu_slope(x)) - exact - wide * density).abs());
            }
            assert!(worst < 4e-6 && worst_slope < 1.5e-5, "largest errors {worst:e} and {worst_slope:e}");
            assert!(normal(f32::NAN).is_nan() && gelu_slope(f32::NAN).is_nan());
            assert_eq!((normal(f32::INFINITY), normal(f32::NEG_INFINITY)), (1.0, 0.0));
        }
    }
}
