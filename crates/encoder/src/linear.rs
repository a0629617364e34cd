//! The two small parts every block is made of: a linear layer and a normalisation.

use kernels::{Activation, Backend, Dropout, InputGradient, Layout};

/// `y = x Wᵀ + b`.
pub(crate) struct Linear<B: Backend> {
    /// O×I.
    pub(crate) weight: B::Weight,
    /// O.
    pub(crate) bias: B::Weight,
}

/// LayerNorm over the columns.
pub(crate) struct Norm<B: Backend> {
    /// H.
    pub(crate) weight: B::Weight,
    /// H.
    pub(crate) bias: B::Weight,
}

/// The next weight of a list that was built from the same configuration as the network.
pub(crate) fn next<W>(weights: &mut impl Iterator<Item = W>) -> W {
    weights.next().expect("as many weights as the list of parameters says")
}

impl<B: Backend> Linear<B> {
    pub(crate) fn new(weights: &mut impl Iterator<Item = B::Weight>) -> Self {
        Self { weight: next(weights), bias: next(weights) }
    }

    pub(crate) fn forward(&self, backend: &B, x: &B::Buffer, rows: usize, out: &mut B::Buffer) {
        backend.linear(x, rows, &self.weight, &self.bias, None, None, out);
    }

    pub(crate) fn activated_forward(
        &self,
        backend: &B,
        x: &B::Buffer,
        rows: usize,
        activation: Activation,
        pre: Option<&mut B::Buffer>,
        out: &mut B::Buffer,
    ) {
        backend.linear(x, rows, &self.weight, &self.bias, Some(activation), pre, out);
    }

    pub(crate) fn backward(
        &mut self,
        backend: &B,
        d_out: &B::Buffer,
        x: &B::Buffer,
        layout: &Layout,
        d_x: Option<InputGradient<'_, B::Buffer>>,
    ) {
        backend.linear_backward(d_out, x, layout, &mut self.weight, &mut self.bias, d_x);
    }
}

impl<B: Backend> Norm<B> {
    pub(crate) fn new(weights: &mut impl Iterator<Item = B::Weight>) -> Self {
        Self { weight: next(weights), bias: next(weights) }
    }

    pub(crate) fn residual_forward(
        &self,
        backend: &B,
        (x, residual): (&B::Buffer, Option<&B::Buffer>),
        dropout: Option<&Dropout>,
        layout: &Layout,
        epsilon: f32,
        (normalized, inverse_std): (&mut B::Buffer, &mut B::Buffer),
        out: &mut B::Buffer,
    ) {
        let (weight, bias) = (&self.weight, &self.bias);
        backend.residual_dropout_layer_norm(
            x,
            residual,
            dropout,
            layout,
            weight,
            bias,
            epsilon,
            normalized,
            inverse_std,
            out,
        );
    }

    pub(crate) fn residual_backward(
        &mut self,
        backend: &B,
        d: &mut B::Buffer,
        (normalized, inverse_std): (&B::Buffer, &B::Buffer),
        dropout: Option<&Dropout>,
        layout: &Layout,
        d_x: Option<&mut B::Buffer>,
    ) {
        let (weight, bias) = (&mut self.weight, &mut self.bias);
        backend.residual_dropout_layer_norm_backward(d, normalized, inverse_std, dropout, layout, weight, bias, d_x);
    }
}
