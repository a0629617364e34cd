//! The operations every backend offers.

use std::borrow::Cow;

use crate::{Dropout, Layout, Loss};

/// How the A heads of width D share the H columns of a row: H = A * D.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// A, the number of heads.
    pub count: usize,
    /// D, the width of one head.
    pub width: usize,
}

impl Heads {
    /// H, the width of a row.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.count * self.width
    }
}

/// The non-linear functions that follow a linear layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// x Φ(x) with the error function, the form BERT uses (arXiv 1606.08415).
    Gelu,
    /// The tanh approximation of the same paper (`gelu_new`, `gelu_pytorch_tanh`).
    GeluTanh,
    /// max(x, 0).
    Relu,
    /// tanh x.
    Tanh,
}

/// What a weight is used for, which decides the packed copies a backend keeps of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The matrix of a linear layer, O×I.
    Matrix,
    /// A table whose rows are looked up.
    Table,
    /// A bias or a normalisation's vector, 1×n.
    Vector,
}

/// What a weight holds beside its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The values themselves, f32.
    Value,
    /// The gradient that the backward passes since the last step have added up.
    Gradient,
    /// AdamW's running mean of gradients.
    FirstMoment,
    /// AdamW's running mean of squared gradients.
    SecondMoment,
}

/// One step of AdamW (arXiv 1711.05101), computed as `torch.optim.AdamW` computes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the square root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// This step's number, from 1, for the bias correction.
    pub step: u64,
    /// What every gradient is multiplied by first: the clip's factor.
    pub gradient_scale: f32,
}

/// Which rows of a text ask in attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queries {
    /// Every row: N results.
    All,
    /// The first row of each text: B results. The last block needs no more where only first rows are read.
    First,
}

/// Where the gradient of a linear layer's input goes.
#[derive(Debug)]
pub enum InputGradient<'a, B> {
    /// Over what the buffer held.
    Set(&'a mut B),
    /// On top of what the buffer holds.
    Add(&'a mut B),
    /// Through the activation that made the input: the buffer takes the gradient of the value before it.
    Through {
        /// Takes the gradient.
        d_pre: &'a mut B,
        /// The function that made the input.
        activation: Activation,
        /// What it was applied to.
        pre: &'a B,
    },
}

/// A place to compute: memory, weights and the fused operations of an encoder.
///
/// Buffers hold at least as many elements as an operation's shape says, and are never resized; what lies behind the
/// shape is left alone. They hold f32, or what products read; [`Backend::operand`] says where the latter must stand, and
/// elsewhere either may. Gradients of weights are *added* to what is there; an optimiser step clears them.
/// Weights that are not trainable take no gradient. Shapes that disagree are a bug of the caller and panic.
pub trait Backend: Send + Sync {
    /// A run of numbers.
    type Buffer: Send + Sync;
    /// A parameter: values and, where trainable, gradient, moments and any packed copies.
    type Weight: Send + Sync;

    /// Runs `work` where the operations run, so that each of them starts at once.
    fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R;

    /// A buffer of `len` zeros in f32.
    fn zeros(&self, len: usize) -> Self::Buffer;
    /// A buffer of `len` zeros in the precision that products read: what is made to be multiplied is kept in it. The
    /// left operands of [`Backend::linear`] and [`Backend::linear_backward`], and all of attention's but
    /// `log_sum_exp`, must be such buffers.
    fn operand(&self, len: usize) -> Self::Buffer;
    /// Bytes of one element of [`Backend::operand`].
    fn operand_bytes(&self) -> usize;
    /// Elements a buffer holds.
    fn len(&self, buffer: &Self::Buffer) -> usize;
    /// Copies the first elements of `buffer` out.
    fn read(&self, buffer: &Self::Buffer, into: &mut [f32]);
    /// Copies `from` over the first elements of `buffer`.
    fn write(&self, buffer: &mut Self::Buffer, from: &[f32]);

    /// A weight of `rows` by `cols` with these values; a vector has one row. It learns until told not to.
    fn weight(&self, usage: Use, rows: usize, cols: usize, values: Vec<f32>) -> Self::Weight;
    /// Rows and columns of a weight.
    fn shape(&self, weight: &Self::Weight) -> (usize, usize);
    /// Whether a weight learns.
    fn is_trainable(&self, weight: &Self::Weight) -> bool;
    /// Makes a weight learn or not; one that stops learning loses its gradient and moments.
    fn set_trainable(&self, weight: &mut Self::Weight, trainable: bool);
    /// A part of a weight; parts of weights that do not learn are empty.
    fn part<'w>(&self, weight: &'w Self::Weight, part: Part) -> Cow<'w, [f32]>;
    /// Overwrites a part of a weight.
    fn set_part(&self, weight: &mut Self::Weight, part: Part, values: &[f32]);

    /// Sum of the word, position and token type embeddings of each row; the type is always 0.
    ///
    /// # Shapes
    /// `ids`: N; `words`: V×H; `positions`: P×H; `types`: any×H; `out`: N×H.
    fn embed(
        &self,
        ids: &[u32],
        layout: &Layout,
        words: &Self::Weight,
        positions: &Self::Weight,
        types: Option<&Self::Weight>,
        out: &mut Self::Buffer,
    );
    /// Backward of [`Backend::embed`]: adds rows of `d_out` to the gradients of the three tables. The row
    /// `padding_id` of `words` takes no gradient, as PyTorch's `padding_idx`.
    fn embed_backward(
        &self,
        d_out: &Self::Buffer,
        ids: &[u32],
        layout: &Layout,
        words: &mut Self::Weight,
        positions: &mut Self::Weight,
        types: Option<&mut Self::Weight>,
        padding_id: Option<u32>,
    );

    /// Multiplies each element by its dropout factor, in place; its own backward when given gradients.
    ///
    /// # Shapes
    /// `x`: N×`width`.
    fn dropout(&self, x: &mut Self::Buffer, width: usize, layout: &Layout, dropout: &Dropout);

    /// `out = activation(x Wᵀ + b)`. With an activation the value before it is kept in `pre` if given.
    ///
    /// # Shapes
    /// `x`: rows×I; `weight`: O×I; `bias`: 1×O; `pre` and `out`: rows×O.
    fn linear(
        &self,
        x: &Self::Buffer,
        rows: usize,
        weight: &Self::Weight,
        bias: &Self::Weight,
        activation: Option<Activation>,
        pre: Option<&mut Self::Buffer>,
        out: &mut Self::Buffer,
    );
    /// Backward of [`Backend::linear`] without an activation, or behind [`Backend::activation_backward`].
    ///
    /// # Shapes
    /// `d_out`: N×O; `x` and the input's gradient: N×I.
    fn linear_backward(
        &self,
        d_out: &Self::Buffer,
        x: &Self::Buffer,
        layout: &Layout,
        weight: &mut Self::Weight,
        bias: &mut Self::Weight,
        d_x: Option<InputGradient<'_, Self::Buffer>>,
    );
    /// The gradient of the value before an activation, in place: the first `len` elements of `d` are multiplied by the
    /// derivative at `pre`.
    fn activation_backward(&self, activation: Activation, pre: &Self::Buffer, d: &mut Self::Buffer, len: usize);

    /// `out = LayerNorm(dropout(x) + residual)`; the normalised rows and the reciprocals of their standard deviations
    /// are kept for the backward.
    ///
    /// # Shapes
    /// `x`, `residual`, `normalized`, `out`: N×H; `weight`, `bias`: 1×H; `inverse_std`: N.
    fn residual_dropout_layer_norm(
        &self,
        x: &Self::Buffer,
        residual: Option<&Self::Buffer>,
        dropout: Option<&Dropout>,
        layout: &Layout,
        weight: &Self::Weight,
        bias: &Self::Weight,
        epsilon: f32,
        normalized: &mut Self::Buffer,
        inverse_std: &mut Self::Buffer,
        out: &mut Self::Buffer,
    );
    /// Backward of [`Backend::residual_dropout_layer_norm`]: `d_out` becomes the gradient of the residual (and of the
    /// sum), `d_x`, where given, takes that of `x` behind the dropout.
    fn residual_dropout_layer_norm_backward(
        &self,
        d_out: &mut Self::Buffer,
        normalized: &Self::Buffer,
        inverse_std: &Self::Buffer,
        dropout: Option<&Dropout>,
        layout: &Layout,
        weight: &mut Self::Weight,
        bias: &mut Self::Weight,
        d_x: Option<&mut Self::Buffer>,
    );

    /// Softmax attention of every text over its own rows: `softmax(Q Kᵀ / √D) V`, dropout on the probabilities.
    ///
    /// # Shapes
    /// `qkv`: N×3H, each row the query, key and value of all heads; R results, N or B as `queries` says: `out`: R×H;
    /// `log_sum_exp`: R×A.
    fn attention_varlen(
        &self,
        qkv: &Self::Buffer,
        heads: Heads,
        layout: &Layout,
        queries: Queries,
        dropout: Option<&Dropout>,
        out: &mut Self::Buffer,
        log_sum_exp: &mut Self::Buffer,
    );
    /// Backward of [`Backend::attention_varlen`]; probabilities are recomputed from `log_sum_exp`. All of `d_qkv` is
    /// written: rows that did not ask have a query without gradient.
    ///
    /// # Shapes
    /// `d_out`, `out`: R×H; `qkv`, `d_qkv`: N×3H.
    fn attention_varlen_backward(
        &self,
        d_out: &Self::Buffer,
        qkv: &Self::Buffer,
        out: &Self::Buffer,
        log_sum_exp: &Self::Buffer,
        heads: Heads,
        layout: &Layout,
        queries: Queries,
        dropout: Option<&Dropout>,
        d_qkv: &mut Self::Buffer,
    );

    /// Copies the first row of each text.
    ///
    /// # Shapes
    /// `x`: N×`width`; `out`: B×`width`.
    fn first_rows(&self, x: &Self::Buffer, width: usize, layout: &Layout, out: &mut Self::Buffer);
    /// Backward of [`Backend::first_rows`]: `d_x` is zero but for the first row of each text.
    fn first_rows_backward(&self, d_out: &Self::Buffer, width: usize, layout: &Layout, d_x: &mut Self::Buffer);

    /// Cross-entropy of softmax(logits) and its gradient; the terms that [`Loss`] divides by its normaliser are added to
    /// `sum` one by one, so that a batch in pieces adds up as the whole does.
    ///
    /// # Shapes
    /// `logits`, `d_logits`: B×C; `labels`: B.
    fn cross_entropy(
        &self,
        logits: &Self::Buffer,
        classes: usize,
        labels: &[u32],
        loss: &Loss,
        d_logits: &mut Self::Buffer,
        sum: &mut f64,
    );

    /// Sum of the squares of a weight's gradient, in double precision; 0 where it does not learn.
    fn squared_gradient_norm(&self, weight: &Self::Weight) -> f64;
    /// One optimiser step, which also clears the gradient; nothing where the weight does not learn.
    fn adamw(&self, weight: &mut Self::Weight, step: &AdamW);
    /// Clears the gradient.
    fn zero_gradient(&self, weight: &mut Self::Weight);
}
