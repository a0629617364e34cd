//! What stands before the first block: three tables, a normalisation and a dropout.

use kernels::{Backend, Dropout, Layout, Site};

use crate::layer::Moment;
use crate::linear::{Norm, next};

/// Word, position and token type tables with their normalisation.
pub(crate) struct Embeddings<B: Backend> {
    words: B::Weight,
    positions: B::Weight,
    types: Option<B::Weight>,
    norm: Norm<B>,
}

/// What the embeddings keep for their backward.
pub(crate) struct EmbeddingActivations<B: Backend> {
    sum: B::Buffer,
    normalized: B::Buffer,
    inverse_std: B::Buffer,
}

impl<B: Backend> EmbeddingActivations<B> {
    pub(crate) fn new(backend: &B, hidden: usize, rows: usize) -> Self {
        let sum = backend.zeros(rows * hidden);
        Self { sum, normalized: backend.operand(rows * hidden), inverse_std: backend.zeros(rows) }
    }
}

fn dropout(probability: f32, moment: Option<Moment>) -> Option<Dropout> {
    moment.and_then(|Moment { seed, step }| Dropout::new(probability, seed, step, 0, Site::Embeddings))
}

impl<B: Backend> Embeddings<B> {
    /// Takes the weights in the order of [`crate::parameters()`].
    pub(crate) fn new(weights: &mut impl Iterator<Item = B::Weight>, has_types: bool) -> Self {
        let (words, positions) = (next(weights), next(weights));
        let types = has_types.then(|| next(weights));
        Self { words, positions, types, norm: Norm::new(weights) }
    }

    /// The weights in the order of [`crate::parameters()`].
    pub(crate) fn weights(&self) -> Vec<&B::Weight> {
        let Self { words, positions, types, norm } = self;
        [words, positions].into_iter().chain(types).chain([&norm.weight, &norm.bias]).collect()
    }

    /// [`Embeddings::weights`], to be changed.
    pub(crate) fn weights_mut(&mut self) -> Vec<&mut B::Weight> {
        let Self { words, positions, types, norm } = self;
        [words, positions].into_iter().chain(types).chain([&mut norm.weight, &mut norm.bias]).collect()
    }

    /// Words to rows.
    ///
    /// # Shapes
    /// `ids`: N; `out`: N×`hidden`.
    pub(crate) fn forward(
        &self,
        backend: &B,
        (hidden, epsilon, probability): (usize, f32, f32),
        ids: &[u32],
        layout: &Layout,
        moment: Option<Moment>,
        saved: &mut EmbeddingActivations<B>,
        out: &mut B::Buffer,
    ) {
        let EmbeddingActivations { sum, normalized, inverse_std } = saved;
        backend.embed(ids, layout, &self.words, &self.positions, self.types.as_ref(), sum);
        self.norm.residual_forward(backend, (sum, None), None, layout, epsilon, (normalized, inverse_std), out);
        if let Some(dropout) = dropout(probability, moment) {
            backend.dropout(out, hidden, layout, &dropout);
        }
    }

    /// From `d`, the gradient of the rows, to the gradients of the tables; `d` is used up.
    pub(crate) fn backward(
        &mut self,
        backend: &B,
        (hidden, probability, padding_id): (usize, f32, Option<u32>),
        ids: &[u32],
        layout: &Layout,
        moment: Option<Moment>,
        saved: &EmbeddingActivations<B>,
        d: &mut B::Buffer,
    ) {
        if let Some(dropout) = dropout(probability, moment) {
            backend.dropout(d, hidden, layout, &dropout);
        }
        self.norm.residual_backward(backend, d, (&saved.normalized, &saved.inverse_std), None, layout, None);
        let types = self.types.as_mut();
        backend.embed_backward(d, ids, layout, &mut self.words, &mut self.positions, types, padding_id);
    }
}
