//! Linear layers and layer normalisation.

use kernels::{Activation, Backend, Dropout, InputGradient, Layout};

use super::{On, Outcome, PLACES, Place, read};
use crate::numbers::{Numbers, rows_of};

fn times(by: f32, mut values: Vec<f32>) -> Vec<f32> {
    values.iter_mut().for_each(|x| *x *= by);
    values
}

/// A linear layer of `inputs` and `outputs`, its results kept in either place: forward, both gradients, and the input's
/// gradient in each way it can go, through `activation` where there is one.
pub(crate) fn linear<B: Backend>(
    on: &On<'_, B>,
    batches: &[Layout],
    (inputs, outputs): (usize, usize),
    activation: Option<Activation>,
) -> Outcome {
    let backend = on.backend;
    let mut numbers = Numbers::new(1);
    let (values, biases) = (numbers.take(outputs * inputs), numbers.take(outputs));
    let (mut weight, mut bias) = (on.matrix(outputs, inputs, &values), on.vector(&biases));
    // Another pair for gradients of inputs, so that gradients of weights are added up once.
    let (mut fixed, mut fixed_bias) = (on.matrix(outputs, inputs, &values), on.vector(&biases));
    for weight in [&mut fixed, &mut fixed_bias] {
        backend.set_trainable(weight, false);
    }
    let mut outcome = Outcome::default();
    for layout in batches {
        let rows = layout.rows();
        let x = on.buffer(Place::Operand, &rows_of(layout, inputs, 1));
        let d_out = on.buffer(Place::Operand, &rows_of(layout, outputs, 2));
        for place in PLACES {
            let [mut pre, mut out, mut alone] = [(); 3].map(|()| on.empty(place, rows * outputs));
            backend.linear(&x, rows, &weight, &bias, activation, None, &mut alone);
            backend.linear(&x, rows, &weight, &bias, activation, Some(&mut pre), &mut out);
            outcome.add_rows(backend, "out", place, &out);
            if activation.is_some() {
                assert!(
                    read(backend, &alone) == read(backend, &out),
                    "keeping the value before the activation changed it"
                );
                outcome.add_rows(backend, "pre", place, &pre);
            }

            let before = on.buffer(place, &times(3.0, rows_of(layout, inputs, 4)));
            let ways: &[&str] = if activation.is_some() { &["d_x through"] } else { &["d_x", "d_x on top"] };
            for &way in ways {
                let mut d_x = on.buffer(place, &rows_of(layout, inputs, 3));
                let to = match activation {
                    Some(activation) => InputGradient::Through { d_pre: &mut d_x, activation, pre: &before },
                    None if way == "d_x" => InputGradient::Set(&mut d_x),
                    None => InputGradient::Add(&mut d_x),
                };
                backend.linear_backward(&d_out, &x, layout, &mut fixed, &mut fixed_bias, Some(to));
                outcome.add_rows(backend, way, place, &d_x);
            }
            if let Some(activation) = activation {
                let mut d = on.buffer(place, &rows_of(layout, inputs, 5));
                backend.activation_backward(activation, &before, &mut d, rows * inputs);
                outcome.add_rows(backend, "d_pre", place, &d);
            }
        }
        backend.linear_backward(&d_out, &x, layout, &mut weight, &mut bias, None);
    }
    outcome.add_gradient(backend, "d_weight", &weight);
    outcome.add_gradient(backend, "d_bias", &bias);
    outcome
}

/// Layer normalisation of rows of `width`, kept where a block keeps them: sums and their gradients in f32, what is
/// multiplied later as operands. `turned`: the other way round, and without a residual.
pub(crate) fn layer_norm<B: Backend>(
    on: &On<'_, B>,
    batches: &[Layout],
    width: usize,
    dropout: Option<&Dropout>,
    turned: bool,
) -> Outcome {
    let backend = on.backend;
    let (sums, operands) = if turned { (Place::Operand, Place::Single) } else { (Place::Single, Place::Operand) };
    let mut numbers = Numbers::new(2);
    let [mut weight, mut bias] = [(); 2].map(|()| on.vector(&numbers.take(width)));
    let mut outcome = Outcome::default();
    for layout in batches {
        let rows = layout.rows();
        let x = on.buffer(sums, &rows_of(layout, width, 1));
        let residual = (!turned).then(|| on.buffer(operands, &rows_of(layout, width, 2)));
        let [mut normalized, mut out, mut d_x] = [(); 3].map(|()| on.empty(operands, rows * width));
        let mut inverse_std = backend.zeros(rows);
        backend.residual_dropout_layer_norm(
            &x,
            residual.as_ref(),
            dropout,
            layout,
            &weight,
            &bias,
            1e-5,
            &mut normalized,
            &mut inverse_std,
            &mut out,
        );
        outcome.add_rows(backend, "normalized", operands, &normalized);
        outcome.add_rows(backend, "inverse_std", Place::Single, &inverse_std);
        outcome.add_rows(backend, "out", operands, &out);

        let normalized = on.buffer(operands, &times(1.7, rows_of(layout, width, 4)));
        let inverse_std: Vec<f32> = rows_of(layout, 1, 5).iter().map(|x| x + 1.5).collect();
        let inverse_std = on.buffer(Place::Single, &inverse_std);
        let mut d = on.buffer(sums, &rows_of(layout, width, 3));
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
        outcome.add_rows(backend, "d_sum", sums, &d);
        outcome.add_rows(backend, "d_x", operands, &d_x);
    }
    outcome.add_gradient(backend, "d_weight", &weight);
    outcome.add_gradient(backend, "d_bias", &bias);
    outcome
}

/// An activation and its backward alone: a linear layer with the identity as its matrix, whose products are exact, and
/// a bias of zero. The spread reaches both tails of every activation.
pub(crate) fn activation<B: Backend>(backend: &B, layout: &Layout, width: usize, activation: Activation) -> Outcome {
    let (on, rows) = (On::drawn(backend), layout.rows());
    let identity: Vec<f32> = (0..width * width).map(|at| f32::from(u8::from(at % (width + 1) == 0))).collect();
    let (weight, bias) = (on.matrix(width, width, &identity), on.vector(&vec![0.0; width]));
    let x = on.buffer(Place::Operand, &times(12.0, rows_of(layout, width, 1)));
    let [mut pre, mut out] = [(); 2].map(|()| backend.zeros(rows * width));
    backend.linear(&x, rows, &weight, &bias, Some(activation), Some(&mut pre), &mut out);
    assert_eq!(read(backend, &pre), read(backend, &x), "products with the identity are exact");
    let mut d = on.buffer(Place::Single, &rows_of(layout, width, 2));
    backend.activation_backward(activation, &pre, &mut d, rows * width);
    let mut outcome = Outcome::default();
    outcome.add_rows(backend, "out", Place::Single, &out);
    outcome.add_rows(backend, "d_pre", Place::Single, &d);
    outcome
}
