//! Every operation of the CPU backend against the reference, on awkward shapes, under every instruction set.
//!
//! The reference adds up in double precision. The CPU adds up k products in single precision, so the difference grows
//! as ε·√k times the size of the terms; the bound below, 2·10⁻⁵ of the largest element, leaves a factor of about four
//! over what was seen. `-- --nocapture` prints the largest difference of each operation.

use kernels::{Activation, Cpu, Dropout, Heads, Isa, Layout, Reference, Site};

use crate::numbers::{numbered, pack};
use crate::operations::{self, Outcome};

const BOUND: f32 = 2e-5;

fn assert_close(what: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-3_f32, |m, x| m.max(x.abs()));
    let (mut worst, mut at) = (0.0_f32, 0);
    for (index, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!(g.is_finite(), "{what}: element {index} is {g}");
        if (g - e).abs() > worst {
            (worst, at) = ((g - e).abs(), index);
        }
    }
    println!("{what}: largest difference {:.1e} of the largest element", worst / largest);
    assert!(worst <= BOUND * largest, "{what}: element {at} is {}, expected {}", got[at], expected[at]);
}

fn assert_agree(what: &str, cpu: &Cpu, got: &Outcome, expected: &Outcome) {
    assert_eq!(got.all().count(), expected.all().count());
    for ((name, got), (_, expected)) in got.all().zip(expected.all()) {
        assert_close(&format!("{:?} {what} {name}", cpu.isa()), got, expected);
    }
}

fn backends() -> Vec<Cpu> {
    Isa::available().into_iter().map(|isa| Cpu::with_isa(2, isa).unwrap()).collect()
}

fn layouts() -> Vec<Layout> {
    [&[1][..], &[2, 1, 17], &[16, 33, 5], &[64, 0, 65], &[130]].map(|lengths| pack(&numbered(lengths))).into()
}

#[test]
fn linear() {
    let activations =
        [None, Some(Activation::Gelu), Some(Activation::GeluTanh), Some(Activation::Relu), Some(Activation::Tanh)];
    for (rows, inputs, outputs) in [(1, 1, 1), (1, 5, 3), (15, 33, 70), (16, 64, 2), (129, 40, 330), (300, 513, 65)] {
        let batch = [pack(&[(0, rows)])];
        for activation in activations {
            for add in [false, true] {
                let expected = operations::linear(&Reference, &batch, (inputs, outputs), activation, add);
                for cpu in backends() {
                    let got = operations::linear(&cpu, &batch, (inputs, outputs), activation, add);
                    let what = format!("linear {rows}x{inputs}x{outputs} {activation:?}");
                    assert_agree(&what, &cpu, &got, &expected);
                }
            }
        }
    }
}

#[test]
fn attention() {
    for layout in layouts() {
        let batch = [layout];
        for heads in [Heads { count: 1, width: 1 }, Heads { count: 3, width: 7 }, Heads { count: 2, width: 32 }] {
            for dropout in [None, Dropout::new(0.3, 1, 2, 0, Site::Attention)] {
                let expected = operations::attention(&Reference, &batch, heads, dropout.as_ref());
                for cpu in backends() {
                    let got = operations::attention(&cpu, &batch, heads, dropout.as_ref());
                    let what = format!("attention {} rows {heads:?}", batch[0].rows());
                    assert_agree(&what, &cpu, &got, &expected);
                }
            }
        }
    }
}

#[test]
fn layer_norm_and_dropout() {
    for layout in layouts() {
        let batch = [layout];
        // Rows of one or two elements normalise to 0 or ±1 whatever they hold: their gradients are rounding alone.
        for width in [7, 16, 50] {
            for dropout in [None, Dropout::new(0.2, 1, 2, 0, Site::Output)] {
                let expected = operations::layer_norm(&Reference, &batch, width, dropout.as_ref());
                for cpu in backends() {
                    let got = operations::layer_norm(&cpu, &batch, width, dropout.as_ref());
                    let what = format!("layer norm {} rows of {width}", batch[0].rows());
                    assert_agree(&what, &cpu, &got, &expected);
                    if let Some(dropout) = &dropout {
                        let expected = operations::dropout(&Reference, &batch, width, dropout);
                        let got = operations::dropout(&cpu, &batch, width, dropout);
                        assert_agree(&format!("dropout of {width}"), &cpu, &got, &expected);
                    }
                }
            }
        }
    }
}

#[test]
fn embed_and_first_rows() {
    for layout in layouts() {
        for width in [1, 7, 16, 50] {
            let batch = [layout.clone()];
            for cpu in backends() {
                let (got, expected) =
                    (operations::embed(&cpu, &batch, width), operations::embed(&Reference, &batch, width));
                assert_agree(&format!("embed {} rows of {width}", layout.rows()), &cpu, &got, &expected);
                if (0..layout.texts()).all(|text| !layout.range(text).is_empty()) {
                    let (got, expected) = (
                        operations::first_rows(&cpu, &layout, width),
                        operations::first_rows(&Reference, &layout, width),
                    );
                    assert_agree(&format!("first rows of {width}"), &cpu, &got, &expected);
                }
            }
        }
    }
}

#[test]
fn cross_entropy_and_adamw() {
    let layout = &layouts()[2];
    for cpu in backends() {
        let (got, expected) = (operations::cross_entropy(&cpu, layout), operations::cross_entropy(&Reference, layout));
        assert_agree("cross-entropy", &cpu, &got, &expected);
        let shape = (33, 1000);
        assert_agree("AdamW", &cpu, &operations::adamw(&cpu, shape), &operations::adamw(&Reference, shape));
    }
}
