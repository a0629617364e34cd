//! Each operation, forward and backward, on any backend: the same calls, so that results can be compared.
//!
//! An operation runs over several batches one after another, with weights that gather their gradients. Operands of a
//! row depend on its example alone (see `numbers`). A backward is given numbers of its own and not what the forward
//! kept, so that a difference shows where it arises; attention's takes what its forward kept, which has to fit.

mod attention;
mod layers;
mod rows;
mod weights;

use half::bf16;
use kernels::{Backend, Layout, Part, Precision, Use};

pub(crate) use attention::{attention, attention_of, attention_operands};
pub(crate) use layers::{activation, layer_norm, linear};
pub(crate) use rows::{cross_entropy, dropout, embed, first_rows};
pub(crate) use weights::adamw;

/// Where a run of numbers is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In f32: [`Backend::zeros`].
    Single,
    /// In the precision of products: [`Backend::operand`].
    Operand,
}

pub(crate) const PLACES: [Place; 2] = [Place::Operand, Place::Single];

/// A backend, and the precision that the numbers it multiplies are rounded to before it gets them.
pub(crate) struct On<'b, B> {
    pub(crate) backend: &'b B,
    rounded_to: Precision,
}

impl<'b, B: Backend> On<'b, B> {
    /// Numbers as they are drawn; a backend that keeps operands in bf16 rounds them itself.
    pub(crate) fn drawn(backend: &'b B) -> Self {
        Self::rounded(backend, Precision::F32)
    }

    /// For a backend that keeps everything in f32 and is set beside one that does not: both then multiply the same
    /// numbers.
    pub(crate) fn rounded(backend: &'b B, to: Precision) -> Self {
        Self { backend, rounded_to: to }
    }

    fn round(&self, values: &[f32]) -> Vec<f32> {
        if self.rounded_to == Precision::F32 {
            return values.to_vec();
        }
        values.iter().map(|&x| bf16::from_f32(x).to_f32()).collect()
    }

    /// A buffer with these values.
    pub(crate) fn buffer(&self, place: Place, values: &[f32]) -> B::Buffer {
        let mut buffer = self.empty(place, values.len());
        match place {
            Place::Single => self.backend.write(&mut buffer, values),
            Place::Operand => self.backend.write(&mut buffer, &self.round(values)),
        }
        buffer
    }

    /// A buffer for results.
    pub(crate) fn empty(&self, place: Place, len: usize) -> B::Buffer {
        match place {
            Place::Single => self.backend.zeros(len),
            Place::Operand => self.backend.operand(len),
        }
    }

    /// A matrix of a linear layer.
    pub(crate) fn matrix(&self, rows: usize, cols: usize, values: &[f32]) -> B::Weight {
        self.backend.weight(Use::Matrix, rows, cols, self.round(values))
    }

    /// A bias or a normalisation's vector.
    pub(crate) fn vector(&self, values: &[f32]) -> B::Weight {
        self.backend.weight(Use::Vector, 1, values.len(), values.to_vec())
    }
}

/// Numbers that an operation computed.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) values: Vec<f32>,
}

/// What an operation computed, by name.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What belongs to a row: N rows each, of all batches one after another.
    pub(crate) rows: Vec<Kept>,
    /// What belongs to a text: B rows each, of all batches one after another.
    pub(crate) texts: Vec<Kept>,
    /// What belongs to no single row: gradients of weights, above all.
    pub(crate) whole: Vec<Kept>,
}

fn append<B: Backend>(to: &mut Vec<Kept>, backend: &B, name: &str, place: Place, buffer: &B::Buffer) {
    let values = read(backend, buffer);
    match to.iter_mut().find(|known| known.name == name && known.place == place) {
        Some(known) => known.values.extend(values),
        None => to.push(Kept { name: name.to_owned(), place, values }),
    }
}

impl Outcome {
    fn add_rows<B: Backend>(&mut self, backend: &B, name: &str, place: Place, buffer: &B::Buffer) {
        append(&mut self.rows, backend, name, place, buffer);
    }

    fn add_texts<B: Backend>(&mut self, backend: &B, name: &str, place: Place, buffer: &B::Buffer) {
        append(&mut self.texts, backend, name, place, buffer);
    }

    fn add_part<B: Backend>(&mut self, backend: &B, name: &str, weight: &B::Weight, part: Part) {
        self.add_numbers(name, backend.part(weight, part).into_owned());
    }

    fn add_gradient<B: Backend>(&mut self, backend: &B, name: &str, weight: &B::Weight) {
        self.add_part(backend, name, weight, Part::Gradient);
    }

    fn add_numbers(&mut self, name: &str, values: Vec<f32>) {
        self.whole.push(Kept { name: name.to_owned(), place: Place::Single, values });
    }

    /// All bits of a number in double precision, as three in single precision that add up to it.
    fn add_double(&mut self, name: &str, x: f64) {
        let high = x as f32;
        let middle = (x - f64::from(high)) as f32;
        let low = (x - f64::from(high) - f64::from(middle)) as f32;
        self.add_numbers(name, vec![high, middle, low]);
    }

    /// All results.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Kept> {
        self.rows.iter().chain(&self.texts).chain(&self.whole)
    }

    /// The results of one text of the only batch and of its rows.
    pub(crate) fn of_text<'a>(&'a self, layout: &'a Layout, text: usize) -> impl Iterator<Item = (&'a str, &'a [f32])> {
        let cut = |kept: &'a Kept, rows: std::ops::Range<usize>, count: usize| {
            let width = kept.values.len() / count;
            (kept.name.as_str(), &kept.values[rows.start * width..rows.end * width])
        };
        let rows = self.rows.iter().map(move |kept| cut(kept, layout.range(text), layout.rows()));
        rows.chain(self.texts.iter().map(move |kept| cut(kept, text..text + 1, layout.texts())))
    }
}

/// All values of a buffer.
pub(crate) fn read<B: Backend>(backend: &B, buffer: &B::Buffer) -> Vec<f32> {
    let mut values = vec![0.0; backend.len(buffer)];
    backend.read(buffer, &mut values);
    values
}
