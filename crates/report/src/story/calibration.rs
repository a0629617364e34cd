//! How probabilities were calibrated, and from which of them on to believe them: `calibration.json`, as `train` writes it.

use indexmap::IndexMap;
use serde::Deserialize;

/// How probabilities were calibrated on the validation rows.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Calibration {
    /// What the logits are divided by; `None` where no temperature was found.
    pub temperature: Option<f64>,
    /// Why none was found.
    #[serde(default)]
    pub reason: Option<String>,
    /// What it did to the rows that it was fitted on.
    #[serde(default)]
    pub validation: Option<BeforeAfter>,
    /// What it did to rows that had no part in it.
    #[serde(default)]
    pub test: Option<BeforeAfter>,
    /// For each class by name the probability from which to take a row for it; `None` for a class without a row.
    #[serde(default)]
    pub thresholds: IndexMap<String, Option<Threshold>>,
    /// Below which probability it gives no answer, where that was asked for.
    #[serde(default)]
    pub abstain: Option<Abstain>,
}

/// Rows before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct BeforeAfter {
    /// The probabilities as the network gave them.
    pub before: Honesty,
    /// The calibrated ones.
    pub after: Honesty,
}

/// How far probabilities are from what happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Honesty {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Expected calibration error.
    pub expected_calibration_error: f64,
}

/// The threshold of a class that gives the best F1 against the rest, on the rows that it was found on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Threshold {
    /// The probability.
    pub threshold: f64,
    /// Precision at it.
    pub precision: f64,
    /// Recall at it.
    pub recall: f64,
    /// F1 at it.
    pub f1: f64,
    /// Rows of the class.
    pub support: u64,
}

/// When no answer is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Abstain {
    /// The precision that was asked for.
    pub wanted_precision: f64,
    /// The probability below which there is no answer; `None` where none gives that precision.
    pub level: Option<f64>,
    /// What it gives on the rows that it was found on.
    #[serde(default)]
    pub validation: Option<Answered>,
    /// What it gives on rows that had no part in it.
    #[serde(default)]
    pub test: Option<Answered>,
}

/// Rows of which some are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Answered {
    /// The share that is.
    pub coverage: Option<f64>,
    /// The share of those that is right.
    pub precision: Option<f64>,
    /// What that share is at least for rows like these, with 95% confidence.
    #[serde(default)]
    pub precision_at_least: Option<f64>,
    /// All of the rows.
    pub rows: u64,
}
