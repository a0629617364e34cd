//! Each operation, forward and backward, on any backend: the same calls, so that results can be compared.
//!
//! An operation runs over several batches one after another, with weights that gather their gradients. Operands of a
//! row depend on its example alone (see `numbers`).

mod layers;
mod rows;

use kernels::{Backend, Layout, Part};

pub(crate) use layers::{activation, attention, layer_norm, linear};
pub(crate) use rows::{adamw, cross_entropy, dropout, embed, first_rows};

/// What an operation computed, by name.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What belongs to a row: N rows each, of all batches one after another.
    pub(crate) rows: Vec<(&'static str, Vec<f32>)>,
    /// What belongs to no single row: gradients of weights, above all.
    pub(crate) whole: Vec<(&'static str, Vec<f32>)>,
}

impl Outcome {
    fn add_rows<B: Backend>(&mut self, backend: &B, name: &'static str, buffer: &B::Buffer) {
        let values = read(backend, buffer);
        match self.rows.iter_mut().find(|(known, _)| *known == name) {
            Some((_, rows)) => rows.extend(values),
            None => self.rows.push((name, values)),
        }
    }

    fn add_gradient<B: Backend>(&mut self, backend: &B, name: &'static str, weight: &B::Weight) {
        self.whole.push((name, backend.part(weight, Part::Gradient).into_owned()));
    }

    /// All results by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &(&'static str, Vec<f32>)> {
        self.rows.iter().chain(&self.whole)
    }

    /// The results of the rows of one text of the only batch.
    pub(crate) fn of_text<'a>(
        &'a self,
        layout: &'a Layout,
        text: usize,
    ) -> impl Iterator<Item = (&'static str, &'a [f32])> {
        let range = layout.range(text);
        self.rows.iter().map(move |(name, values)| {
            let width = values.len() / layout.rows();
            (*name, &values[range.start * width..range.end * width])
        })
    }
}

/// A buffer with these values.
pub(crate) fn buffer<B: Backend>(backend: &B, values: &[f32]) -> B::Buffer {
    let mut buffer = backend.zeros(values.len());
    backend.write(&mut buffer, values);
    buffer
}

/// All values of a buffer.
pub(crate) fn read<B: Backend>(backend: &B, buffer: &B::Buffer) -> Vec<f32> {
    let mut values = vec![0.0; backend.len(buffer)];
    backend.read(buffer, &mut values);
    values
}
