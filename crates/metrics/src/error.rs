//! What can be wrong with the input of a metric.

use super::{Metric, NoTemperature};

/// Why a metric cannot be computed. Rows and classes are counted as in the data: rows from 1, classes from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// There is nothing to measure.
    #[error("compute metrics: expected at least one row and one class, found {rows} rows and {classes} classes")]
    Empty {
        /// Number of labels given.
        rows: usize,
        /// Number of classes given.
        classes: usize,
    },
    /// The scores are not `[N, C]`.
    #[error("compute metrics: expected {rows} rows of {classes} scores, found {found} scores in all")]
    ScoreCount {
        /// Number of labels given.
        rows: usize,
        /// Number of classes given.
        classes: usize,
        /// Number of scores given.
        found: usize,
    },
    /// A label has no class.
    #[error("compute metrics: row {row} has label {label}, expected one below {classes}")]
    LabelOutOfRange {
        /// Row, from 1.
        row: usize,
        /// The label found.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// A logit is infinite or not a number, so every figure from it would be meaningless.
    #[error("compute metrics: the logit of row {row} for class {class} is {value}, expected a finite number")]
    NonFiniteLogit {
        /// Row, from 1.
        row: usize,
        /// Class, from 0.
        class: usize,
        /// The logit found.
        value: f32,
    },
    /// A probability lies outside 0 to 1.
    #[error("compute metrics: the probability of row {row} for class {class} is {value}, expected one from 0 to 1")]
    NotAProbability {
        /// Row, from 1.
        row: usize,
        /// Class, from 0.
        class: usize,
        /// The value found.
        value: f64,
    },
    /// The probabilities of one row do not sum to one.
    #[error("compute metrics: the probabilities of row {row} sum to {sum}, expected 1")]
    ProbabilitySum {
        /// Row, from 1.
        row: usize,
        /// The sum found.
        sum: f64,
    },
    /// Two models were to be compared that did not answer the same rows.
    #[error("compare two models: expected the same rows with the same labels, found {found}")]
    OtherRows {
        /// What differs.
        found: String,
    },
    /// Too few resamples for an interval.
    #[error("make an interval: expected at least two resamples, found {found}")]
    Resamples {
        /// The number given.
        found: usize,
    },
    /// A confidence that no interval has.
    #[error("make an interval: expected a confidence between 0 and 1, found {found}")]
    Confidence {
        /// The confidence given.
        found: f64,
    },
    /// A share of no rows, or of more rows than there are.
    #[error(
        "make an interval: expected at most as many successes as rows and at least one row, found {successes} of {rows}"
    )]
    Proportion {
        /// Successes given.
        successes: u64,
        /// Rows given.
        rows: u64,
    },
    /// There is no run to sum up.
    #[error("sum up runs: expected at least one")]
    NoRuns,
    /// A run's figure is infinite or not a number.
    #[error("sum up runs: the figure of run {run} is {value}, expected a finite number")]
    NonFiniteFigure {
        /// The run, from 1.
        run: usize,
        /// Its figure.
        value: f64,
    },
    /// Bins are needed to compare confidence with accuracy.
    #[error("measure calibration: expected at least one bin")]
    NoBins,
    /// No temperature fits.
    #[error("fit a temperature: {reason}")]
    NoTemperature {
        /// Why not.
        reason: NoTemperature,
    },
    /// A table needs one name per class.
    #[error("print metrics: expected {classes} class names, found {found}")]
    NameCount {
        /// Number of classes.
        classes: usize,
        /// Number of names given.
        found: usize,
    },
    /// No metric has this name.
    #[error("find metric `{name}`: expected one of {}", Metric::listed_names())]
    UnknownMetric {
        /// The name asked for.
        name: String,
    },
}
