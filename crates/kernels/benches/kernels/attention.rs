//! Attention of twelve heads, forward and backward.
//!
//! Its products are 4 T² H operations forward and 10 T² H backward, for each text; the rate counts nothing else.

use kernels::{Backend, Dropout, Heads, Queries, Site};

use crate::{Bench, layout};

/// Tokens of a text, and texts.
const TEXTS: [(usize, usize); 3] = [(25, 8), (128, 16), (512, 4)];

pub(crate) fn table(bench: &Bench) {
    println!("\nattention: microseconds (GFLOP/s)");
    println!("tokens texts width dropout          forward         backward    first forward   first backward");
    for width in [32, 64] {
        for &(tokens, texts) in bench.shapes(&TEXTS) {
            for dropout in [None, Dropout::new(0.1, 1, 2, 3, Site::Attention)] {
                row(bench, (tokens, texts), Heads { count: 12, width }, dropout.as_ref());
            }
        }
    }
}

fn row(bench: &Bench, (tokens, texts): (usize, usize), heads: Heads, dropout: Option<&Dropout>) {
    let (cpu, rows, hidden) = (&bench.cpu, tokens * texts, heads.hidden());
    let layout = layout(rows, tokens);
    let (qkv, mut d_qkv) = (bench.operand(rows * 3 * hidden), bench.operand(rows * 3 * hidden));
    let (d_out, mut out) = (bench.operand(rows * hidden), bench.operand(rows * hidden));
    let mut log_sum_exp = cpu.zeros(rows * heads.count);
    let kept = if dropout.is_some() { "0.1" } else { "none" };
    print!("{tokens:>6} {texts:>5} {:>5} {kept:>7}", heads.width);
    for queries in [Queries::All, Queries::First] {
        let asking = if queries == Queries::All { tokens } else { 1 };
        let flops = (texts * tokens * asking * hidden) as f64;
        let forward =
            bench.fastest(|| cpu.attention_varlen(&qkv, heads, &layout, queries, dropout, &mut out, &mut log_sum_exp));
        let backward = bench.fastest(|| {
            let (out, log_sum_exp) = (&out, &log_sum_exp);
            cpu.attention_varlen_backward(&d_out, &qkv, out, log_sum_exp, heads, &layout, queries, dropout, &mut d_qkv);
        });
        for (seconds, flops) in [(forward, 4.0 * flops), (backward, 10.0 * flops)] {
            print!("  {:>8.0} ({:>4.0})", seconds * 1e6, flops / seconds / 1e9);
        }
    }
    println!();
}
