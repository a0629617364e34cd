//! Models from the Hugging Face Hub, as far as this machine's own cache has them.
//!
//! Owns: where the cache lies and how it is laid out. Knows nothing of what a model is. Nothing is downloaded: what the
//! Python library or a copy by hand put there is found and used.

mod cache;

pub use cache::{Cache, canonical};
