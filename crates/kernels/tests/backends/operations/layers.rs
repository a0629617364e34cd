//! Linear layers, layer normalisation and attention.

use kernels::{Activation, Backend, Dropout, Heads, Layout, Use};

use super::{Outcome, buffer, read};
use crate::numbers::{Numbers, rows_of};

/// A linear layer of `inputs` and `outputs`. With `add` the gradient of the input goes on top of other numbers.
pub(crate) fn linear<B: Backend>(
    backend: &B,
    batches: &[Layout],
    (inputs, outputs): (usize, usize),
    activation: Option<Activation>,
    add: bool,
) -> Outcome {
    let mut numbers = Numbers::new(1);
    let mut weight = backend.weight(Use::Matrix, outputs, inputs, numbers.take(outputs * inputs));
    let mut bias = backend.weight(Use::Vector, 1, outputs, numbers.take(outputs));
    let mut outcome = Outcome::default();
    for layout in batches {
        let rows = layout.rows();
        let x = buffer(backend, &rows_of(layout, inputs, 1));
        let mut d = buffer(backend, &rows_of(layout, outputs, 2));
        let mut d_x = buffer(backend, &rows_of(layout, inputs, 3));
        let [mut pre, mut out, mut alone] = [(); 3].map(|()| backend.zeros(rows * outputs));
        backend.linear(&x, rows, &weight, &bias, activation, None, &mut alone);
        backend.linear(&x, rows, &weight, &bias, activation, Some(&mut pre), &mut out);
        if activation.is_some() {
            assert_eq!(
                read(backend, &alone),
                read(backend, &out),
                "keeping the value before the activation changed it"
            );
            outcome.add_rows(backend, "pre", &pre);
        }
        let saved = activation.map(|activation| (activation, &pre));
        backend.linear_backward(&mut d, &x, rows, &mut weight, &mut bias, saved, Some(&mut d_x), add);
        outcome.add_rows(backend, "out", &alone);
        outcome.add_rows(backend, "d_pre", &d);
        outcome.add_rows(backend, "d_x", &d_x);
    }
    outcome.add_gradient(backend, "d_weight", &weight);
    outcome.add_gradient(backend, "d_bias", &bias);
    outcome
}

/// Layer normalisation of rows of `width` and a residual.
pub(crate) fn layer_norm<B: Backend>(
    backend: &B,
    batches: &[Layout],
    width: usize,
    dropout: Option<&Dropout>,
) -> Outcome {
    let mut numbers = Numbers::new(2);
    let [mut weight, mut bias] = [(); 2].map(|()| backend.weight(Use::Vector, 1, width, numbers.take(width)));
    let mut outcome = Outcome::default();
    for layout in batches {
        let rows = layout.rows();
        let [x, residual, mut d] = [1, 2, 3].map(|salt| buffer(backend, &rows_of(layout, width, salt)));
        let [mut normalized, mut out, mut d_x] = [(); 3].map(|()| backend.zeros(rows * width));
        let mut inverse_std = backend.zeros(rows);
        backend.residual_dropout_layer_norm(
            &x,
            Some(&residual),
            dropout,
            layout,
            &weight,
            &bias,
            1e-5,
            &mut normalized,
            &mut inverse_std,
            &mut out,
        );
        backend.residual_dropout_layer_norm_backward(
            &mut d,
            &normalized,
            &inverse_std,
            dropout,
            layout,
            &mut weight,
            &mut bias,
            Some(&mut d_x),
        );
        for (name, rows) in
            [("normalized", &normalized), ("inverse_std", &inverse_std), ("out", &out), ("d_sum", &d), ("d_x", &d_x)]
        {
            outcome.add_rows(backend, name, rows);
        }
    }
    outcome.add_gradient(backend, "d_weight", &weight);
    outcome.add_gradient(backend, "d_bias", &bias);
    outcome
}

/// Attention. Queries, keys and values are spread widely enough for some probabilities to stand out.
pub(crate) fn attention<B: Backend>(
    backend: &B,
    batches: &[Layout],
    heads: Heads,
    dropout: Option<&Dropout>,
) -> Outcome {
    let hidden = heads.hidden();
    let mut outcome = Outcome::default();
    for layout in batches {
        let rows = layout.rows();
        let spread: Vec<f32> = rows_of(layout, 3 * hidden, 1).iter().map(|x| x * 3.0).collect();
        let qkv = buffer(backend, &spread);
        let d_out = buffer(backend, &rows_of(layout, hidden, 2));
        let (mut out, mut log_sum_exp) = (backend.zeros(rows * hidden), backend.zeros(rows * heads.count));
        let mut d_qkv = backend.zeros(rows * 3 * hidden);
        backend.attention_varlen(&qkv, heads, layout, dropout, &mut out, &mut log_sum_exp);
        backend.attention_varlen_backward(&d_out, &qkv, &out, &log_sum_exp, heads, layout, dropout, &mut d_qkv);
        for (name, rows) in [("out", &out), ("log_sum_exp", &log_sum_exp), ("d_qkv", &d_qkv)] {
            outcome.add_rows(backend, name, rows);
        }
    }
    outcome
}

/// An activation and its backward alone: a linear layer with the identity as its matrix, whose products are exact, and
/// a bias of zero. The spread reaches both tails of every activation.
pub(crate) fn activation<B: Backend>(backend: &B, layout: &Layout, width: usize, activation: Activation) -> Outcome {
    let rows = layout.rows();
    let identity = (0..width * width).map(|at| f32::from(u8::from(at % (width + 1) == 0))).collect();
    let mut weight = backend.weight(Use::Matrix, width, width, identity);
    let mut bias = backend.weight(Use::Vector, 1, width, vec![0.0; width]);
    let spread: Vec<f32> = rows_of(layout, width, 1).iter().map(|x| x * 12.0).collect();
    let (x, mut d) = (buffer(backend, &spread), buffer(backend, &rows_of(layout, width, 2)));
    let [mut pre, mut out] = [(); 2].map(|()| backend.zeros(rows * width));
    backend.linear(&x, rows, &weight, &bias, Some(activation), Some(&mut pre), &mut out);
    assert_eq!(read(backend, &pre), spread, "products with the identity are exact");
    backend.linear_backward(&mut d, &x, rows, &mut weight, &mut bias, Some((activation, &pre)), None, false);
    let mut outcome = Outcome::default();
    outcome.add_rows(backend, "out", &out);
    outcome.add_rows(backend, "d_pre", &d);
    outcome
}
