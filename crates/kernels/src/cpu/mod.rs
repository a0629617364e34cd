//! The CPU backend: packed rows, tiles in cache, all cores.
//!
//! Every operation partitions its work by shape alone, never by the number of threads, and adds up in a fixed order;
//! so one and sixty-four threads give the same bits.

mod activation;
mod attention;
mod isa;
mod math;
mod norm;
mod optimizer;
mod product;
mod shared;

use std::borrow::Cow;

use rayon::prelude::*;

pub use isa::Isa;

use crate::backend::{Activation, AdamW, Backend, Heads, Part, Use};
use crate::master::Master;
use crate::{Dropout, Layout, Loss};
use shared::Shared;

/// Rows of one task of the operations that go row by row.
const ROW_CHUNK: usize = 32;

/// The fast backend for plain memory and any number of threads.
pub struct Cpu {
    pool: rayon::ThreadPool,
    isa: Isa,
}

/// A weight of [`Cpu`].
#[derive(Clone, Debug)]
pub struct CpuWeight {
    master: Master,
    /// The values transposed, I×O, kept only for the matrices of linear layers and renewed whenever they change.
    transposed: Vec<f32>,
}

impl Cpu {
    /// A backend on `threads` threads (0: one for each core) with the best instructions the processor has.
    ///
    /// # Errors
    /// Where the system cannot start the threads.
    pub fn new(threads: usize) -> Result<Self, rayon::ThreadPoolBuildError> {
        Self::with_isa(threads, Isa::detect())
    }

    /// A backend whose own loops use the instructions of `isa`; the library behind the products chooses for itself.
    ///
    /// # Errors
    /// Where the system cannot start the threads.
    ///
    /// # Panics
    /// If the processor lacks `isa`.
    pub fn with_isa(threads: usize, isa: Isa) -> Result<Self, rayon::ThreadPoolBuildError> {
        assert!(Isa::available().contains(&isa), "this processor lacks {isa:?}");
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|n| format!("kernel-{n}")).build()?;
        Ok(Self { pool, isa })
    }

    /// Threads at work.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// The instructions in use.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }
}

impl CpuWeight {
    fn changed(&mut self) {
        if !self.transposed.is_empty() {
            let master = &self.master;
            product::transpose(&master.value, master.rows, master.cols, &mut self.transposed);
        }
    }
}

impl Backend for Cpu {
    type Buffer = Vec<f32>;
    type Weight = CpuWeight;

    fn zeros(&self, len: usize) -> Vec<f32> {
        vec![0.0; len]
    }

    fn len(&self, buffer: &Vec<f32>) -> usize {
        buffer.len()
    }

    fn read(&self, buffer: &Vec<f32>, into: &mut [f32]) {
        into.copy_from_slice(&buffer[..into.len()]);
    }

    fn write(&self, buffer: &mut Vec<f32>, from: &[f32]) {
        buffer[..from.len()].copy_from_slice(from);
    }

    fn weight(&self, usage: Use, rows: usize, cols: usize, values: Vec<f32>) -> CpuWeight {
        let transposed = if usage == Use::Matrix { vec![0.0; rows * cols] } else { Vec::new() };
        let mut weight = CpuWeight { master: Master::new(rows, cols, values), transposed };
        self.pool.install(|| weight.changed());
        weight
    }

    fn shape(&self, weight: &CpuWeight) -> (usize, usize) {
        (weight.master.rows, weight.master.cols)
    }

    fn is_trainable(&self, weight: &CpuWeight) -> bool {
        weight.master.is_trainable()
    }

    fn set_trainable(&self, weight: &mut CpuWeight, trainable: bool) {
        weight.master.set_trainable(trainable);
    }

    fn part<'w>(&self, weight: &'w CpuWeight, part: Part) -> Cow<'w, [f32]> {
        weight.master.part(part)
    }

    fn set_part(&self, weight: &mut CpuWeight, part: Part, values: &[f32]) {
        weight.master.set_part(part, values);
        if part == Part::Value {
            self.pool.install(|| weight.changed());
        }
    }

    fn embed(
        &self,
        ids: &[u32],
        layout: &Layout,
        words: &CpuWeight,
        positions: &CpuWeight,
        types: Option<&CpuWeight>,
        out: &mut Vec<f32>,
    ) {
        let width = words.master.cols;
        let row_of = |table: &'_ CpuWeight, row: usize| row * width..row * width + table.master.cols;
        let rows = out[..ids.len() * width].par_chunks_mut(width).with_min_len(ROW_CHUNK).enumerate();
        self.pool.install(|| {
            rows.for_each(|(row, out)| {
                let (_, position) = layout.example_and_position(row);
                out.copy_from_slice(&words.master.value[row_of(words, ids[row] as usize)]);
                activation::add_bias(self.isa, out, &positions.master.value[row_of(positions, position as usize)]);
                if let Some(types) = types {
                    activation::add_bias(self.isa, out, &types.master.value[..width]);
                }
            });
        });
    }

    fn embed_backward(
        &self,
        d_out: &Vec<f32>,
        ids: &[u32],
        layout: &Layout,
        words: &mut CpuWeight,
        positions: &mut CpuWeight,
        types: Option<&mut CpuWeight>,
        padding_id: Option<u32>,
    ) {
        let width = words.master.cols;
        let rows = || d_out.chunks_exact(width).take(ids.len()).enumerate();
        let words_learn = words.master.is_trainable();
        let add_word_rows = || {
            for (row, d) in rows().filter(|(row, _)| Some(ids[*row]) != padding_id) {
                activation::add_bias(self.isa, &mut words.master.gradient[ids[row] as usize * width..][..width], d);
            }
        };
        let add_other_rows = || {
            if positions.master.is_trainable() {
                for (row, d) in rows() {
                    let position = layout.example_and_position(row).1 as usize;
                    activation::add_bias(self.isa, &mut positions.master.gradient[position * width..][..width], d);
                }
            }
            if let Some(types) = types.filter(|types| types.master.is_trainable()) {
                activation::add_rows(self.isa, &d_out[..ids.len() * width], &mut types.master.gradient[..width]);
            }
        };
        if words_learn {
            self.pool.join(add_word_rows, add_other_rows);
        } else {
            add_other_rows();
        }
    }

    fn dropout(&self, x: &mut Vec<f32>, width: usize, layout: &Layout, dropout: &Dropout) {
        let rows = x[..layout.rows() * width].par_chunks_mut(width).with_min_len(ROW_CHUNK).enumerate();
        self.pool.install(|| {
            rows.for_each(|(row, x)| {
                let (example, position) = layout.example_and_position(row);
                norm::drop_row(self.isa, x, dropout, dropout.row(example, position));
            });
        });
    }

    fn linear(
        &self,
        x: &Vec<f32>,
        rows: usize,
        weight: &CpuWeight,
        bias: &CpuWeight,
        activation: Option<Activation>,
        pre: Option<&mut Vec<f32>>,
        out: &mut Vec<f32>,
    ) {
        let (outputs, inputs) = (weight.master.rows, weight.master.cols);
        let bias = &bias.master.value;
        let product = |out: &mut Vec<f32>, finish: &(dyn Fn(usize, usize, &mut [f32]) + Sync)| {
            let shape = (inputs, outputs);
            self.pool.install(|| product::rows_times(x, rows, &weight.transposed, shape, out, false, finish));
        };
        let add_bias =
            |column: usize, run: &mut [f32]| activation::add_bias(self.isa, run, &bias[column..][..run.len()]);
        match (activation, pre) {
            (None, _) => product(out, &|_, column, run| add_bias(column, run)),
            (Some(activation), None) => product(out, &|_, column, run| {
                add_bias(column, run);
                activation::apply(self.isa, activation, run);
            }),
            (Some(activation), Some(pre)) => {
                let out = Shared::new(&mut out[..rows * outputs]);
                product(pre, &|row, column, run| {
                    add_bias(column, run);
                    #[expect(unsafe_code, reason = "runs of the product are disjoint")]
                    // SAFETY: `finish` is called once for each run of each row, and runs do not overlap.
                    let out = unsafe { out.part(row * outputs + column, run.len()) };
                    out.copy_from_slice(run);
                    activation::apply(self.isa, activation, out);
                });
            }
        }
    }

    fn linear_backward(
        &self,
        d_out: &mut Vec<f32>,
        x: &Vec<f32>,
        rows: usize,
        weight: &mut CpuWeight,
        bias: &mut CpuWeight,
        activation: Option<(Activation, &Vec<f32>)>,
        d_x: Option<&mut Vec<f32>>,
        add: bool,
    ) {
        let (outputs, inputs) = (weight.master.rows, weight.master.cols);
        let d_out = &mut d_out[..rows * outputs];
        self.pool.install(|| {
            let sums: Vec<Vec<f32>> = d_out
                .par_chunks_mut(ROW_CHUNK * outputs)
                .enumerate()
                .map(|(chunk, d_out)| {
                    if let Some((activation, pre)) = activation {
                        let pre = &pre[chunk * ROW_CHUNK * outputs..][..d_out.len()];
                        activation::backward(self.isa, activation, pre, d_out);
                    }
                    let mut sums = vec![0.0; outputs];
                    activation::add_rows(self.isa, d_out, &mut sums);
                    sums
                })
                .collect();
            if bias.master.is_trainable() {
                for sums in sums {
                    activation::add_bias(self.isa, &mut bias.master.gradient, &sums);
                }
            }
            if weight.master.is_trainable() {
                product::transposed_times(d_out, x, rows, (outputs, inputs), &mut weight.master.gradient);
            }
            if let Some(d_x) = d_x {
                product::rows_times(d_out, rows, &weight.master.value, (outputs, inputs), d_x, add, |_, _, _| {});
            }
        });
    }

    fn residual_dropout_layer_norm(
        &self,
        x: &Vec<f32>,
        residual: Option<&Vec<f32>>,
        dropout: Option<&Dropout>,
        layout: &Layout,
        weight: &CpuWeight,
        bias: &CpuWeight,
        epsilon: f32,
        normalized: &mut Vec<f32>,
        inverse_std: &mut Vec<f32>,
        out: &mut Vec<f32>,
    ) {
        let width = weight.master.cols;
        let rows = layout.rows();
        let each = normalized[..rows * width]
            .par_chunks_mut(width)
            .with_min_len(ROW_CHUNK)
            .zip(out[..rows * width].par_chunks_mut(width))
            .zip(&mut inverse_std[..rows])
            .enumerate();
        self.pool.install(|| {
            each.for_each(|(row, ((normalized, out), inverse_std))| {
                let dropout = dropout.map(|dropout| {
                    let (example, position) = layout.example_and_position(row);
                    (dropout, dropout.row(example, position))
                });
                *inverse_std = norm::forward_row(
                    self.isa,
                    &x[row * width..][..width],
                    residual.map(|residual| &residual[row * width..][..width]),
                    dropout,
                    &weight.master.value,
                    &bias.master.value,
                    epsilon,
                    normalized,
                    out,
                );
            });
        });
    }

    fn residual_dropout_layer_norm_backward(
        &self,
        d_out: &mut Vec<f32>,
        normalized: &Vec<f32>,
        inverse_std: &Vec<f32>,
        dropout: Option<&Dropout>,
        layout: &Layout,
        weight: &mut CpuWeight,
        bias: &mut CpuWeight,
        d_x: Option<&mut Vec<f32>>,
    ) {
        let width = weight.master.cols;
        let scale = &weight.master.value;
        let rows = layout.rows();
        let sums: Vec<(Vec<f32>, Vec<f32>)> = self.pool.install(|| {
            let chunks = d_out[..rows * width].par_chunks_mut(ROW_CHUNK * width).enumerate();
            let each = chunks.map(|(chunk, d_out)| {
                let (mut d_weight, mut d_bias) = (vec![0.0; width], vec![0.0; width]);
                for (row, d_out) in (chunk * ROW_CHUNK..).zip(d_out.chunks_exact_mut(width)) {
                    let unit = &normalized[row * width..][..width];
                    norm::backward_row(self.isa, d_out, unit, inverse_std[row], scale, &mut d_weight, &mut d_bias);
                }
                (d_weight, d_bias)
            });
            each.collect()
        });
        for (d_weight, d_bias) in &sums {
            if weight.master.is_trainable() {
                activation::add_bias(self.isa, &mut weight.master.gradient, d_weight);
            }
            if bias.master.is_trainable() {
                activation::add_bias(self.isa, &mut bias.master.gradient, d_bias);
            }
        }
        if let Some(d_x) = d_x {
            d_x[..rows * width].copy_from_slice(&d_out[..rows * width]);
            if let Some(dropout) = dropout {
                self.dropout(d_x, width, layout, dropout);
            }
        }
    }

    fn attention_varlen(
        &self,
        qkv: &Vec<f32>,
        heads: Heads,
        layout: &Layout,
        dropout: Option<&Dropout>,
        out: &mut Vec<f32>,
        log_sum_exp: &mut Vec<f32>,
    ) {
        let (hidden, width) = (heads.hidden(), heads.width);
        let out = Shared::new(&mut out[..layout.rows() * hidden]);
        let log_sum_exp = Shared::new(&mut log_sum_exp[..layout.rows() * heads.count]);
        self.for_each_head(heads, layout, dropout, |task, first_row, scratch| {
            task.forward(&qkv[first_row * 3 * hidden..], scratch);
            for (token, result) in scratch.result.chunks_exact(width).take(task.tokens).enumerate() {
                let row = first_row + token;
                #[expect(unsafe_code, reason = "heads write disjoint columns")]
                // SAFETY: the columns of this head in the rows of this text belong to this task alone.
                unsafe {
                    out.part(row * hidden + task.head * width, width).copy_from_slice(result);
                    log_sum_exp.part(row * heads.count + task.head, 1)[0] = scratch.log_sum_exp[token];
                }
            }
        });
    }

    fn attention_varlen_backward(
        &self,
        d_out: &Vec<f32>,
        qkv: &Vec<f32>,
        out: &Vec<f32>,
        log_sum_exp: &Vec<f32>,
        heads: Heads,
        layout: &Layout,
        dropout: Option<&Dropout>,
        d_qkv: &mut Vec<f32>,
    ) {
        let (hidden, width) = (heads.hidden(), heads.width);
        let d_qkv = Shared::new(&mut d_qkv[..layout.rows() * 3 * hidden]);
        self.for_each_head(heads, layout, dropout, |task, first_row, scratch| {
            let at = first_row * hidden;
            let log_sum_exp = &log_sum_exp[first_row * heads.count..];
            task.backward(&d_out[at..], &qkv[3 * at..], &out[at..], log_sum_exp, scratch);
            let parts = scratch.result.chunks_exact(task.tokens * width).take(3).enumerate();
            for (part, rows) in parts {
                for (token, result) in rows.chunks_exact(width).enumerate() {
                    let column = part * hidden + task.head * width;
                    #[expect(unsafe_code, reason = "heads write disjoint columns")]
                    // SAFETY: the columns of this head in the rows of this text belong to this task alone.
                    unsafe { d_qkv.part((first_row + token) * 3 * hidden + column, width) }.copy_from_slice(result);
                }
            }
        });
    }

    fn first_rows(&self, x: &Vec<f32>, width: usize, layout: &Layout, out: &mut Vec<f32>) {
        for (text, out) in out.chunks_exact_mut(width).take(layout.texts()).enumerate() {
            out.copy_from_slice(&x[layout.range(text).start * width..][..width]);
        }
    }

    fn first_rows_backward(&self, d_out: &Vec<f32>, width: usize, layout: &Layout, d_x: &mut Vec<f32>) {
        d_x[..layout.rows() * width].fill(0.0);
        for (text, d_out) in d_out.chunks_exact(width).take(layout.texts()).enumerate() {
            d_x[layout.range(text).start * width..][..width].copy_from_slice(d_out);
        }
    }

    fn cross_entropy(
        &self,
        logits: &Vec<f32>,
        classes: usize,
        labels: &[u32],
        loss: &Loss,
        d_logits: &mut Vec<f32>,
    ) -> f64 {
        let len = labels.len() * classes;
        loss.forward_backward(&logits[..len], labels, &mut d_logits[..len])
    }

    fn squared_gradient_norm(&self, weight: &CpuWeight) -> f64 {
        self.pool.install(|| optimizer::squared_norm(self.isa, &weight.master.gradient))
    }

    fn adamw(&self, weight: &mut CpuWeight, step: &AdamW) {
        if weight.master.is_trainable() {
            self.pool.install(|| {
                optimizer::adamw(self.isa, &mut weight.master, step);
                weight.changed();
            });
        }
    }

    fn zero_gradient(&self, weight: &mut CpuWeight) {
        weight.master.gradient.fill(0.0);
    }
}

impl Cpu {
    /// Runs `work` for every head of every text with the text's first row; texts with no tokens have no work.
    fn for_each_head<'a>(
        &self,
        heads: Heads,
        layout: &Layout,
        dropout: Option<&'a Dropout>,
        work: impl Fn(attention::Task<'a>, usize, &mut attention::Scratch) + Sync,
    ) {
        self.pool.install(|| {
            let tasks = (0..layout.texts() * heads.count).into_par_iter();
            tasks.for_each_init(attention::Scratch::default, |scratch, task| {
                let (text, head) = (task / heads.count, task % heads.count);
                let rows = layout.range(text);
                if !rows.is_empty() {
                    let (tokens, example) = (rows.len(), layout.example(text));
                    let task = attention::Task { isa: self.isa, heads, head, tokens, example, dropout };
                    work(task, rows.start, scratch);
                }
            });
        });
    }
}
