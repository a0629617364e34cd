//! The reference backend: every operation as its formula reads, in double precision, one element at a time.
//!
//! Nothing here is clever; the other backends are held against it, and it is held against finite differences.

mod attention;
mod embedding;
mod linear;
mod norm;

use std::borrow::Cow;

use crate::backend::{Activation, AdamW, Backend, Heads, InputGradient, Part, Queries, Use};
use crate::master::{AdamWFactors, Master};
use crate::{Dropout, Layout, Loss};

/// The slow and obvious backend.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

/// A weight of [`Reference`].
#[derive(Clone, Debug)]
pub struct ReferenceWeight(Master);

/// Rounds a result to the f32 it is stored as.
#[expect(clippy::cast_possible_truncation, reason = "buffers are f32")]
fn single(x: f64) -> f32 {
    x as f32
}

impl Backend for Reference {
    type Buffer = Vec<f32>;
    type Weight = ReferenceWeight;

    fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        work()
    }

    fn zeros(&self, len: usize) -> Vec<f32> {
        vec![0.0; len]
    }

    fn operand(&self, len: usize) -> Vec<f32> {
        self.zeros(len)
    }

    fn operand_bytes(&self) -> usize {
        4
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

    fn weight(&self, _usage: Use, rows: usize, cols: usize, values: Vec<f32>) -> ReferenceWeight {
        ReferenceWeight(Master::new(rows, cols, values))
    }

    fn shape(&self, weight: &ReferenceWeight) -> (usize, usize) {
        (weight.0.rows, weight.0.cols)
    }

    fn is_trainable(&self, weight: &ReferenceWeight) -> bool {
        weight.0.is_trainable()
    }

    fn set_trainable(&self, weight: &mut ReferenceWeight, trainable: bool) {
        weight.0.set_trainable(trainable);
    }

    fn part<'w>(&self, weight: &'w ReferenceWeight, part: Part) -> Cow<'w, [f32]> {
        weight.0.part(part)
    }

    fn set_part(&self, weight: &mut ReferenceWeight, part: Part, values: &[f32]) {
        weight.0.set_part(part, values);
    }

    fn embed(
        &self,
        ids: &[u32],
        layout: &Layout,
        words: &ReferenceWeight,
        positions: &ReferenceWeight,
        types: Option<&ReferenceWeight>,
        out: &mut Vec<f32>,
    ) {
        embedding::forward(ids, layout, &words.0, &positions.0, types.map(|t| &t.0), out);
    }

    fn embed_backward(
        &self,
        d_out: &Vec<f32>,
        ids: &[u32],
        layout: &Layout,
        words: &mut ReferenceWeight,
        positions: &mut ReferenceWeight,
        types: Option<&mut ReferenceWeight>,
        padding_id: Option<u32>,
    ) {
        embedding::backward(d_out, ids, layout, &mut words.0, &mut positions.0, types.map(|t| &mut t.0), padding_id);
    }

    fn dropout(&self, x: &mut Vec<f32>, width: usize, layout: &Layout, dropout: &Dropout) {
        for row in 0..layout.rows() {
            let (example, position) = layout.example_and_position(row);
            let key = dropout.row(example, position);
            for (column, x) in (0..).zip(&mut x[row * width..][..width]) {
                *x *= dropout.factor(key, column);
            }
        }
    }

    fn linear(
        &self,
        x: &Vec<f32>,
        rows: usize,
        weight: &ReferenceWeight,
        bias: &ReferenceWeight,
        activation: Option<Activation>,
        pre: Option<&mut Vec<f32>>,
        out: &mut Vec<f32>,
    ) {
        linear::forward(x, rows, &weight.0, &bias.0, activation, pre, out);
    }

    fn linear_backward(
        &self,
        d_out: &Vec<f32>,
        x: &Vec<f32>,
        layout: &Layout,
        weight: &mut ReferenceWeight,
        bias: &mut ReferenceWeight,
        d_x: Option<InputGradient<'_, Vec<f32>>>,
    ) {
        let (rows, inputs) = (layout.rows(), weight.0.cols);
        let (d_x, add, through) = match d_x {
            None => (None, false, None),
            Some(InputGradient::Set(d_x)) => (Some(d_x), false, None),
            Some(InputGradient::Add(d_x)) => (Some(d_x), true, None),
            Some(InputGradient::Through { d_pre, activation, pre }) => (Some(d_pre), false, Some((activation, pre))),
        };
        let Some(d_x) = d_x else {
            return linear::backward(d_out, x, rows, &mut weight.0, &mut bias.0, None, add);
        };
        linear::backward(d_out, x, rows, &mut weight.0, &mut bias.0, Some(d_x), add);
        if let Some((activation, pre)) = through {
            self.activation_backward(activation, pre, d_x, rows * inputs);
        }
    }

    fn activation_backward(&self, activation: Activation, pre: &Vec<f32>, d: &mut Vec<f32>, len: usize) {
        linear::activation_backward(activation, pre, &mut d[..len]);
    }

    fn residual_dropout_layer_norm(
        &self,
        x: &Vec<f32>,
        residual: Option<&Vec<f32>>,
        dropout: Option<&Dropout>,
        layout: &Layout,
        weight: &ReferenceWeight,
        bias: &ReferenceWeight,
        epsilon: f32,
        normalized: &mut Vec<f32>,
        inverse_std: &mut Vec<f32>,
        out: &mut Vec<f32>,
    ) {
        let sum = norm::residual_sum(x, residual, dropout, layout, weight.0.cols);
        norm::forward(&sum, &weight.0, &bias.0, f64::from(epsilon), normalized, inverse_std, out);
    }

    fn residual_dropout_layer_norm_backward(
        &self,
        d_out: &mut Vec<f32>,
        normalized: &Vec<f32>,
        inverse_std: &Vec<f32>,
        dropout: Option<&Dropout>,
        layout: &Layout,
        weight: &mut ReferenceWeight,
        bias: &mut ReferenceWeight,
        d_x: Option<&mut Vec<f32>>,
    ) {
        let width = weight.0.cols;
        norm::backward(d_out, layout.rows(), normalized, inverse_std, &mut weight.0, &mut bias.0);
        if let Some(d_x) = d_x {
            d_x[..layout.rows() * width].copy_from_slice(&d_out[..layout.rows() * width]);
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
        queries: Queries,
        dropout: Option<&Dropout>,
        out: &mut Vec<f32>,
        log_sum_exp: &mut Vec<f32>,
    ) {
        attention::forward(qkv, heads, layout, queries, dropout, out, log_sum_exp);
    }

    fn attention_varlen_backward(
        &self,
        d_out: &Vec<f32>,
        qkv: &Vec<f32>,
        _out: &Vec<f32>,
        log_sum_exp: &Vec<f32>,
        heads: Heads,
        layout: &Layout,
        queries: Queries,
        dropout: Option<&Dropout>,
        d_qkv: &mut Vec<f32>,
    ) {
        attention::backward(d_out, qkv, log_sum_exp, heads, layout, queries, dropout, d_qkv);
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
        sum: &mut f64,
    ) {
        let len = labels.len() * classes;
        loss.forward_backward(&logits[..len], labels, &mut d_logits[..len], sum);
    }

    fn squared_gradient_norm(&self, weight: &ReferenceWeight) -> f64 {
        weight.0.gradient.iter().map(|&g| f64::from(g).powi(2)).sum()
    }

    fn adamw(&self, weight: &mut ReferenceWeight, step: &AdamW) {
        let factors = AdamWFactors::from(step);
        let master = &mut weight.0;
        for (index, gradient) in master.gradient.iter_mut().enumerate() {
            let (first, second) = (&mut master.first_moment[index], &mut master.second_moment[index]);
            factors.apply(&mut master.value[index], *gradient, first, second);
            *gradient = 0.0;
        }
    }

    fn zero_gradient(&self, weight: &mut ReferenceWeight) {
        weight.0.gradient.fill(0.0);
    }
}
