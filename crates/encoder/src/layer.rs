//! One block of the encoder: attention and feed-forward part, each followed by dropout, residual and normalisation.

use kernels::{Activation, Backend, Dropout, Heads, InputGradient, Layout, Queries, Site};

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

/// Which rows of a block's output are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    /// All N.
    All,
    /// The first of each text, B: what the head reads of the last block. The layout is that of one row for each text.
    First(&'a Layout),
}

/// What a block computes on its way forward; the backward reads it. R rows, N or B as [`Wanted`] says, stand where
/// only wanted rows go on.
pub(crate) struct LayerActivations<B: Backend> {
    /// Queries, keys and values, N×3H.
    qkv: B::Buffer,
    /// What attention gathered, R×H.
    context: B::Buffer,
    /// R×A.
    log_sum_exp: B::Buffer,
    /// The branch before dropout, R×H; used up on the way.
    branch: B::Buffer,
    /// The rows of the input beside the branch where not all are wanted, B×H.
    residual: B::Buffer,
    attention_normalized: B::Buffer,
    attention_inverse_std: B::Buffer,
    /// Output of the attention half, R×H.
    attended: B::Buffer,
    /// Before the activation, R×F; only training keeps it.
    pre: Option<B::Buffer>,
    /// After the activation, R×F.
    inner: B::Buffer,
    normalized: B::Buffer,
    inverse_std: B::Buffer,
}

impl<B: Backend> LayerActivations<B> {
    /// For batches of at most `rows` rows and `texts` texts, of which `wanted` rows go on.
    pub(crate) fn new(
        backend: &B,
        shape: &Shape,
        (rows, texts, wanted): (usize, usize, usize),
        training: bool,
    ) -> Self {
        let hidden = shape.heads.hidden();
        let operand = |width: usize| backend.operand(wanted * width);
        Self {
            qkv: backend.operand(rows * 3 * hidden),
            context: operand(hidden),
            log_sum_exp: backend.zeros(wanted * shape.heads.count),
            branch: backend.zeros(wanted * hidden),
            residual: backend.operand(texts * hidden),
            attention_normalized: operand(hidden),
            attention_inverse_std: backend.zeros(wanted),
            attended: operand(hidden),
            pre: training.then(|| operand(shape.intermediate)),
            inner: operand(shape.intermediate),
            normalized: operand(hidden),
            inverse_std: backend.zeros(wanted),
        }
    }

    /// Elements of one row in the precision of products, and in f32.
    pub(crate) fn row_len(shape: &Shape, training: bool) -> (usize, usize) {
        let hidden = shape.heads.hidden();
        let inner = if training { 2 } else { 1 } * shape.intermediate;
        (7 * hidden + inner, hidden + shape.heads.count + 2)
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
        let operand = |width: usize| backend.operand(rows * width);
        Self {
            branch: operand(hidden),
            context: operand(hidden),
            qkv: operand(3 * hidden),
            inner: operand(shape.intermediate),
        }
    }

    /// Elements of one row.
    pub(crate) fn row_len(shape: &Shape) -> usize {
        5 * shape.heads.hidden() + shape.intermediate
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
    /// `x`: N×H; `out`: R×H.
    pub(crate) fn forward(
        &self,
        backend: &B,
        shape: &Shape,
        layout: &Layout,
        wanted: Wanted<'_>,
        (moment, layer): (Option<Moment>, usize),
        x: &B::Buffer,
        saved: &mut LayerActivations<B>,
        out: &mut B::Buffer,
    ) {
        let drop = shape.dropouts(moment, layer);
        let LayerActivations { qkv, context, log_sum_exp, branch, residual, attended, inner, .. } = saved;

        self.qkv.forward(backend, x, layout.rows(), qkv); // N×H -> N×3H
        let queries = wanted.queries();
        backend.attention_varlen(qkv, shape.heads, layout, queries, drop.attention.as_ref(), context, log_sum_exp);
        // From here on, the wanted rows alone: R×H.
        let (layout, x) = match wanted {
            Wanted::All => (layout, x),
            Wanted::First(first) => {
                backend.first_rows(x, shape.heads.hidden(), layout, residual);
                (first, &*residual)
            }
        };
        let rows = layout.rows();
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
        self.intermediate.activated_forward(backend, attended, rows, shape.activation, saved.pre.as_mut(), inner); // R×H -> R×F
        self.output.forward(backend, inner, rows, branch); // R×F -> R×H
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

    /// Backward of block `layer`: `d`, the gradient of its output, becomes that of its input `x` where `needs_input` is
    /// set, and is used up otherwise. Where the first rows alone are wanted, the gradient comes in `d_first`, B×H.
    ///
    /// # Panics
    /// If `saved` was made for inference.
    pub(crate) fn backward(
        &mut self,
        backend: &B,
        shape: &Shape,
        layout: &Layout,
        wanted: Wanted<'_>,
        (moment, layer): (Option<Moment>, usize),
        x: &B::Buffer,
        saved: &LayerActivations<B>,
        gradients: &mut LayerGradients<B>,
        (d, d_first): (&mut B::Buffer, &mut B::Buffer),
        needs_input: bool,
    ) {
        let drop = shape.dropouts(moment, layer);
        match wanted {
            Wanted::All => self.backward_to_attention(backend, shape, layout, &drop, saved, gradients, d),
            Wanted::First(first) => {
                self.backward_to_attention(backend, shape, first, &drop, saved, gradients, d_first);
                backend.first_rows_backward(d_first, shape.heads.hidden(), layout, d);
            }
        }
        backend.attention_varlen_backward(
            &gradients.context,
            &saved.qkv,
            &saved.context,
            &saved.log_sum_exp,
            shape.heads,
            layout,
            wanted.queries(),
            drop.attention.as_ref(),
            &mut gradients.qkv,
        );
        let d_x = needs_input.then_some(InputGradient::Add(d));
        self.qkv.backward(backend, &gradients.qkv, x, layout, d_x);
    }

    /// From `d`, the gradient of the wanted rows of the output, R×H, to that of what attention gathered, in `gradients`;
    /// `d` becomes the residual's share of the gradient of the input.
    fn backward_to_attention(
        &mut self,
        backend: &B,
        shape: &Shape,
        layout: &Layout,
        drop: &Dropouts,
        saved: &LayerActivations<B>,
        gradients: &mut LayerGradients<B>,
        d: &mut B::Buffer,
    ) {
        let LayerGradients { branch, context, inner, .. } = gradients;
        let pre = saved.pre.as_ref().expect("activations of a training pass keep the inner layer's input");

        // `d` is that of the sum from here on, so it already holds the residual's share.
        let norms = (&saved.normalized, &saved.inverse_std);
        self.output_norm.residual_backward(backend, d, norms, drop.output.as_ref(), layout, Some(branch));
        let through = InputGradient::Through { d_pre: inner, activation: shape.activation, pre };
        self.output.backward(backend, branch, &saved.inner, layout, Some(through));
        self.intermediate.backward(backend, inner, &saved.attended, layout, Some(InputGradient::Add(d)));

        let norms = (&saved.attention_normalized, &saved.attention_inverse_std);
        self.attention_norm.residual_backward(backend, d, norms, drop.attention_output.as_ref(), layout, Some(branch));
        self.attention_output.backward(backend, branch, &saved.context, layout, Some(InputGradient::Set(context)));
    }
}

impl Wanted<'_> {
    fn queries(self) -> Queries {
        match self {
            Self::All => Queries::All,
            Self::First(_) => Queries::First,
        }
    }
}
