//! Every operation of the CPU backend against the reference, on awkward shapes, under every instruction set.
//!
//! The reference adds up in double precision. The CPU adds up k products in single precision, so the difference grows
//! as ε·√k times the size of the terms; the bound below, 2·10⁻⁵ of the largest element, leaves a factor of about four
//! over what was seen. `-- --nocapture` prints the largest difference of each operation.

use kernels::{Activation, AdamW, Backend, Cpu, Dropout, Heads, Isa, Layout, Loss, Part, Reference, Site, Use};

const BOUND: f32 = 2e-5;

/// A small deterministic stream of numbers in [-1, 1).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32) / (1 << 23) as f32 - 1.0
    }

    fn take(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.next()).collect()
    }
}

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

fn backends() -> Vec<Cpu> {
    Isa::available().into_iter().map(|isa| Cpu::with_isa(2, isa).unwrap()).collect()
}

fn layout(lengths: &[usize]) -> Layout {
    let mut ends = vec![0_u32];
    ends.extend(lengths.iter().scan(0, |sum, &len| {
        *sum += len as u32;
        Some(*sum)
    }));
    Layout::new(&ends, &(0..lengths.len() as u64).map(|n| n * 7 + 3).collect::<Vec<_>>())
}

fn layouts() -> Vec<Layout> {
    [&[1][..], &[2, 1, 17], &[16, 33, 5], &[64, 65], &[130]].into_iter().map(layout).collect()
}

#[test]
fn linear_with_every_activation() {
    let activations =
        [None, Some(Activation::Gelu), Some(Activation::GeluTanh), Some(Activation::Relu), Some(Activation::Tanh)];
    for cpu in backends() {
        for (rows, inputs, outputs) in [(1, 1, 1), (1, 5, 3), (15, 33, 70), (16, 64, 2), (129, 40, 330), (300, 513, 65)]
        {
            for activation in activations {
                let mut numbers = Numbers(rows as u64);
                let (x, w, b) = (numbers.take(rows * inputs), numbers.take(outputs * inputs), numbers.take(outputs));
                let (d, start) = (numbers.take(rows * outputs), numbers.take(rows * inputs));
                let run = |result: &mut Vec<Vec<f32>>, add: bool| {
                    // A macro in spirit: the same calls on either backend.
                    fn go<B: Backend>(
                        backend: &B,
                        (rows, inputs, outputs): (usize, usize, usize),
                        activation: Option<Activation>,
                        (x, w, b, d, start): (&[f32], &[f32], &[f32], &[f32], &[f32]),
                        add: bool,
                    ) -> Vec<Vec<f32>> {
                        let buffer = |values: &[f32]| {
                            let mut buffer = backend.zeros(values.len());
                            backend.write(&mut buffer, values);
                            buffer
                        };
                        let read = |from: &B::Buffer| {
                            let mut into = vec![0.0; backend.len(from)];
                            backend.read(from, &mut into);
                            into
                        };
                        let mut weight = backend.weight(Use::Matrix, outputs, inputs, w.to_vec());
                        let mut bias = backend.weight(Use::Vector, 1, outputs, b.to_vec());
                        let (x, mut d, mut d_x) = (buffer(x), buffer(d), buffer(start));
                        let (mut pre, mut out) = (backend.zeros(rows * outputs), backend.zeros(rows * outputs));
                        let mut alone = backend.zeros(rows * outputs);
                        backend.linear(&x, rows, &weight, &bias, activation, None, &mut alone);
                        backend.linear(&x, rows, &weight, &bias, activation, Some(&mut pre), &mut out);
                        assert_eq!(read(&alone), if activation.is_some() { read(&out) } else { read(&alone) });
                        let saved = activation.map(|activation| (activation, &pre));
                        backend.linear_backward(&mut d, &x, rows, &mut weight, &mut bias, saved, Some(&mut d_x), add);
                        let gradient = |w| backend.part(w, Part::Gradient).into_owned();
                        vec![read(&alone), read(&d), read(&d_x), gradient(&weight), gradient(&bias)]
                    }
                    let shape = (rows, inputs, outputs);
                    let operands = (&x[..], &w[..], &b[..], &d[..], &start[..]);
                    result.extend(go(&Reference, shape, activation, operands, add));
                    result.extend(go(&cpu, shape, activation, operands, add));
                };
                for add in [false, true] {
                    let mut results = Vec::new();
                    run(&mut results, add);
                    let (expected, got) = results.split_at(5);
                    for (name, (got, expected)) in
                        ["out", "d_pre", "d_x", "d_weight", "d_bias"].iter().zip(got.iter().zip(expected))
                    {
                        let what = format!("{:?} linear {rows}x{inputs}x{outputs} {activation:?} {name}", cpu.isa());
                        assert_close(&what, got, expected);
                    }
                }
            }
        }
    }
}

#[test]
fn attention() {
    fn go<B: Backend>(b: &B, heads: Heads, layout: &Layout, dropout: Option<&Dropout>) -> Vec<Vec<f32>> {
        let (rows, hidden) = (layout.rows(), heads.hidden());
        let mut numbers = Numbers(5);
        let mut qkv = b.zeros(rows * 3 * hidden);
        b.write(&mut qkv, &numbers.take(rows * 3 * hidden).iter().map(|x| x * 3.0).collect::<Vec<_>>());
        let mut d_out = b.zeros(rows * hidden);
        b.write(&mut d_out, &numbers.take(rows * hidden));
        let (mut out, mut log_sum_exp) = (b.zeros(rows * hidden), b.zeros(rows * heads.count));
        let mut d_qkv = b.zeros(rows * 3 * hidden);
        b.attention_varlen(&qkv, heads, layout, dropout, &mut out, &mut log_sum_exp);
        b.attention_varlen_backward(&d_out, &qkv, &out, &log_sum_exp, heads, layout, dropout, &mut d_qkv);
        [out, log_sum_exp, d_qkv]
            .iter()
            .map(|buffer| {
                let mut into = vec![0.0; b.len(buffer)];
                b.read(buffer, &mut into);
                into
            })
            .collect()
    }
    for cpu in backends() {
        for layout in layouts() {
            for heads in [Heads { count: 1, width: 1 }, Heads { count: 3, width: 7 }, Heads { count: 2, width: 32 }] {
                for dropout in [None, Dropout::new(0.3, 1, 2, 0, Site::Attention)] {
                    let expected = go(&Reference, heads, &layout, dropout.as_ref());
                    let got = go(&cpu, heads, &layout, dropout.as_ref());
                    for (name, (got, expected)) in ["out", "lse", "d_qkv"].iter().zip(got.iter().zip(&expected)) {
                        let what = format!("{:?} attention {} rows {heads:?} {name}", cpu.isa(), layout.rows());
                        assert_close(&what, got, expected);
                    }
                }
            }
        }
    }
}

#[test]
fn embedding_norm_dropout_and_first_rows() {
    fn go<B: Backend>(b: &B, width: usize, layout: &Layout, dropout: Option<&Dropout>) -> Vec<Vec<f32>> {
        let rows = layout.rows();
        let mut numbers = Numbers(9);
        let mut weight = |usage, rows: usize| b.weight(usage, rows, width, numbers.take(rows * width));
        let (mut words, mut positions, mut types) =
            (weight(Use::Table, 11), weight(Use::Table, 130), weight(Use::Table, 2));
        let (mut scale, mut bias) = (weight(Use::Vector, 1), weight(Use::Vector, 1));
        let ids: Vec<u32> = (0..rows as u32).map(|row| row * 5 % 11).collect();
        let buffers: Vec<B::Buffer> = (0..7).map(|_| b.zeros(rows * width)).collect();
        let [mut x, mut residual, mut normalized, mut out, mut d_out, mut d_x, mut first]: [_; 7] =
            buffers.try_into().ok().unwrap();
        let mut inverse_std = b.zeros(rows);
        b.write(&mut residual, &numbers.take(rows * width));
        b.write(&mut d_out, &numbers.take(rows * width));
        b.embed(&ids, layout, &words, &positions, Some(&types), &mut x);
        b.residual_dropout_layer_norm(
            &x,
            Some(&residual),
            dropout,
            layout,
            &scale,
            &bias,
            1e-5,
            &mut normalized,
            &mut inverse_std,
            &mut out,
        );
        b.first_rows(&out, width, layout, &mut first);
        b.residual_dropout_layer_norm_backward(
            &mut d_out,
            &normalized,
            &inverse_std,
            dropout,
            layout,
            &mut scale,
            &mut bias,
            Some(&mut d_x),
        );
        if let Some(dropout) = dropout {
            b.dropout(&mut d_x, width, layout, dropout);
        }
        b.embed_backward(&d_x, &ids, layout, &mut words, &mut positions, Some(&mut types), Some(0));
        let mut scattered = b.zeros(rows * width);
        b.first_rows_backward(&first, width, layout, &mut scattered);
        let read = |from: &B::Buffer| {
            let mut into = vec![0.0; b.len(from)];
            b.read(from, &mut into);
            into
        };
        let mut results: Vec<Vec<f32>> =
            [x, normalized, inverse_std, out, d_out, d_x, first, scattered].iter().map(read).collect();
        for weight in [&words, &positions, &types, &scale, &bias] {
            results.push(b.part(weight, Part::Gradient).into_owned());
            let norm: f64 = results.last().unwrap().iter().map(|&g| f64::from(g).powi(2)).sum();
            assert!((b.squared_gradient_norm(weight) - norm).abs() <= 1e-12 * norm);
        }
        results
    }
    for cpu in backends() {
        for layout in layouts() {
            for width in [1, 7, 16, 50] {
                for dropout in [None, Dropout::new(0.2, 1, 2, 0, Site::Output)] {
                    let expected = go(&Reference, width, &layout, dropout.as_ref());
                    let got = go(&cpu, width, &layout, dropout.as_ref());
                    for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
                        // A row of one element has no spread: its normalisation divides by √epsilon alone.
                        if width > 1 {
                            let what = format!("{:?} {} rows of {width}, result {index}", cpu.isa(), layout.rows());
                            assert_close(&what, got, expected);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn adamw_and_cross_entropy() {
    fn go<B: Backend>(b: &B) -> Vec<Vec<f32>> {
        let mut numbers = Numbers(3);
        let mut weight = b.weight(Use::Matrix, 33, 1000, numbers.take(33_000));
        for step in 1..=5 {
            let gradient = numbers.take(33_000);
            b.set_part(&mut weight, Part::Gradient, &gradient);
            let step = AdamW {
                learning_rate: 1e-2,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.1,
                step,
                gradient_scale: 0.5,
            };
            b.adamw(&mut weight, &step);
        }
        assert!(b.part(&weight, Part::Gradient).iter().all(|&g| g == 0.0));
        let mut logits = b.zeros(12);
        b.write(&mut logits, &numbers.take(12));
        let labels = [0, 2, 1, 1];
        let mut d_logits = b.zeros(12);
        let loss = Loss::mean_over(&labels, &[1.0, 2.0, 0.5], 0.1);
        let value = b.cross_entropy(&logits, 3, &labels, &loss, &mut d_logits) as f32;
        let mut d = vec![0.0; 12];
        b.read(&d_logits, &mut d);
        // The product after the steps shows that packed copies follow the values.
        let (x, bias) = (b.zeros(1000), b.weight(Use::Vector, 1, 33, vec![0.0; 33]));
        let mut x = x;
        b.write(&mut x, &numbers.take(1000));
        let mut out = b.zeros(33);
        b.linear(&x, 1, &weight, &bias, None, None, &mut out);
        let mut y = vec![0.0; 33];
        b.read(&out, &mut y);
        let part = |part| b.part(&weight, part).into_owned();
        vec![part(Part::Value), part(Part::FirstMoment), part(Part::SecondMoment), vec![value], d, y]
    }
    for cpu in backends() {
        for (index, (got, expected)) in go(&cpu).iter().zip(&go(&Reference)).enumerate() {
            assert_close(&format!("{:?} optimiser, result {index}", cpu.isa()), got, expected);
        }
    }
}
