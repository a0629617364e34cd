//! Why a run cannot start or go on.

use std::path::{Path, PathBuf};

/// Why a run cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that does not fit model or rows.
    #[error(transparent)]
    Argument(#[from] crate::ArgumentError),
    /// The model cannot be read, asked or written.
    #[error(transparent)]
    Model(#[from] classifier::Error),
    /// Weights or moments cannot be read or written.
    #[error(transparent)]
    Tensors(#[from] encoder::tensors::TensorError),
    /// What was measured makes no sense.
    #[error(transparent)]
    Metric(#[from] crate::metrics::MetricError),
    /// Loss or gradient stopped being a number; the weights are those before this step.
    #[error(
        "train step {step}: the {what} is {value}; {kept}; \
         a lower --learning-rate, --warmup-steps or --max-grad-norm often helps"
    )]
    NotFinite {
        /// The step, from 1.
        step: u64,
        /// `loss` or `gradient norm`.
        what: &'static str,
        /// Its value.
        value: f64,
        /// Where the last good weights are.
        kept: String,
    },
    /// A checkpoint of another run.
    #[error("resume from {}: {what} was {then} there and is {now} now; a resumed run must be the same run", path.display())]
    OtherRun {
        /// The checkpoint.
        path: PathBuf,
        /// The setting that differs.
        what: String,
        /// Its value in the checkpoint.
        then: String,
        /// Its value now.
        now: String,
    },
    /// A checkpoint's state that cannot be understood.
    #[error("read {}: expected the state of a training run, {found}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        found: String,
    },
    /// The system refused a file operation.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        Self::io("write", path)
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
