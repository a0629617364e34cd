//! One block of the encoder: attention and feed-forward part, each followed by dropout, residual and normalisation.

use kernels::{Activation, Backend, Dropout, Heads, Layout, Site};

use crate::linear::{Linear, Norm};

/// The weights of one block, normalised after each residual sum as BERT does.
pub(crate) struct Layer<B: Backend> {
    qkv: Linear<B>,
    attention_output: Linear<B>,
    attention_norm: Norm<B>,
    intermediate: Linear<B>,
    output: Linear<B>,
    output_norm: Norm<B>,
}

/// What all blocks of a network have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) heads: Heads,
    pub(crate) intermediate: usize,
    pub(crate) activation: Activation,
    pub(crate) epsilon: f32,
    pub(crate) attention_dropout: f32,
    pub(crate) attention_output_dropout: f32,
    pub(crate) hidden_dropout: f32,
}

/// Where a training step stands, for dropout; evaluation has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The run's seed.
    pub seed: u64,
    /// The optimiser step, from 0.
    pub step: u64,
}

/// The three dropouts of one block in one step.
#[derive(Clone, Copy, Default)]
struct Dropouts {
    attention: Option<Dropout>,
    attention_output: Option<Dropout>,
    output: Option<Dropout>,
}

impl Shape {
    fn dropouts(&self, moment: Option<Moment>, layer: usize) -> Dropouts {
        let Some(Moment { seed, step }) = moment else { return Dropouts::default() };
        Dropouts {
            attention: Dropout::new(self.attention_dropout, seed, step, layer, Site::Attention),
            attention_output: Dropout::new(self.attention_output_dropout, seed, step, layer, Site::AttentionOutput),
            output: Dropout::new(self.hidden_dropout, seed, step, layer, Site::Output),
        }
    }
}

/// What a block computes on its way forward; the backward reads it.
pub(crate) struct LayerActivations<B: Backend> {
    /// Queries, keys and values, N×3H.
    qkv: B::Buffer,
    /// What attention gathered, N×H.
    context: B::Buffer,
    /// N×A.
    log_sum_exp: B::Buffer,
    /// The branch before dropout, N×H; used up on the way.
    branch: B::Buffer,
    attention_normalized: B::Buffer,
    attention_inverse_std: B::Buffer,
    /// Output of the attention half, N×H.
    attended: B::Buffer,
    /// Before the activation, N×F; only training keeps it.
    pre: Option<B::Buffer>,
    /// After the activation, N×F.
    inner: B::Buffer,
    normalized: B::Buffer,
    inverse_std: B::Buffer,
}

impl<B: Backend> LayerActivations<B> {
    pub(crate) fn new(backend: &B, shape: &Shape, rows: usize, training: bool) -> Self {
        let hidden = shape.heads.hidden();
        let buffer = |width: usize| backend.zeros(rows * width);
        Self {
            qkv: buffer(3 * hidden),
            context: buffer(hidden),
            log_sum_exp: buffer(shape.heads.count),
            branch: buffer(hidden),
            attention_normalized: buffer(hidden),
            attention_inverse_std: buffer(1),
            attended: buffer(hidden),
            pre: training.then(|| buffer(shape.intermediate)),
            inner: buffer(shape.intermediate),
            normalized: buffer(hidden),
            inverse_std: buffer(1),
        }
    }
}

/// Gradients on their way back; one set serves all blocks.
pub(crate) struct LayerGradients<B: Backend> {
    branch: B::Buffer,
    context: B::Buffer,
    qkv: B::Buffer,
    inner: B::Buffer,
}

impl<B: Backend> LayerGradients<B> {
    pub(crate) fn new(backend: &B, shape: &Shape, rows: usize) -> Self {
        let hidden = shape.heads.hidden();
        let buffer = |width: usize| backend.zeros(rows * width);
        Self {
            branch: buffer(hidden),
            context: buffer(hidden),
            qkv: buffer(3 * hidden),
            inner: buffer(shape.intermediate),
        }
    }
}

impl<B: Backend> Layer<B> {
    /// Takes the weights of one block in the order of [`crate::parameters()`].
    pub(crate) fn new(weights: &mut impl Iterator<Item = B::Weight>) -> Self {
        Self {
            qkv: Linear::new(weights),
            attention_output: Linear::new(weights),
            attention_norm: Norm::new(weights),
            intermediate: Linear::new(weights),
            output: Linear::new(weights),
            output_norm: Norm::new(weights),
        }
    }

    /// The weights in the order of [`crate::parameters()`].
    pub(crate) fn weights(&self) -> [&B::Weight; 12] {
        let Self { qkv, attention_output, attention_norm, intermediate, output, output_norm } = self;
        [
            &qkv.weight,
            &qkv.bias,
            &attention_output.weight,
            &attention_output.bias,
            &attention_norm.weight,
            &attention_norm.bias,
            &intermediate.weight,
            &intermediate.bias,
            &output.weight,
            &output.bias,
            &output_norm.weight,
            &output_norm.bias,
        ]
    }

    /// [`Layer::weights`], to be changed.
    pub(crate) fn weights_mut(&mut self) -> [&mut B::Weight; 12] {
        let Self { qkv, attention_output, attention_norm, intermediate, output, output_norm } = self;
        [
            &mut qkv.weight,
            &mut qkv.bias,
            &mut attention_output.weight,
            &mut attention_output.bias,
            &mut attention_norm.weight,
            &mut attention_norm.bias,
            &mut intermediate.weight,
            &mut intermediate.bias,
            &mut output.weight,
            &mut output.bias,
            &mut output_norm.weight,
            &mut output_norm.bias,
        ]
    }

    /// Forward of block `layer`.
    ///
    /// # Shapes
    /// `x`, `out`: N×H.
    pub(crate) fn forward(
        &self,
        backend: &B,
        shape: &Shape,
        layout: &Layout,
        (moment, layer): (Option<Moment>, usize),
        x: &B::Buffer,
        saved: &mut LayerActivations<B>,
        out: &mut B::Buffer,
    ) {
        let rows = layout.rows();
        let drop = shape.dropouts(moment, layer);
        let LayerActivations { qkv, context, log_sum_exp, branch, attended, inner, .. } = saved;

        self.qkv.forward(backend, x, rows, qkv); // N×H -> N×3H
        backend.attention_varlen(qkv, shape.heads, layout, drop.attention.as_ref(), context, log_sum_exp); // -> N×H
        self.attention_output.forward(backend, context, rows, branch);
        self.attention_norm.residual_forward(
            backend,
            (branch, Some(x)),
            drop.attention_output.as_ref(),
            layout,
            shape.epsilon,
            (&mut saved.attention_normalized, &mut saved.attention_inverse_std),
            attended,
        );
        self.intermediate.activated_forward(backend, attended, rows, shape.activation, saved.pre.as_mut(), inner); // N×H -> N×F
        self.output.forward(backend, inner, rows, branch); // N×F -> N×H
        self.output_norm.residual_forward(
            backend,
            (branch, Some(attended)),
            drop.output.as_ref(),
            layout,
            shape.epsilon,
            (&mut saved.normalized, &mut saved.inverse_std),
            out,
        );
    }

    /// Backward of block `layer`: `d`, the gradient of its output, becomes that of its input `x` where `needs_input`
    /// is set, and is used up otherwise.
    ///
    /// # Panics
    /// If `saved` was made for inference.
    pub(crate) fn backward(
        &mut self,
        backend: &B,
        shape: &Shape,
        layout: &Layout,
        (moment, layer): (Option<Moment>, usize),
        x: &B::Buffer,
        saved: &LayerActivations<B>,
        gradients: &mut LayerGradients<B>,
        d: &mut B::Buffer,
        needs_input: bool,
    ) {
        let rows = layout.rows();
        let drop = shape.dropouts(moment, layer);
        let LayerGradients { branch, context, qkv, inner } = gradients;
        let pre = saved.pre.as_ref().expect("activations of a training pass keep the inner layer's input");

        // `d` is that of the sum from here on, so it already holds the residual's share.
        let norms = (&saved.normalized, &saved.inverse_std);
        self.output_norm.residual_backward(backend, d, norms, drop.output.as_ref(), layout, Some(branch));
        self.output.backward(backend, branch, &saved.inner, rows, Some(inner));
        let activation = Some((shape.activation, pre));
        let Linear { weight, bias } = &mut self.intermediate;
        backend.linear_backward(inner, &saved.attended, rows, weight, bias, activation, Some(d), true);

        let norms = (&saved.attention_normalized, &saved.attention_inverse_std);
        self.attention_norm.residual_backward(backend, d, norms, drop.attention_output.as_ref(), layout, Some(branch));
        self.attention_output.backward(backend, branch, &saved.context, rows, Some(context));
        backend.attention_varlen_backward(
            context,
            &saved.qkv,
            &saved.context,
            &saved.log_sum_exp,
            shape.heads,
            layout,
            drop.attention.as_ref(),
            qkv,
        );
        let Linear { weight, bias } = &mut self.qkv;
        backend.linear_backward(qkv, x, rows, weight, bias, None, needs_input.then_some(d), true);
    }
}
