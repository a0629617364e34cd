//! The numerical operations of tunesmith, forward and backward, behind one [`Backend`] trait.
//!
//! Owns: buffers, weights with their gradients and moments, and every operation on them. Knows nothing of models,
//! files or text. The operations are fused rather than primitive, so that a backend can keep a tile in cache from the
//! product to the activation.
//!
//! Two backends live here: [`Reference`], slow and obviously right, and [`Cpu`], fast. Every operation of `Cpu` is
//! tested against `Reference`, and every backward of `Reference` against finite differences.
//!
//! Legend: B texts, T tokens of one text, N rows (all tokens of a batch, one after another, no padding), H hidden,
//! A heads, D head width, F inner width of the feed-forward part, C classes. Matrices are row-major.
//!
//! Read next: [`Backend`] for the operations, [`Layout`] for the batch, [`Dropout`] for the randomness.

mod backend;
mod cpu;
mod dropout;
mod layout;
mod loss;
mod master;
mod reference;

pub use backend::{Activation, AdamW, Backend, Heads, InputGradient, Part, Queries, Use};
pub use cpu::{Cpu, CpuBuffer, CpuError, CpuWeight, Isa, Kind, Precision, Spent};
pub use dropout::{Dropout, RowKey, Site};
pub use layout::Layout;
pub use loss::Loss;
pub use reference::{Reference, ReferenceWeight};
