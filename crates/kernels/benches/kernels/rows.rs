//! What goes row by row and waits for memory: normalisation with dropout and residual, and look-ups.
//!
//! The rate counts each operand once, in its own precision.

use kernels::{Backend, Dropout, Site, Use};

use crate::{Bench, layout, values};

const ROWS: [usize; 2] = [200, 2048];
const VOCABULARY: usize = 30_522;

pub(crate) fn table(bench: &Bench) {
    println!("\nrows: microseconds (GB/s)");
    println!("  rows width     norm forward    norm backward            embed   embed backward");
    for width in [384, 768] {
        for &rows in bench.shapes(&ROWS) {
            print!("{rows:>6} {width:>5}");
            let figures = layer_norm(bench, rows, width).into_iter().chain(embed(bench, rows, width));
            for (seconds, bytes) in figures {
                print!("  {:>8.0} ({:>4.1})", seconds * 1e6, bytes as f64 / seconds / 1e9);
            }
            println!();
        }
    }
}

fn layer_norm(bench: &Bench, rows: usize, width: usize) -> [(f64, usize); 2] {
    let (cpu, layout, len) = (&bench.cpu, layout(rows, 100), rows * width);
    let dropout = Dropout::new(0.1, 1, 2, 3, Site::Output);
    let [mut weight, mut bias] = [(); 2].map(|()| cpu.weight(Use::Vector, 1, width, values(width)));
    let (x, residual) = (bench.single(len), bench.operand(len));
    let [mut normalized, mut out, mut d_x] = [(); 3].map(|()| bench.operand(len));
    let (mut inverse_std, mut d) = (bench.single(rows), bench.single(len));
    let forward = bench.fastest(|| {
        cpu.residual_dropout_layer_norm(
            &x,
            Some(&residual),
            dropout.as_ref(),
            &layout,
            &weight,
            &bias,
            1e-12,
            &mut normalized,
            &mut inverse_std,
            &mut out,
        );
    });
    let backward = bench.fastest(|| {
        cpu.residual_dropout_layer_norm_backward(
            &mut d,
            &normalized,
            &inverse_std,
            dropout.as_ref(),
            &layout,
            &mut weight,
            &mut bias,
            Some(&mut d_x),
        );
    });
    let operand = cpu.operand_bytes();
    [(forward, len * (4 + 3 * operand)), (backward, len * (8 + 2 * operand))]
}

fn embed(bench: &Bench, rows: usize, width: usize) -> [(f64, usize); 2] {
    let (cpu, layout, len) = (&bench.cpu, layout(rows, 100), rows * width);
    let [mut words, mut positions, mut types] =
        [VOCABULARY, 512, 2].map(|rows| cpu.weight(Use::Table, rows, width, values(rows * width)));
    // Words far from each other, as in a text.
    let ids: Vec<u32> = (0..rows).map(|row| (row * 7919 % VOCABULARY) as u32).collect();
    let mut out = bench.single(len);
    let forward = bench.fastest(|| cpu.embed(&ids, &layout, &words, &positions, Some(&types), &mut out));
    let backward = bench.fastest(|| {
        cpu.embed_backward(&out, &ids, &layout, &mut words, &mut positions, Some(&mut types), Some(0));
    });
    [(forward, len * 4 * 3), (backward, len * 4 * 5)]
}
