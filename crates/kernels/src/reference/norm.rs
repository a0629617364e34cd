//! Layer normalisation (arXiv 1607.06450) over the sum of a residual and a dropped-out branch.

use super::single;
use crate::master::Master;
use crate::{Dropout, Layout};

pub(super) fn residual_sum(
    x: &[f32],
    residual: Option<&Vec<f32>>,
    dropout: Option<&Dropout>,
    layout: &Layout,
    width: usize,
) -> Vec<f64> {
    let mut sum = Vec::with_capacity(layout.rows() * width);
    for row in 0..layout.rows() {
        let (example, position) = layout.example_and_position(row);
        for column in 0..width {
            let factor = dropout.map_or(1.0, |d| d.factor(d.row(example, position), column as u32));
            let residual = residual.map_or(0.0, |residual| residual[row * width + column]);
            sum.push(f64::from(x[row * width + column]) * f64::from(factor) + f64::from(residual));
        }
    }
    sum
}

pub(super) fn forward(
    sum: &[f64],
    weight: &Master,
    bias: &Master,
    epsilon: f64,
    normalized: &mut [f32],
    inverse_std: &mut [f32],
    out: &mut [f32],
) {
    let width = weight.cols;
    for (row, sum) in sum.chunks_exact(width).enumerate() {
        let mean = sum.iter().sum::<f64>() / width as f64;
        let variance = sum.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
        let inverse = 1.0 / (variance + epsilon).sqrt();
        inverse_std[row] = single(inverse);
        for (column, x) in sum.iter().enumerate() {
            let unit = (x - mean) * inverse;
            normalized[row * width + column] = single(unit);
            out[row * width + column] = single(unit * f64::from(weight.value[column]) + f64::from(bias.value[column]));
        }
    }
}

pub(super) fn backward(
    d_out: &mut [f32],
    rows: usize,
    normalized: &[f32],
    inverse_std: &[f32],
    weight: &mut Master,
    bias: &mut Master,
) {
    let width = weight.cols;
    for column in 0..width {
        let each = |row: usize| f64::from(d_out[row * width + column]);
        if weight.is_trainable() {
            let sum: f64 = (0..rows).map(|row| each(row) * f64::from(normalized[row * width + column])).sum();
            weight.gradient[column] += single(sum);
        }
        if bias.is_trainable() {
            bias.gradient[column] += single((0..rows).map(each).sum());
        }
    }
    for row in 0..rows {
        let unit = &normalized[row * width..][..width];
        let d_out = &mut d_out[row * width..][..width];
        let d_unit: Vec<f64> = d_out.iter().zip(&weight.value).map(|(&d, &w)| f64::from(d) * f64::from(w)).collect();
        let mean = d_unit.iter().sum::<f64>() / width as f64;
        let along = d_unit.iter().zip(unit).map(|(d, &u)| d * f64::from(u)).sum::<f64>() / width as f64;
        for ((d_out, d), &u) in d_out.iter_mut().zip(d_unit).zip(unit) {
            *d_out = single((d - mean - f64::from(u) * along) * f64::from(inverse_std[row]));
        }
    }
}
