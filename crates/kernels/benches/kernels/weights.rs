//! The optimiser: the gradient's norm, then a step with all it renews.
//!
//! The rate counts the reading of the gradient for the norm; for the step the reading of four numbers of each element and
//! the writing of three, but none of the packed forms.

use kernels::{AdamW, Backend, CpuWeight, Part, Use};

use crate::{Bench, layout, values};

const MATRICES: [(usize, usize); 3] = [(384, 384), (1152, 384), (768, 3072)];
/// Rows and width of a table, and rows with a gradient.
const TABLE: (usize, usize, usize) = (30_522, 384, 200);

const STEP: AdamW = AdamW {
    learning_rate: 1e-5,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.01,
    step: 10,
    gradient_scale: 0.5,
};

pub(crate) fn table(bench: &Bench) {
    println!("\nweights: microseconds (GB/s)");
    println!("           shape             norm            AdamW");
    for &(rows, cols) in bench.shapes(&MATRICES) {
        let mut weight = bench.cpu.weight(Use::Matrix, rows, cols, values(rows * cols));
        let gradient = values(rows * cols);
        row(bench, &format!("{rows}x{cols}"), &mut weight, rows * cols, |weight| {
            bench.cpu.set_part(weight, Part::Gradient, &gradient);
        });
    }
    let (rows, cols, touched) = TABLE;
    let [mut words, mut positions] =
        [rows, 512].map(|rows| bench.cpu.weight(Use::Table, rows, cols, values(rows * cols)));
    let (d, layout) = (bench.single(touched * cols), layout(touched, 100));
    let ids: Vec<u32> = (0..touched).map(|row| (row * 7919 % rows) as u32).collect();
    row(bench, &format!("{touched} of {rows}x{cols}"), &mut words, touched * cols, |words| {
        bench.cpu.embed_backward(&d, &ids, &layout, words, &mut positions, None, None);
    });
}

/// `learn` gives the weight a gradient before each step.
fn row(bench: &Bench, shape: &str, weight: &mut CpuWeight, elements: usize, mut learn: impl FnMut(&mut CpuWeight)) {
    let cpu = &bench.cpu;
    learn(weight);
    let norm = bench.fastest(|| {
        std::hint::black_box(cpu.squared_gradient_norm(weight));
    });
    let step = bench.fastest(|| {
        learn(weight);
        cpu.adamw(weight, &STEP);
    });
    let learning = bench.fastest(|| learn(weight));
    print!("{shape:>16}");
    for (seconds, bytes) in [(norm, 4), (step - learning, 28)] {
        print!("  {:>8.0} ({:>4.1})", seconds * 1e6, (bytes * elements) as f64 / seconds / 1e9);
    }
    println!();
}
