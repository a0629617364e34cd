//! Re-exports of the rooms of tunesmith, for those who use it as a library.

pub use {classifier, dataset, encoder, journal, kernels, train};
