//! Linear layers on bytes, which answer and do not learn: forward alone, against the reference and against themselves.
//!
//! A row is quantised in 255 steps from its lowest number to its highest, zero included, an output's weights in 127
//! steps to either side; each number is off by half a step at most, in either direction and on its own. So the errors of
//! a product add up as the root of the sum of their squares, of which [`SPREAD`] times is allowed: five standard
//! deviations, since errors spread evenly over a step.

use kernels::{Activation, Backend, Cpu, Isa, Layout, Precision, Reference};

use crate::invariance::assert_same_bits;
use crate::numbers::{Numbers, numbered, pack, rows_of};
use crate::operations::{On, PLACES, Place, read};

const SPREAD: f64 = 3.0;

/// Where the processor has the instructions.
fn cpu(threads: usize) -> Option<Cpu> {
    (Isa::detect() == Isa::Avx512Bf16).then(|| Cpu::with(threads, Isa::detect(), Precision::Int8).unwrap())
}

const ACTIVATIONS: [Option<Activation>; 3] = [None, Some(Activation::Gelu), Some(Activation::Tanh)];

/// Numbers that are not even about zero, and a weight whose rows differ in size.
fn operands(layout: &Layout, inputs: usize, outputs: usize) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let mut numbers = Numbers::new(4);
    let x = rows_of(layout, inputs, 1).iter().map(|x| if *x < -0.5 { *x } else { 3.0 * x }).collect();
    let mut weight = numbers.take(outputs * inputs);
    for (output, row) in weight.chunks_exact_mut(inputs).enumerate() {
        row.iter_mut().for_each(|x| *x *= [1.0, 0.01, 0.3][output % 3]);
    }
    (x, weight, numbers.take(outputs))
}

/// The values before and after each activation, kept in `place`.
fn forward<B: Backend>(
    on: &On<'_, B>,
    layout: &Layout,
    (inputs, outputs): (usize, usize),
    place: Place,
) -> Vec<Vec<f32>> {
    let (backend, rows) = (on.backend, layout.rows());
    let (x, weight, bias) = operands(layout, inputs, outputs);
    let x = on.buffer(Place::Operand, &x);
    // The reference has the numbers of the row that are bytes elsewhere, and the weight as it is.
    let weight = backend.weight(kernels::Use::Matrix, outputs, inputs, weight);
    let bias = on.vector(&bias);
    let of_activation = |activation| {
        let [mut pre, mut out] = [(); 2].map(|()| on.empty(place, rows * outputs));
        backend.linear(&x, rows, &weight, &bias, activation, Some(&mut pre), &mut out);
        let pre = activation.map(|_| read(backend, &pre));
        [Some(read(backend, &out)), pre].into_iter().flatten().collect::<Vec<_>>()
    };
    ACTIVATIONS.into_iter().flat_map(of_activation).collect()
}

/// What may be added to or missing from each element of the product.
fn allowance(layout: &Layout, inputs: usize, outputs: usize) -> Vec<f64> {
    let (x, weight, _) = operands(layout, inputs, outputs);
    let ends = |row: &[f32]| row.iter().fold((0.0_f32, 0.0_f32), |(low, high), &x| (low.min(x), high.max(x)));
    let mut allowed = Vec::new();
    for x in x.chunks_exact(inputs) {
        let (low, high) = ends(x);
        let half_step = f64::from(high - low) / 255.0 / 2.0;
        for weight in weight.chunks_exact(inputs) {
            let (low, high) = ends(weight);
            let half_step_of_weight = f64::from(high.max(-low)) / 127.0 / 2.0;
            let term = |(&x, &w): (&f32, &f32)| {
                (f64::from(x) * half_step_of_weight).powi(2) + (f64::from(w) * half_step).powi(2)
            };
            allowed.push(SPREAD * x.iter().zip(weight).map(term).sum::<f64>().sqrt());
        }
    }
    allowed
}

#[test]
fn products_are_as_near_as_bytes_allow() {
    let Some(cpu) = cpu(2) else { return };
    for (rows, inputs, outputs) in [(1, 1, 32), (1, 5, 33), (13, 31, 48), (16, 64, 70), (25, 47, 330), (129, 513, 65)] {
        let layout = pack(&[(0, rows)]);
        let expected = forward(&On::rounded(&Reference, Precision::Bf16), &layout, (inputs, outputs), Place::Single);
        let allowed = allowance(&layout, inputs, outputs);
        for place in PLACES {
            let got = forward(&On::drawn(&cpu), &layout, (inputs, outputs), place);
            for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
                let mut worst = 0.0_f64;
                for (at, (&got, &expected)) in got.iter().zip(expected).enumerate() {
                    // No activation is steeper than 1.2; what is kept as an operand is rounded once more.
                    let rounding = if place == Place::Operand { 1.0 / 256.0 } else { 2e-5 };
                    let allowed = 1.2 * allowed[at] + rounding * f64::from(expected).abs() + 1e-6;
                    let difference = f64::from(got - expected).abs();
                    let what = format!("{rows}x{inputs}x{outputs} in {place:?}, result {index} [{at}]");
                    assert!(difference <= allowed, "{what} is {got}, expected {expected}, give or take {allowed:.1e}");
                    worst = worst.max(difference / allowed);
                }
                println!("{rows}x{inputs}x{outputs} in {place:?}, result {index}: {worst:.2} of what is allowed");
            }
        }
    }
}

/// A row's bytes are its own: neither threads nor company change a bit.
#[test]
fn threads_and_company_do_not_matter() {
    let (Some(one), Some(three)) = (cpu(1), cpu(3)) else { return };
    let texts = numbered(&[1, 40, 129, 2, 64]);
    let layout = pack(&texts);
    for shape in [(384, 1100), (1100, 96), (30, 34)] {
        for place in PLACES {
            let expected = forward(&On::drawn(&one), &layout, shape, place);
            for (index, (got, expected)) in
                forward(&On::drawn(&three), &layout, shape, place).iter().zip(&expected).enumerate()
            {
                assert_same_bits(&format!("{shape:?} in {place:?}, result {index} on three threads"), got, expected);
            }
            for (text, &(example, rows)) in texts.iter().enumerate() {
                let alone = forward(&On::drawn(&one), &pack(&[(example, rows)]), shape, place);
                for (index, (got, all)) in alone.iter().zip(&expected).enumerate() {
                    let range = layout.range(text);
                    let what = format!("{shape:?} in {place:?}, result {index} of text {text}");
                    assert_same_bits(&what, got, &all[range.start * shape.1..range.end * shape.1]);
                }
            }
        }
    }
}

/// Bytes hold no infinities: their scales do.
#[test]
fn what_is_not_finite_shows() {
    let Some(cpu) = cpu(2) else { return };
    let (on, inputs, outputs) = (On::drawn(&cpu), 37, 50);
    let layout = pack(&numbered(&[3, 20]));
    let (x, weight, bias) = operands(&layout, inputs, outputs);
    for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for in_weight in [false, true] {
            let (mut x, mut weight) = (x.clone(), weight.clone());
            if in_weight {
                weight[33 * inputs + 5] = poison;
            } else {
                x[14 * inputs + 5] = poison;
            }
            let x = on.buffer(Place::Operand, &x);
            let weight = cpu.weight(kernels::Use::Matrix, outputs, inputs, weight);
            let mut out = on.empty(Place::Single, layout.rows() * outputs);
            cpu.linear(&x, layout.rows(), &weight, &on.vector(&bias), None, None, &mut out);
            for (at, x) in read(&cpu, &out).iter().enumerate() {
                let damaged = if in_weight { at % outputs == 33 } else { at / outputs == 14 };
                assert_eq!(x.is_finite(), !damaged, "{poison} in the weight {in_weight}: element {at} is {x}");
            }
        }
    }
}
