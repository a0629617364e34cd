//! The network of tunesmith: a BERT-family encoder with a classification head, forward and backward written out.
//!
//! Owns: what a model is made of ([`Config`], [`family`], [`parameters()`](fn@parameters)), its weights in and out ([`Values`],
//! [`tensors`]) and the passes over it ([`Network`]). It is written once against [`kernels::Backend`]. Knows nothing
//! of text, labels' meaning, optimisers or runs.
//!
//! Legend: B texts, T tokens of one text, N rows (all tokens of a batch, one after another, no padding), H hidden,
//! A heads, D head width, F inner width of the feed-forward part, C classes, V words.
//!
//! Read next: `network.rs` for the passes, `layer.rs` for one block, [`family`] for what differs between models.

mod config;
mod embeddings;
pub mod family;
mod head;
mod layer;
mod linear;
mod network;
mod parameters;
pub mod tensors;
mod values;

pub use config::{Config, ConfigError};
pub use layer::Moment;
pub use network::{Activations, Batch, Network};
pub use parameters::{Init, Parameter, Place, parameters};
pub use values::{LoadReport, Values};
