//! Linear layers, normalisation and the optimiser.

use kernels::{Activation, Dropout, Precision, Site};

use super::{Bound, SUMMATION, assert_all_agree, layouts, stored};
use crate::numbers::{numbered, pack};
use crate::operations;

/// Rows, inputs and outputs around the sizes that tiles, panels and vectors have: 2, 12, 16, 32 and 48.
const SHAPES: [(usize, usize, usize); 13] = [
    (1, 1, 1),
    (1, 5, 3),
    (2, 2, 31),
    (11, 12, 32),
    (12, 16, 33),
    (13, 31, 48),
    (15, 33, 70),
    (16, 64, 2),
    (25, 47, 49),
    (97, 32, 12),
    (129, 40, 330),
    (200, 96, 64),
    (300, 513, 65),
];

#[test]
fn linear() {
    let activations =
        [None, Some(Activation::Gelu), Some(Activation::GeluTanh), Some(Activation::Relu), Some(Activation::Tanh)];
    for (rows, inputs, outputs) in SHAPES {
        let batch = [pack(&[(0, rows)])];
        for activation in activations {
            assert_all_agree(
                &format!("linear {rows}x{inputs}x{outputs} {activation:?}"),
                |on| operations::linear(on, &batch, (inputs, outputs), activation),
                |on| operations::linear(on, &batch, (inputs, outputs), activation),
                |precision, kept| match (precision, activation) {
                    // Its derivative is a polynomial there that is off by 1.5·10⁻⁵.
                    (Precision::Bf16, Some(Activation::Gelu)) => {
                        Bound { of_largest: 2.0 * SUMMATION, ..stored(precision, kept.place) }
                    }
                    _ => stored(precision, kept.place),
                },
            );
        }
    }
}

/// Gradients of weights pair up the rows of each text: texts of odd and even lengths, and of none.
#[test]
fn linear_over_texts() {
    for layout in layouts() {
        let batches = [layout, pack(&numbered(&[3, 7]))];
        assert_all_agree(
            &format!("linear over {} and 10 rows", batches[0].rows()),
            |on| operations::linear(on, &batches, (37, 50), None),
            |on| operations::linear(on, &batches, (37, 50), None),
            |precision, kept| stored(precision, kept.place),
        );
    }
}

#[test]
fn layer_norm() {
    for layout in layouts() {
        let batch = [layout];
        // Rows of one or two elements normalise to 0 or ±1 whatever they hold: their gradients are rounding alone.
        for width in [7, 16, 50] {
            for dropout in [None, Dropout::new(0.2, 1, 2, 0, Site::Output)] {
                for turned in [false, true] {
                    assert_all_agree(
                        &format!("layer norm {} rows of {width}, turned {turned}", batch[0].rows()),
                        |on| operations::layer_norm(on, &batch, width, dropout.as_ref(), turned),
                        |on| operations::layer_norm(on, &batch, width, dropout.as_ref(), turned),
                        |precision, kept| stored(precision, kept.place),
                    );
                }
            }
        }
    }
}

#[test]
fn adamw() {
    for shape in [(1, 1), (31, 33), (32, 32), (64, 96), (33, 1000)] {
        assert_all_agree(
            &format!("AdamW {shape:?}"),
            |on| operations::adamw(on, shape),
            |on| operations::adamw(on, shape),
            |precision, kept| stored(precision, kept.place),
        );
    }
}
