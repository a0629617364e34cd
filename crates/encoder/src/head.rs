//! The classification head: the first row of each text through a dense layer, dropout and the classifier.

use kernels::{Activation, Backend, Dropout, InputGradient, Layout, Site};

use crate::layer::Moment;
use crate::linear::Linear;

/// BERT's pooler and classifier, or DistilBERT's pre-classifier and classifier.
pub(crate) struct Head<B: Backend> {
    dense: Linear<B>,
    classifier: Linear<B>,
}

/// What the head is, beside its weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadShape {
    pub(crate) hidden: usize,
    pub(crate) classes: usize,
    pub(crate) layers: usize,
    pub(crate) activation: Activation,
    pub(crate) dropout: f32,
}

/// What the head computes on its way forward, and its gradients.
pub(crate) struct HeadActivations<B: Backend> {
    /// Before the activation, B×H.
    pre: B::Buffer,
    /// After activation and dropout, B×H.
    pooled: B::Buffer,
    /// B×C.
    pub(crate) logits: B::Buffer,
    /// B×C.
    pub(crate) d_logits: B::Buffer,
    d_pooled: B::Buffer,
}

impl<B: Backend> HeadActivations<B> {
    pub(crate) fn new(backend: &B, shape: &HeadShape, texts: usize) -> Self {
        let operand = |width: usize| backend.operand(texts * width);
        Self {
            pre: operand(shape.hidden),
            pooled: operand(shape.hidden),
            logits: backend.zeros(texts * shape.classes),
            d_logits: operand(shape.classes),
            d_pooled: operand(shape.hidden),
        }
    }
}

impl HeadShape {
    fn dropout(&self, moment: Option<Moment>) -> Option<Dropout> {
        moment.and_then(|Moment { seed, step }| Dropout::new(self.dropout, seed, step, self.layers, Site::Classifier))
    }
}

impl<B: Backend> Head<B> {
    /// Takes the weights in the order of [`crate::parameters()`].
    pub(crate) fn new(weights: &mut impl Iterator<Item = B::Weight>) -> Self {
        Self { dense: Linear::new(weights), classifier: Linear::new(weights) }
    }

    /// The weights in the order of [`crate::parameters()`].
    pub(crate) fn weights(&self) -> [&B::Weight; 4] {
        let Self { dense, classifier } = self;
        [&dense.weight, &dense.bias, &classifier.weight, &classifier.bias]
    }

    /// [`Head::weights`], to be changed.
    pub(crate) fn weights_mut(&mut self) -> [&mut B::Weight; 4] {
        let Self { dense, classifier } = self;
        [&mut dense.weight, &mut dense.bias, &mut classifier.weight, &mut classifier.bias]
    }

    /// First rows of the last block, B×H, to logits, B×C, in `saved`.
    pub(crate) fn forward(
        &self,
        backend: &B,
        shape: &HeadShape,
        first: &B::Buffer,
        layout: &Layout,
        moment: Option<Moment>,
        saved: &mut HeadActivations<B>,
    ) {
        let texts = layout.texts();
        let HeadActivations { pre, pooled, logits, .. } = saved;
        self.dense.activated_forward(backend, first, texts, shape.activation, Some(pre), pooled);
        if let Some(dropout) = shape.dropout(moment) {
            backend.dropout(pooled, shape.hidden, layout, &dropout);
        }
        self.classifier.forward(backend, pooled, texts, logits); // B×H -> B×C
    }

    /// From the gradient of the logits in `saved` to `d_first`, that of the first rows, where wanted.
    pub(crate) fn backward(
        &mut self,
        backend: &B,
        shape: &HeadShape,
        first: &B::Buffer,
        layout: &Layout,
        moment: Option<Moment>,
        saved: &mut HeadActivations<B>,
        d_first: Option<&mut B::Buffer>,
    ) {
        let HeadActivations { pre, pooled, d_logits, d_pooled, .. } = saved;
        self.classifier.backward(backend, d_logits, pooled, layout, Some(InputGradient::Set(d_pooled)));
        if let Some(dropout) = shape.dropout(moment) {
            backend.dropout(d_pooled, shape.hidden, layout, &dropout);
        }
        backend.activation_backward(shape.activation, pre, d_pooled, layout.texts() * shape.hidden);
        self.dense.backward(backend, d_pooled, first, layout, d_first.map(InputGradient::Set));
    }
}
