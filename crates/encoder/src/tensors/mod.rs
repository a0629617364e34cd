//! Named tensors from files, and to safetensors files.
//!
//! Owns the checks that a file is what it says, shards, the conversion to f32, and writing without ever leaving half a
//! file. Does not know which tensors a network needs: the families name those. Files are never trusted: whatever their
//! bytes, the answer is a tensor or a [`TensorError`]. Pickled weights are read without running the code they may name.
//!
//! Next: [`TensorFolder`] in `folder.rs` for a model, [`TensorFile`] in `file.rs` for one file, [`write_safetensors`].

mod convert;
mod error;
mod file;
mod folder;
mod json;
mod names;
mod pickle;
mod stored;
#[cfg(test)]
mod tests;
mod write;

pub use error::TensorError;
pub use file::TensorFile;
pub use folder::TensorFolder;
pub use write::{TensorToWrite, write_safetensors};
