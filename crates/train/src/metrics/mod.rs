//! How good the predictions on one split are: pure functions from labels and logits to figures and text.
//!
//! Owns the definitions of every metric, their names and the two printed tables. Does not own which metric decides
//! (the training plan does) nor where figures are written. Definitions and zero divisions are those of scikit-learn
//! 1.9 with `labels=range(C)` and `zero_division=0`: a class that is neither true nor predicted anywhere scores 0 and
//! counts in the macro average.
//!
//! Legend: N rows, C classes. Next: [`ClassificationMetrics`] in `evaluation.rs`, then `names.rs` and `report.rs`.

mod confusion;
mod error;
mod evaluation;
mod loss;
mod names;
mod ranking;
mod report;
mod scores;
#[cfg(test)]
mod tests;

pub use confusion::ConfusionMatrix;
pub use error::MetricError;
pub use evaluation::ClassificationMetrics;
pub use loss::mean_cross_entropy;
pub use names::Metric;
pub use ranking::roc_auc;
pub use scores::{Averages, ClassScores};
