//! Re-exports of the rooms of tunesmith, for those who use it as a library.

pub use {archive, baseline, classifier, dataset, encoder, hub, journal, kernels, metrics, runs, track, train};
