//! How good predictions are, and how sure one can be of it: pure functions from labels and logits to figures and text.
//!
//! Owns the definitions of every metric and their names, the printed tables, intervals, comparisons, curves, calibration
//! and thresholds. Does not own which metric decides (the training plan does) nor where figures are written. Definitions
//! and zero divisions are those of scikit-learn 1.9 with `labels=range(C)` and `zero_division=0`: a class that is neither
//! true nor predicted anywhere scores 0 and counts in the macro average.
//!
//! Legend: N rows, C classes. Everything begins with [`Predictions`], which is checked once; what is computed from it
//! cannot fail on account of the rows.
//!
//! | question | answer |
//! | --- | --- |
//! | How good is it? | [`ClassificationMetrics`], [`Metric`] |
//! | How sure is that? | [`Intervals`], [`proportion`], [`Spread`] over seeds |
//! | Is it better than another? | [`Intervals::of_difference`], [`McNemar`] |
//! | How does it trade off? | [`roc_curve`], [`precision_recall_curve`], [`best_f1_thresholds`] |
//! | Is it as good as it says? | [`Reliability`], [`brier_score`], [`Temperature`] |
//! | When should it say nothing? | [`SelectiveCurve`] |

mod abstention;
mod calibration;
mod class_counts;
mod confusion;
mod curves;
mod cuts;
mod distributions;
mod error;
mod evaluation;
mod intervals;
mod loss;
mod mcnemar;
mod names;
mod predictions;
pub mod proportion;
mod random;
mod ranking;
mod report;
mod resampling;
mod sample;
mod scores;
mod spread;
mod temperature;
#[cfg(test)]
mod tests;
mod thinning;
mod thresholds;

pub use abstention::{AbstainLevel, SelectiveCurve};
pub use calibration::{Binning, Reliability, ReliabilityBin, brier_score};
pub use confusion::ConfusionMatrix;
pub use curves::{CurvePoint, average_precision, precision_recall_curve, roc_curve};
pub use cuts::{Cut, Cuts};
pub use error::MetricError;
pub use evaluation::ClassificationMetrics;
pub use intervals::{Interval, Intervals};
pub use loss::mean_cross_entropy;
pub use mcnemar::McNemar;
pub use names::Metric;
pub use predictions::Predictions;
pub use ranking::roc_auc;
pub use resampling::Bootstrap;
pub use scores::{Averages, ClassScores};
pub use spread::Spread;
pub use temperature::{NoTemperature, Temperature};
pub use thresholds::{ClassThreshold, best_f1_thresholds};

use class_counts::ClassCounts;
use ranking::Rankings;
