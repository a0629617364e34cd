//! Linear layers, activations and normalisation.

use kernels::{Activation, Backend, Dropout, InputGradient, Reference, Site, Use};

use super::{assert_gradient, functional, gradient, numbers, weight};
use crate::numbers::{numbered, pack};

#[test]
fn linear() {
    const ROWS: usize = 3;
    const INPUTS: usize = 5;
    const OUTPUTS: usize = 4;
    let layout = pack(&numbered(&[2, 1]));
    let (x, w, b, c) =
        (numbers(1, ROWS * INPUTS), numbers(2, OUTPUTS * INPUTS), numbers(3, OUTPUTS), numbers(4, ROWS * OUTPUTS));
    let loss = |x: &[f32], w: &[f32], b: &[f32]| {
        let (w, b) = (weight(Use::Matrix, INPUTS, w), weight(Use::Vector, OUTPUTS, b));
        let mut out = vec![0.0; ROWS * OUTPUTS];
        Reference.linear(&x.to_vec(), ROWS, &w, &b, None, None, &mut out);
        functional(&c, &out)
    };
    let (mut weights, mut biases) = (weight(Use::Matrix, INPUTS, &w), weight(Use::Vector, OUTPUTS, &b));
    let start = numbers(5, ROWS * INPUTS);
    let (mut set, mut on_top) = (start.clone(), start.clone());
    // Run twice: gradients of weights are added up, so they come out doubled.
    for to in [InputGradient::Set(&mut set), InputGradient::Add(&mut on_top)] {
        Reference.linear_backward(&c, &x, &layout, &mut weights, &mut biases, Some(to));
    }
    let added: Vec<f32> = on_top.iter().zip(&start).map(|(d, start)| d - start).collect();
    assert_gradient("linear d_x", &set, &x, |x| loss(x, &w, &b));
    assert_gradient("linear d_x on top", &added, &x, |x| loss(x, &w, &b));
    assert_gradient("linear 2 d_weight", &gradient(&weights), &w, |w| 2.0 * loss(&x, w, &b));
    assert_gradient("linear 2 d_bias", &gradient(&biases), &b, |b| 2.0 * loss(&x, &w, b));
}

/// Two layers with an activation between them, as a block has them: the gradient of the second layer's input goes
/// through the activation, that of the first layer's weights goes on from there.
#[test]
fn activations() {
    const ROWS: usize = 3;
    const INPUTS: usize = 5;
    const INNER: usize = 4;
    const OUTPUTS: usize = 2;
    let layout = pack(&numbered(&[2, 1]));
    let (x, w, c) = (numbers(1, ROWS * INPUTS), numbers(2, INNER * INPUTS), numbers(4, ROWS * OUTPUTS));
    let second = |learns: bool| {
        let mut second =
            [weight(Use::Matrix, INNER, &numbers(6, OUTPUTS * INNER)), weight(Use::Vector, OUTPUTS, &[0.0; OUTPUTS])];
        second.iter_mut().for_each(|weight| Reference.set_trainable(weight, learns));
        second
    };
    for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Relu, Activation::Tanh] {
        let b = match activation {
            // Differences across ReLU's corner mean nothing: the bias keeps every value on its side of it, |x w| ≤ 5.
            Activation::Relu => vec![6.0, -6.0, 6.0, -6.0],
            _ => numbers(3, INNER),
        };
        let forward = |x: &[f32], w: &[f32], b: &[f32]| {
            let (w, b, second) = (weight(Use::Matrix, INPUTS, w), weight(Use::Vector, INNER, b), second(false));
            let [mut pre, mut inner] = [(); 2].map(|()| vec![0.0; ROWS * INNER]);
            let mut out = vec![0.0; ROWS * OUTPUTS];
            Reference.linear(&x.to_vec(), ROWS, &w, &b, Some(activation), Some(&mut pre), &mut inner);
            Reference.linear(&inner, ROWS, &second[0], &second[1], None, None, &mut out);
            (pre, inner, functional(&c, &out))
        };
        let (pre, inner, _) = forward(&x, &w, &b);
        let (mut weights, mut biases) = (weight(Use::Matrix, INPUTS, &w), weight(Use::Vector, INNER, &b));
        let [mut second_weight, mut second_bias] = second(true);
        let [mut d_pre, mut d_inner, mut d_x] =
            [ROWS * INNER, ROWS * INNER, ROWS * INPUTS].map(|len| vec![f32::NAN; len]);
        let through = InputGradient::Through { d_pre: &mut d_pre, activation, pre: &pre };
        Reference.linear_backward(&c, &inner, &layout, &mut second_weight, &mut second_bias, Some(through));
        Reference.linear_backward(&d_pre, &x, &layout, &mut weights, &mut biases, Some(InputGradient::Set(&mut d_x)));
        let what = |name| format!("{activation:?} {name}");
        assert_gradient(&what("d_x"), &d_x, &x, |x| forward(x, &w, &b).2);
        assert_gradient(&what("d_weight"), &gradient(&weights), &w, |w| forward(&x, w, &b).2);
        assert_gradient(&what("d_bias"), &gradient(&biases), &b, |b| forward(&x, &w, b).2);

        // The same in two steps, and no further than it is told.
        let to = InputGradient::Set(&mut d_inner);
        Reference.linear_backward(&c, &inner, &layout, &mut second_weight, &mut second_bias, Some(to));
        let before = d_inner.clone();
        Reference.activation_backward(activation, &pre, &mut d_inner, ROWS * INNER - 1);
        let last = ROWS * INNER - 1;
        assert_eq!((&d_inner[..last], d_inner[last]), (&d_pre[..last], before[last]), "{activation:?}");
    }
}

#[test]
fn residual_dropout_layer_norm() {
    const WIDTH: usize = 9;
    let layout = pack(&numbered(&[2, 1]));
    let len = layout.rows() * WIDTH;
    let spread = |seed| numbers(seed, len).iter().map(|x| x * 2.0).collect::<Vec<_>>();
    let (x, residual, w, b, c) = (spread(1), spread(2), numbers(3, WIDTH), numbers(4, WIDTH), numbers(5, len));
    for dropout in [None, Dropout::new(0.4, 1, 2, 0, Site::Output)] {
        for residual in [None, Some(&residual)] {
            let forward = |x: &[f32], residual: Option<&Vec<f32>>, w: &[f32], b: &[f32]| {
                let (w, b) = (weight(Use::Vector, WIDTH, w), weight(Use::Vector, WIDTH, b));
                let (mut unit, mut out, mut inverse_std) = (vec![0.0; len], vec![0.0; len], vec![0.0; layout.rows()]);
                Reference.residual_dropout_layer_norm(
                    &x.to_vec(),
                    residual,
                    dropout.as_ref(),
                    &layout,
                    &w,
                    &b,
                    1e-5,
                    &mut unit,
                    &mut inverse_std,
                    &mut out,
                );
                (unit, inverse_std, out)
            };
            let (mut weights, mut biases) = (weight(Use::Vector, WIDTH, &w), weight(Use::Vector, WIDTH, &b));
            let (unit, inverse_std, _) = forward(&x, residual, &w, &b);
            let (mut d_out, mut d_x) = (c.clone(), vec![0.0; len]);
            Reference.residual_dropout_layer_norm_backward(
                &mut d_out,
                &unit,
                &inverse_std,
                dropout.as_ref(),
                &layout,
                &mut weights,
                &mut biases,
                Some(&mut d_x),
            );
            let what =
                |name| format!("layer norm, dropout {}, residual {}, {name}", dropout.is_some(), residual.is_some());
            let loss = |x: &[f32], residual: Option<&Vec<f32>>, w: &[f32], b: &[f32]| {
                functional(&c, &forward(x, residual, w, b).2)
            };
            assert_gradient(&what("d_x"), &d_x, &x, |x| loss(x, residual, &w, &b));
            assert_gradient(&what("d_weight"), &gradient(&weights), &w, |w| loss(&x, residual, w, &b));
            assert_gradient(&what("d_bias"), &gradient(&biases), &b, |b| loss(&x, residual, &w, b));
            if let Some(residual) = residual {
                assert_gradient(&what("d_residual"), &d_out, residual, |r| loss(&x, Some(&r.to_vec()), &w, &b));
            }
        }
    }
}
