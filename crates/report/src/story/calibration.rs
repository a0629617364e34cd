//! How probabilities were calibrated: `calibration.json`, as `train` writes it.

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
