//! What makes scores honest, kept in `config.json`: a temperature, and when to say nothing.

use encoder::Config;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How the scores of a classifier were calibrated after training, on validation rows.
///
/// Weight and bias of the last layer are already divided by the temperature, so that every program that loads the
/// folder gives the calibrated scores; it is kept so that it can be undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Calibration {
    /// What the logits were divided by; absent where nothing was fitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The score below which no label is given; absent where one always is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abstain_below: Option<f64>,
}

impl Calibration {
    /// Reads it from a configuration; `Err` is what stands there instead.
    pub(crate) fn of(config: &Config) -> Result<Self, String> {
        let Some(own) = config.own() else { return Ok(Self::default()) };
        let calibration: Self = serde_json::from_value(own.clone()).map_err(|error| error.to_string())?;
        let sound = |value: Option<f64>, most: f64| value.is_none_or(|value| value > 0.0 && value <= most);
        if sound(calibration.temperature, f64::MAX) && sound(calibration.abstain_below, 1.0) {
            Ok(calibration)
        } else {
            Err(own.to_string())
        }
    }

    pub(crate) fn to_json(self) -> Value {
        json!(self)
    }
}
