//! TensorBoard: an event file in a folder, which `tensorboard --logdir` shows while the run goes.
//!
//! Names are those that `transformers` 5.23 writes: `train/loss`, `eval/f1`, `test/f1`, text under `args`. Nothing here
//! needs TensorBoard or TensorFlow: an event file is records of length, checksum and protobuf, and both are small.
//!
//! Read next: `place.rs` for what of a run goes where, `file.rs` for what a crash leaves.

mod canvas;
mod confusion;
mod event;
mod file;
mod hparams;
mod matrix_image;
mod place;
mod record;
mod settings;
mod tables;
#[cfg(test)]
mod tests;

pub use place::{State, TensorBoard};
pub use settings::Settings;
