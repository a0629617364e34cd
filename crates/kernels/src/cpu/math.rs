//! Exponential and error function in a form that vectorises: no branches, no tables.
//!
//! No fused multiply-add is written, so every instruction set gives the same bits.

/// e^x to about one unit in the last place for x in [-87, 88]; below, a number under 2·10⁻³⁸.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Adding 1.5·2²³ rounds to an integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.3, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, the first with few bits so that n times it is exact (Cody and Waite 1980).
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    // Taylor series to r⁷: |r| is at most ln 2 / 2, so what is left out is below 6·10⁻⁹.
    let mut series = 1.0 / 5040.0;
    series = series * r + 1.0 / 720.0;
    series = series * r + 1.0 / 120.0;
    series = series * r + 1.0 / 24.0;
    series = series * r + 1.0 / 6.0;
    series = series * r + 0.5;
    series = series * r + 1.0;
    series = series * r + 1.0;
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    series * f32::from_bits(power)
}

/// Φ(x), the standard normal distribution function, and φ(x), its density.
#[inline(always)]
pub(super) fn normal(x: f32) -> (f32, f32) {
    // erfc(z) = exp(-z²) p(1 / (1 + 0.4 z)) for z in [0, 6], p fitted here by least squares at 400 Chebyshev nodes;
    // relative error of p: 1.5·10⁻⁸.
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.4 * z);
    let mut p = 0.085_354_164;
    p = p * t - 0.452_340_63;
    p = p * t + 0.813_982_67;
    p = p * t - 0.536_620_26;
    p = p * t + 0.533_525_17;
    p = p * t + 0.079_925_71;
    p = p * t + 0.253_848_14;
    p = p * t + 0.222_130_72;
    p = p * t + 0.000_194_337_26;
    let gauss = exp(-z * z);
    let upper = 0.5 * gauss * p;
    (if x > 0.0 { 1.0 - upper } else { upper }, gauss * 0.398_942_3)
}

/// tanh x to about 10⁻⁷ absolute.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

/// The sum of a slice in 16 lanes, then the lanes in order: the same for every instruction set.
#[inline(always)]
pub(super) fn sum(x: &[f32]) -> f32 {
    sum_with(x, |x| x)
}

/// The sum of `f` over a slice, as [`sum`] adds.
#[inline(always)]
pub(super) fn sum_with(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let chunks = x.chunks_exact(16);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += f(x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane += f(x);
    }
    fold(lanes)
}

/// The scalar product of two slices, as [`sum`] adds.
#[inline(always)]
pub(super) fn dot(x: &[f32], y: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let (x_chunks, y_chunks) = (x.chunks_exact(16), y.chunks_exact(16));
    let rest = x_chunks.remainder().iter().zip(y_chunks.remainder());
    for (x, y) in x_chunks.zip(y_chunks) {
        for ((lane, &x), &y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    for (lane, (&x, &y)) in lanes.iter_mut().zip(rest) {
        *lane += x * y;
    }
    fold(lanes)
}

#[inline(always)]
fn fold(mut lanes: [f32; 16]) -> f32 {
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_units_in_the_last_place() {
        let mut worst = 0.0_f64;
        for step in -870_000..880_000 {
            let x = step as f32 * 1e-4;
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) / exact - 1.0).abs());
        }
        assert!(worst < 2.0 * f64::from(f32::EPSILON), "largest relative difference {worst:e}");
        assert!(exp(f32::NEG_INFINITY) < 2e-38);
    }

    /// Rounding one value near 1 to f32 costs 6·10⁻⁸; the nine terms of the series, with coefficients near 1, cost about
    /// three times that.
    #[test]
    fn normal_is_within_f32_rounding() {
        let (mut worst, mut worst_density) = (0.0_f64, 0.0_f64);
        for step in -80_000..80_000 {
            let x = step as f32 * 1e-4;
            let (distribution, density) = normal(x);
            let wide = f64::from(x);
            let exact = 0.5 * libm::erfc(-wide * std::f64::consts::FRAC_1_SQRT_2);
            worst = worst.max((f64::from(distribution) - exact).abs());
            let exact = (-0.5 * wide * wide).exp() / (2.0 * std::f64::consts::PI).sqrt();
            worst_density = worst_density.max((f64::from(density) - exact).abs());
        }
        assert!(worst < 2.5e-7 && worst_density < 1e-7, "largest differences {worst:e} and {worst_density:e}");
    }

    #[test]
    fn tanh_is_within_f32_rounding() {
        for step in -10_000..10_000 {
            let x = step as f32 * 1e-3;
            assert!((f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 2e-7, "tanh {x}");
        }
    }

    #[test]
    fn sums_take_every_element() {
        for len in 0..70 {
            let x: Vec<f32> = (0..len).map(|i| i as f32).collect();
            assert_eq!(sum(&x), (len * (len.max(1) - 1) / 2) as f32);
            assert_eq!(dot(&x, &vec![2.0; len]), 2.0 * sum(&x));
        }
    }
}
