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

mod attention;
mod layers;
mod rows;

use kernels::{Backend, Part, Reference, ReferenceWeight, Use};

use crate::numbers::Numbers;

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
