//! Linear layers and activations.

use super::single;
use crate::Activation;
use crate::master::Master;

pub(super) fn forward(
    x: &[f32],
    rows: usize,
    weight: &Master,
    bias: &Master,
    activation: Option<Activation>,
    mut pre: Option<&mut Vec<f32>>,
    out: &mut [f32],
) {
    let (outputs, inputs) = (weight.rows, weight.cols);
    for row in 0..rows {
        for o in 0..outputs {
            let mut sum = f64::from(bias.value[o]);
            for i in 0..inputs {
                sum += f64::from(x[row * inputs + i]) * f64::from(weight.value[o * inputs + i]);
            }
            if let Some(pre) = pre.as_deref_mut() {
                pre[row * outputs + o] = single(sum);
            }
            out[row * outputs + o] = single(activation.map_or(sum, |activation| apply(activation, sum)));
        }
    }
}

pub(super) fn backward(
    d_out: &[f32],
    x: &[f32],
    rows: usize,
    weight: &mut Master,
    bias: &mut Master,
    d_x: Option<&mut Vec<f32>>,
    add: bool,
) {
    let (outputs, inputs) = (weight.rows, weight.cols);
    let at = |row: usize, o: usize| f64::from(d_out[row * outputs + o]);
    if weight.is_trainable() {
        for o in 0..outputs {
            for i in 0..inputs {
                let sum: f64 = (0..rows).map(|row| at(row, o) * f64::from(x[row * inputs + i])).sum();
                weight.gradient[o * inputs + i] += single(sum);
            }
        }
    }
    if bias.is_trainable() {
        for o in 0..outputs {
            bias.gradient[o] += single((0..rows).map(|row| at(row, o)).sum());
        }
    }
    if let Some(d_x) = d_x {
        for row in 0..rows {
            for i in 0..inputs {
                let sum: f64 = (0..outputs).map(|o| at(row, o) * f64::from(weight.value[o * inputs + i])).sum();
                let before = if add { f64::from(d_x[row * inputs + i]) } else { 0.0 };
                d_x[row * inputs + i] = single(before + sum);
            }
        }
    }
}

pub(super) fn activation_backward(activation: Activation, pre: &[f32], d_out: &mut [f32]) {
    for (d, &x) in d_out.iter_mut().zip(pre) {
        *d = single(f64::from(*d) * derivative(activation, f64::from(x)));
    }
}

/// √(2/π) and the cubic coefficient of the tanh form, arXiv 1606.08415.
const TANH_SCALE: f64 = 0.797_884_560_802_865_4;
const TANH_CUBIC: f64 = 0.044_715;

fn apply(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Gelu => 0.5 * x * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2)),
        Activation::GeluTanh => 0.5 * x * (1.0 + (TANH_SCALE * (x + TANH_CUBIC * x.powi(3))).tanh()),
        Activation::Relu => x.max(0.0),
        Activation::Tanh => x.tanh(),
    }
}

fn derivative(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Gelu => {
            let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
            0.5 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2)) + x * density
        }
        Activation::GeluTanh => {
            let tanh = (TANH_SCALE * (x + TANH_CUBIC * x.powi(3))).tanh();
            let inner = TANH_SCALE * (1.0 + 3.0 * TANH_CUBIC * x * x);
            0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * inner
        }
        Activation::Relu => f64::from(u8::from(x > 0.0)),
        Activation::Tanh => 1.0 - x.tanh().powi(2),
    }
}
