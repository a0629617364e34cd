//! Every backward of the reference against finite differences of its forward.
//!
//! The loss is a random linear functional of an operation's outputs, summed in double precision; its coefficients are
//! the gradient that the backward is given.
//!
//! Step and bound: the reference computes in double precision, but its outputs are rounded to f32, which costs up to
//! 2⁻²⁴ of an output. The five-point difference at a step h = 2⁻⁶ turns that into 1.5·2⁻²⁴ / h ≈ 6·10⁻⁶ for each output
//! of size one that an input moves; there are ten or twenty, with errors of either sign. Seen were 5·10⁻⁶ at most; the
//! bound is 2·10⁻⁵ of the largest gradient, or of one where all are smaller. What the difference leaves out, h⁴/30 ≈
//! 2·10⁻⁹ of the fifth derivative, does not count. A wrong factor or a missing term shows in the first digits. Inputs
//! are multiples of 2⁻¹⁰, so that the steps are exact. `-- --nocapture` prints the largest differences.

use kernels::{Activation, Backend, Dropout, Heads, Layout, Loss, Part, Reference, ReferenceWeight, Site, Use};

use crate::numbers::{Numbers, ids_of, numbered, pack};

const STEP: f32 = 1.0 / 64.0;
const BOUND: f64 = 2e-5;

/// Multiples of 2⁻¹⁰ in [-1, 1).
fn numbers(seed: u64, len: usize) -> Vec<f32> {
    Numbers::new(seed).take(len).iter().map(|x| (x * 1024.0).floor() / 1024.0).collect()
}

fn functional(coefficients: &[f32], outputs: &[f32]) -> f64 {
    assert_eq!(coefficients.len(), outputs.len());
    coefficients.iter().zip(outputs).map(|(&c, &x)| f64::from(c) * f64::from(x)).sum()
}

/// The gradient of `loss` at `at` by five-point central differences.
fn differences(at: &[f32], loss: impl Fn(&[f32]) -> f64) -> Vec<f64> {
    let slope = |index: usize| {
        let moved = |steps: f32| {
            let mut moved = at.to_vec();
            moved[index] += steps * STEP;
            loss(&moved)
        };
        (8.0 * (moved(1.0) - moved(-1.0)) - (moved(2.0) - moved(-2.0))) / (12.0 * f64::from(STEP))
    };
    (0..at.len()).map(slope).collect()
}

fn assert_gradient(what: &str, gradient: &[f32], at: &[f32], loss: impl Fn(&[f32]) -> f64) {
    assert_eq!(gradient.len(), at.len(), "{what}");
    let expected = differences(at, loss);
    let largest = expected.iter().fold(1.0_f64, |m, x| m.max(x.abs()));
    let mut worst = 0.0_f64;
    for (index, (&got, expected)) in gradient.iter().zip(expected).enumerate() {
        let difference = (f64::from(got) - expected).abs() / largest;
        assert!(difference <= BOUND, "{what}: element {index} is {got}, finite differences give {expected}");
        worst = worst.max(difference);
    }
    println!("{what}: largest difference {worst:.1e} of the largest element");
}

fn weight(usage: Use, cols: usize, values: &[f32]) -> ReferenceWeight {
    Reference.weight(usage, values.len() / cols, cols, values.to_vec())
}

fn gradient(weight: &ReferenceWeight) -> Vec<f32> {
    Reference.part(weight, Part::Gradient).into_owned()
}

#[test]
fn linear() {
    const ROWS: usize = 3;
    const INPUTS: usize = 5;
    const OUTPUTS: usize = 4;
    let forward = |x: &[f32], w: &[f32], b: &[f32], activation| {
        let (w, b) = (weight(Use::Matrix, INPUTS, w), weight(Use::Vector, OUTPUTS, b));
        let (mut pre, mut out) = (vec![0.0; ROWS * OUTPUTS], vec![0.0; ROWS * OUTPUTS]);
        Reference.linear(&x.to_vec(), ROWS, &w, &b, activation, Some(&mut pre), &mut out);
        (pre, out)
    };
    let activations =
        [None, Some(Activation::Gelu), Some(Activation::GeluTanh), Some(Activation::Relu), Some(Activation::Tanh)];
    for activation in activations {
        let (x, w, c) = (numbers(1, ROWS * INPUTS), numbers(2, OUTPUTS * INPUTS), numbers(4, ROWS * OUTPUTS));
        let b = match activation {
            // Differences across ReLU's corner mean nothing: the bias keeps every value on its side of it, |x w| ≤ 5.
            Some(Activation::Relu) => vec![6.0, -6.0, 6.0, -6.0],
            _ => numbers(3, OUTPUTS),
        };
        for add in [false, true] {
            let (mut weights, mut biases) = (weight(Use::Matrix, INPUTS, &w), weight(Use::Vector, OUTPUTS, &b));
            let start = numbers(5, ROWS * INPUTS);
            let (mut d_out, mut d_x) = (c.clone(), start.clone());
            let (pre, _) = forward(&x, &w, &b, activation);
            let saved = activation.map(|activation| (activation, &pre));
            // Run twice: gradients of weights are added up, so they come out doubled.
            for _ in 0..2 {
                d_out.copy_from_slice(&c);
                d_x.copy_from_slice(&start);
                let (weights, biases) = (&mut weights, &mut biases);
                Reference.linear_backward(&mut d_out, &x, ROWS, weights, biases, saved, Some(&mut d_x), add);
            }
            let d_x: Vec<f32> = d_x.iter().zip(&start).map(|(d, start)| if add { d - start } else { *d }).collect();
            let what = |name| format!("linear {activation:?}, add {add}, {name}");
            let loss = |x: &[f32], w: &[f32], b: &[f32]| functional(&c, &forward(x, w, b, activation).1);
            assert_gradient(&what("d_x"), &d_x, &x, |x| loss(x, &w, &b));
            assert_gradient(&what("2 d_weight"), &gradient(&weights), &w, |w| 2.0 * loss(&x, w, &b));
            assert_gradient(&what("2 d_bias"), &gradient(&biases), &b, |b| 2.0 * loss(&x, &w, b));
            // A bias moves the value before the activation by as much: `d_out` has become that value's gradient.
            let by_column: Vec<f32> =
                (0..OUTPUTS).map(|o| d_out.chunks_exact(OUTPUTS).map(|row| row[o]).sum()).collect();
            assert_gradient(&what("d_pre"), &by_column, &b, |b| loss(&x, &w, b));
        }
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

#[test]
fn attention_varlen() {
    let layout = pack(&numbered(&[1, 4, 0, 3]));
    for heads in [Heads { count: 1, width: 3 }, Heads { count: 2, width: 2 }] {
        let hidden = heads.hidden();
        let (qkv, c) = (numbers(1, layout.rows() * 3 * hidden), numbers(2, layout.rows() * hidden));
        for dropout in [None, Dropout::new(0.4, 1, 2, 0, Site::Attention)] {
            let forward = |qkv: &[f32]| {
                let (mut out, mut log_sum) = (vec![0.0; c.len()], vec![0.0; layout.rows() * heads.count]);
                let qkv = qkv.to_vec();
                Reference.attention_varlen(&qkv, heads, &layout, dropout.as_ref(), &mut out, &mut log_sum);
                (out, log_sum)
            };
            let (out, log_sum) = forward(&qkv);
            let mut d_qkv = vec![f32::NAN; qkv.len()];
            let dropout = dropout.as_ref();
            Reference.attention_varlen_backward(&c, &qkv, &out, &log_sum, heads, &layout, dropout, &mut d_qkv);
            let what = format!("attention {heads:?}, dropout {}", dropout.is_some());
            assert_gradient(&what, &d_qkv, &qkv, |qkv| functional(&c, &forward(qkv).0));
        }
    }
}

#[test]
fn embed() {
    const WIDTH: usize = 3;
    const PADDING: u32 = 2;
    let layout = pack(&numbered(&[2, 5, 4]));
    let ids = ids_of(&layout, 5);
    assert!(ids.contains(&PADDING), "the padding's row must be among those looked up");
    let (w, p, t) = (numbers(1, 5 * WIDTH), numbers(2, 6 * WIDTH), numbers(3, 2 * WIDTH));
    let c = numbers(4, layout.rows() * WIDTH);
    let [mut words, mut positions, mut types] = [&w, &p, &t].map(|values| weight(Use::Table, WIDTH, values));
    let loss = |w: &[f32], p: &[f32], t: Option<&[f32]>| {
        let [words, positions] = [w, p].map(|values| weight(Use::Table, WIDTH, values));
        let types = t.map(|t| weight(Use::Table, WIDTH, t));
        let mut out = vec![0.0; c.len()];
        Reference.embed(&ids, &layout, &words, &positions, types.as_ref(), &mut out);
        functional(&c, &out)
    };
    let tables = (&mut words, &mut positions, Some(&mut types));
    Reference.embed_backward(&c, &ids, &layout, tables.0, tables.1, tables.2, None);
    assert_gradient("embed d_words", &gradient(&words), &w, |w| loss(w, &p, Some(&t)));
    assert_gradient("embed d_positions", &gradient(&positions), &p, |p| loss(&w, p, Some(&t)));
    assert_gradient("embed d_types", &gradient(&types), &t, |t| loss(&w, &p, Some(t)));

    // Without types, and with a padding whose row takes no gradient.
    let [mut words, mut positions] = [&w, &p].map(|values| weight(Use::Table, WIDTH, values));
    Reference.embed_backward(&c, &ids, &layout, &mut words, &mut positions, None, Some(PADDING));
    let without_padding = |moved: &[f32]| {
        let mut moved = moved.to_vec();
        let row = PADDING as usize * WIDTH..(PADDING as usize + 1) * WIDTH;
        moved[row.clone()].copy_from_slice(&w[row]);
        loss(&moved, &p, None)
    };
    assert_gradient("embed d_words but for the padding", &gradient(&words), &w, without_padding);
    assert_gradient("embed d_positions without types", &gradient(&positions), &p, |p| loss(&w, p, None));
}

#[test]
fn dropout_and_first_rows() {
    const WIDTH: usize = 6;
    let layout = pack(&numbered(&[2, 1, 3]));
    let (x, c) = (numbers(1, layout.rows() * WIDTH), numbers(2, layout.rows() * WIDTH));
    let dropout = Dropout::new(0.4, 1, 2, 0, Site::Embeddings).unwrap();
    let dropped = |x: &[f32]| {
        let mut x = x.to_vec();
        Reference.dropout(&mut x, WIDTH, &layout, &dropout);
        x
    };
    assert!(dropped(&x).contains(&0.0), "something must be dropped");
    assert_gradient("dropout", &dropped(&c), &x, |x| functional(&c, &dropped(x)));

    let c = &c[..layout.texts() * WIDTH];
    let first = |x: &[f32]| {
        let mut out = vec![0.0; c.len()];
        Reference.first_rows(&x.to_vec(), WIDTH, &layout, &mut out);
        functional(c, &out)
    };
    let mut d_x = vec![f32::NAN; x.len()];
    Reference.first_rows_backward(&c.to_vec(), WIDTH, &layout, &mut d_x);
    assert_gradient("first rows", &d_x, &x, first);
}

#[test]
fn cross_entropy() {
    let labels = [0, 2, 1, 1, 2];
    let logits: Vec<f32> = numbers(1, labels.len() * 3).iter().map(|x| x * 4.0).collect();
    for class_weights in [&[][..], &[1.0, 2.0, 0.5]] {
        for smoothing in [0.0, 0.1] {
            let loss = Loss::mean_over(&labels, class_weights, smoothing);
            let value =
                |logits: &[f32], d: &mut Vec<f32>| Reference.cross_entropy(&logits.to_vec(), 3, &labels, &loss, d);
            let mut d_logits = vec![f32::NAN; logits.len()];
            value(&logits, &mut d_logits);
            let what = format!("cross-entropy, class weights {class_weights:?}, smoothing {smoothing}");
            assert_gradient(&what, &d_logits, &logits, |x| value(x, &mut vec![0.0; x.len()]));
        }
    }
}

/// A text of one token attends to itself alone: queries and keys take no gradient, and the value takes all of it.
#[test]
fn attention_of_one_token() {
    let (layout, heads) = (Layout::one_row_each(&[7]), Heads { count: 1, width: 2 });
    let (qkv, c) = (numbers(1, 6), numbers(2, 2));
    let (mut out, mut log_sum, mut d_qkv) = (vec![0.0; 2], vec![0.0; 1], vec![0.0; 6]);
    Reference.attention_varlen(&qkv, heads, &layout, None, &mut out, &mut log_sum);
    assert_eq!(out, qkv[4..]);
    Reference.attention_varlen_backward(&c, &qkv, &out, &log_sum, heads, &layout, None, &mut d_qkv);
    // The probability is recomputed from a logarithm rounded to f32.
    for (got, expected) in d_qkv.iter().zip([0.0, 0.0, 0.0, 0.0, c[0], c[1]]) {
        assert!((got - expected).abs() < 1e-6, "{got}, expected {expected}");
    }
}
