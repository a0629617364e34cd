//! One number that is none, NaN or an infinity, shows in every result that depends on it, and in no other.

use kernels::{Activation, Backend, Cpu, Heads, InputGradient, Layout, Queries};

use crate::numbers::{Numbers, numbered, pack, rows_of};
use crate::operations::{On, Place, read};
use crate::settings::cpus;

const POISONS: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];

/// Rows of `width`: those for which `poisoned` holds, given row and column, are not finite; all others have the bits
/// they have without the poison.
fn assert_shows(what: &str, got: &[f32], clean: &[f32], width: usize, poisoned: impl Fn(usize, usize) -> bool) {
    assert_eq!(got.len(), clean.len(), "{what}");
    for (index, (x, clean)) in got.iter().zip(clean).enumerate() {
        let (row, column) = (index / width, index % width);
        if poisoned(row, column) {
            assert!(!x.is_finite(), "{what} [{row}, {column}] is {x}: the poison was swallowed");
        } else {
            assert_eq!(x.to_bits(), clean.to_bits(), "{what} [{row}, {column}] does not depend on the poison");
        }
    }
}

fn for_each_poison(mut check: impl FnMut(&Cpu, f32, &str)) {
    for cpu in cpus() {
        for poison in POISONS {
            check(&cpu, poison, &format!("{:?} {:?} {poison}", cpu.isa(), cpu.precision()));
        }
    }
}

#[test]
fn linear() {
    const INPUTS: usize = 37;
    const OUTPUTS: usize = 50;
    const ROW: usize = 14;
    let layout = pack(&numbered(&[3, 20, 2]));
    let rows = layout.rows();
    /// Which operand holds the poison.
    #[derive(Clone, Copy, PartialEq)]
    enum In {
        Nothing,
        X,
        Weight,
        Bias,
        DOut,
    }
    for_each_poison(|cpu, poison, what| {
        let on = On::drawn(cpu);
        let run = |at: In| {
            let with = |here: In, mut values: Vec<f32>, index: usize| {
                if here == at {
                    values[index] = poison;
                }
                values
            };
            let x = on.buffer(Place::Operand, &with(In::X, rows_of(&layout, INPUTS, 1), ROW * INPUTS + 5));
            let d_out = on.buffer(Place::Operand, &with(In::DOut, rows_of(&layout, OUTPUTS, 2), ROW * OUTPUTS + 33));
            let numbers = Numbers::new(1).take(OUTPUTS * INPUTS);
            let mut weight = on.matrix(OUTPUTS, INPUTS, &with(In::Weight, numbers, 33 * INPUTS + 5));
            let mut bias = on.vector(&with(In::Bias, vec![0.5; OUTPUTS], 33));
            let mut outs = Vec::new();
            let activations = [
                None,
                Some(Activation::Gelu),
                Some(Activation::GeluTanh),
                Some(Activation::Tanh),
                Some(Activation::Relu),
            ];
            for activation in activations {
                let (mut pre, mut out) = (cpu.operand(rows * OUTPUTS), cpu.zeros(rows * OUTPUTS));
                cpu.linear(&x, rows, &weight, &bias, activation, Some(&mut pre), &mut out);
                outs.push(read(cpu, &out));
                if activation.is_some() {
                    outs.push(read(cpu, &pre));
                }
            }
            let mut d_x = cpu.operand(rows * INPUTS);
            cpu.linear_backward(&d_out, &x, &layout, &mut weight, &mut bias, Some(InputGradient::Set(&mut d_x)));
            let gradient = |weight| cpu.part(weight, kernels::Part::Gradient).into_owned();
            (outs, read(cpu, &d_x), gradient(&weight), gradient(&bias))
        };
        let clean = run(In::Nothing);
        for (name, at) in [("x", In::X), ("weight", In::Weight), ("bias", In::Bias), ("d_out", In::DOut)] {
            let (outs, d_x, d_weight, d_bias) = run(at);
            for (index, (got, clean)) in outs.iter().zip(&clean.0).enumerate() {
                // Of an infinity, tanh makes ±1, and ReLU may make 0; what was before the activation stands alone.
                if poison.is_nan() || index < 1 || index % 2 == 0 {
                    let is_poisoned = |row: usize, column: usize| match at {
                        In::X => row == ROW,
                        In::Weight | In::Bias => column == 33,
                        In::Nothing | In::DOut => false,
                    };
                    assert_shows(&format!("{what} in {name}, result {index}"), got, clean, OUTPUTS, is_poisoned);
                }
            }
            assert_shows(&format!("{what} in {name}, d_x"), &d_x, &clean.1, INPUTS, |row, column| match at {
                In::DOut => row == ROW,
                In::Weight => column == 5,
                _ => false,
            });
            assert_shows(
                &format!("{what} in {name}, d_weight"),
                &d_weight,
                &clean.2,
                INPUTS,
                |output, input| match at {
                    In::X => input == 5,
                    In::DOut => output == 33,
                    _ => false,
                },
            );
            assert_shows(&format!("{what} in {name}, d_bias"), &d_bias, &clean.3, 1, |output, _| {
                at == In::DOut && output == 33
            });
        }
    });
}

/// A poison in one text and head stays there, whatever the text after it finds in memory that was used before.
#[test]
fn attention() {
    let layout = pack(&numbered(&[30, 26, 1, 61, 5]));
    let heads = Heads { count: 2, width: 8 };
    let (hidden, text, head) = (heads.hidden(), 1, 1);
    let asks = layout.range(text).start + 7;
    for_each_poison(|cpu, poison, what| {
        let on = On::drawn(cpu);
        for queries in [Queries::All, Queries::First] {
            let results =
                if queries == Queries::All { layout.clone() } else { Layout::one_row_each(layout.examples()) };
            // Part 3 is the gradient of the result. Keys and queries are positive, so that no score is -∞ alone: such a
            // key has a probability of zero, and rightly leaves no trace.
            let run = |part: Option<usize>| {
                let mut qkv: Vec<f32> = rows_of(&layout, 3 * hidden, 1).iter().map(|x| x.abs() + 0.1).collect();
                let mut d_out = rows_of(&results, hidden, 2);
                let row = if queries == Queries::All { asks } else { layout.range(text).start };
                let result = if queries == Queries::All { asks } else { text };
                match part {
                    Some(3) => d_out[result * hidden + head * heads.width + 2] = poison,
                    Some(part) => qkv[row * 3 * hidden + part * hidden + head * heads.width + 2] = poison.abs(),
                    None => {}
                }
                let (qkv, d_out) = (on.buffer(Place::Operand, &qkv), on.buffer(Place::Operand, &d_out));
                let (mut out, mut log_sum_exp) =
                    (cpu.operand(results.rows() * hidden), cpu.zeros(results.rows() * heads.count));
                let mut d_qkv = cpu.operand(layout.rows() * 3 * hidden);
                cpu.attention_varlen(&qkv, heads, &layout, queries, None, &mut out, &mut log_sum_exp);
                cpu.attention_varlen_backward(
                    &d_out,
                    &qkv,
                    &out,
                    &log_sum_exp,
                    heads,
                    &layout,
                    queries,
                    None,
                    &mut d_qkv,
                );
                (read(cpu, &out), read(cpu, &log_sum_exp), read(cpu, &d_qkv), row, result)
            };
            let clean = run(None);
            for (name, part) in [("query", 0), ("key", 1), ("value", 2), ("d_out", 3)] {
                let what = format!("{what} in a {name} of {queries:?}");
                let (out, log_sum_exp, d_qkv, row, result) = run(Some(part));
                let of_text =
                    |at: usize| if queries == Queries::All { layout.range(text).contains(&at) } else { at == text };
                let of_head = |column: usize| column / heads.width == head;
                assert_shows(&format!("{what}: out"), &out, &clean.0, hidden, |at, column| match part {
                    0 => at == result && of_head(column),
                    1 => of_text(at) && of_head(column),
                    2 => of_text(at) && column == head * heads.width + 2,
                    _ => false,
                });
                assert_shows(&format!("{what}: log_sum_exp"), &log_sum_exp, &clean.1, heads.count, |at, column| {
                    match part {
                        0 => at == result && column == head,
                        1 => of_text(at) && column == head,
                        _ => false,
                    }
                });
                // Whatever is poisoned, gradients of its text and head are no longer to be had as a whole; those of
                // others are as before.
                let mut some = [false; 3];
                for (at, (d, clean)) in d_qkv.chunks_exact(hidden).zip(clean.2.chunks_exact(hidden)).enumerate() {
                    let (at, of) = (at / 3, at % 3);
                    for (column, (d, clean)) in d.iter().zip(clean).enumerate() {
                        if layout.range(text).contains(&at) && of_head(column) {
                            some[of] |= !d.is_finite();
                        } else {
                            assert_eq!(d.to_bits(), clean.to_bits(), "{what}: d_qkv [{at}, {of}, {column}]");
                        }
                    }
                }
                assert!(some[0] && some[1], "{what}: gradients of queries and keys are finite");
                assert!(part == 2 || some[2], "{what}: gradients of values are finite");
                let query = &d_qkv[row * 3 * hidden + head * heads.width..][..heads.width];
                assert!(query.iter().all(|x| !x.is_finite()), "{what}: the gradient of its query is {query:?}");
            }
        }
    });
}

#[test]
fn layer_norm() {
    const WIDTH: usize = 21;
    const ROW: usize = 17;
    let layout = pack(&numbered(&[3, 20, 2]));
    let rows = layout.rows();
    for_each_poison(|cpu, poison, what| {
        let on = On::drawn(cpu);
        let run = |at: Option<usize>| {
            let operand = |index: usize, place: Place| {
                let mut values = rows_of(&layout, WIDTH, index as u64 + 1);
                if at == Some(index) {
                    values[ROW * WIDTH + 4] = poison;
                }
                on.buffer(place, &values)
            };
            let (x, residual) = (operand(0, Place::Single), operand(1, Place::Operand));
            let [mut weight, mut bias] = [1.0, 0.0].map(|x| on.vector(&[x; WIDTH]));
            let [mut normalized, mut out, mut d_x] = [(); 3].map(|()| cpu.operand(rows * WIDTH));
            let mut inverse_std = cpu.zeros(rows);
            let (unit, inverse) = (&mut normalized, &mut inverse_std);
            cpu.residual_dropout_layer_norm(
                &x,
                Some(&residual),
                None,
                &layout,
                &weight,
                &bias,
                1e-5,
                unit,
                inverse,
                &mut out,
            );
            let mut d = operand(2, Place::Single);
            let d_x_of = Some(&mut d_x);
            cpu.residual_dropout_layer_norm_backward(
                &mut d,
                &normalized,
                &inverse_std,
                None,
                &layout,
                &mut weight,
                &mut bias,
                d_x_of,
            );
            let rows = [&out, &normalized, &d, &d_x].map(|buffer| read(cpu, buffer));
            let gradients = [&weight, &bias].map(|weight| cpu.part(weight, kernels::Part::Gradient).into_owned());
            (rows, gradients)
        };
        let clean = run(None);
        for (operand, name) in ["x", "the residual", "d_out"].into_iter().enumerate() {
            let (rows, gradients) = run(Some(operand));
            for ((kind, got), clean) in ["out", "normalized", "d_sum", "d_x"].into_iter().zip(&rows).zip(&clean.0) {
                let forward = kind == "out" || kind == "normalized";
                let what = format!("{what} in {name}: {kind}");
                assert_shows(&what, got, clean, WIDTH, |row, _| row == ROW && (operand < 2 || !forward));
            }
            for ((kind, got), clean) in ["d_weight", "d_bias"].into_iter().zip(&gradients).zip(&clean.1) {
                let what = format!("{what} in {name}: {kind}");
                assert_shows(&what, got, clean, WIDTH, |_, column| match (operand, kind) {
                    (2, _) => column == 4,
                    (_, "d_weight") => true,
                    _ => false,
                });
            }
        }
    });
}
