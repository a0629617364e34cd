//! The three products of a linear layer: forward, gradient of the input, gradient of the weight.
//!
//! In GFLOP/s; "of peak" sets the rate against a loop of multiply-adds that touches no memory, timed right before the
//! row's products, since a shared machine changes from minute to minute.

use kernels::{Backend, InputGradient, Use};

use crate::{Bench, layout, peak, values};

/// Inputs and outputs of the linear layers of a MiniLM block (384 wide) and of a BERT base block (768 wide).
const SHAPES: [(usize, usize); 8] =
    [(384, 1152), (384, 384), (384, 1536), (1536, 384), (768, 2304), (768, 768), (768, 3072), (3072, 768)];
const ROWS: [usize; 3] = [200, 1024, 4096];

pub(crate) fn table(bench: &Bench) {
    println!("\nproducts: GFLOP/s (of peak)");
    println!("  rows inputs outputs    peak        forward        d_input       d_weight");
    for (inputs, outputs) in SHAPES {
        for &rows in bench.shapes(&ROWS) {
            row(bench, rows, inputs, outputs);
        }
    }
}

fn row(bench: &Bench, rows: usize, inputs: usize, outputs: usize) {
    let (cpu, layout) = (&bench.cpu, layout(rows, 100));
    let peak = peak::rate(bench);
    let mut weight = cpu.weight(Use::Matrix, outputs, inputs, values(outputs * inputs));
    let mut bias = cpu.weight(Use::Vector, 1, outputs, values(outputs));
    let (x, mut d_x) = (bench.operand(rows * inputs), bench.operand(rows * inputs));
    let (d_out, mut out) = (bench.operand(rows * outputs), bench.operand(rows * outputs));
    let flops = 2.0 * rows as f64 * inputs as f64 * outputs as f64;

    let forward = bench.fastest(|| cpu.linear(&x, rows, &weight, &bias, None, None, &mut out));
    cpu.set_trainable(&mut bias, false);
    let d_weight = bench.fastest(|| {
        // As in a step: what the gradient's memory holds is of no use.
        cpu.zero_gradient(&mut weight);
        cpu.linear_backward(&d_out, &x, &layout, &mut weight, &mut bias, None);
    });
    cpu.set_trainable(&mut weight, false);
    let d_input = bench.fastest(|| {
        let to = Some(InputGradient::Set(&mut d_x));
        cpu.linear_backward(&d_out, &x, &layout, &mut weight, &mut bias, to);
    });

    print!("{rows:>6} {inputs:>6} {outputs:>7} {:>7.0}", peak / 1e9);
    for seconds in [forward, d_input, d_weight] {
        let rate = flops / seconds;
        print!("   {:>5.0} ({:>3.0}%)", rate / 1e9, 100.0 * rate / peak);
    }
    println!();
}
