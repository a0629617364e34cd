//! Making scores honest after training: a temperature and a level to abstain below, fitted on validation rows.

use std::fs;
use std::path::Path;

use classifier::Classifier;
use kernels::Cpu;
use metrics::{
    AbstainLevel, Binning, MetricError, Predictions, Reliability, SelectiveCurve, Temperature, best_f1_thresholds,
};
use serde_json::{Map, Value, json};
use train::{Evaluation, Examples};

use crate::output;

/// How sure one wants to be of a precision that is promised.
const CONFIDENCE: f64 = 0.95;

/// The file's name in the run's folder.
pub(crate) const FILE_NAME: &str = "calibration.json";

/// What was fitted on validation rows, and what it did.
#[derive(Debug)]
pub(crate) struct Fitted {
    temperature: Result<Temperature, MetricError>,
    /// The precision asked for, and the level that gives it.
    abstain: Option<(f64, Option<AbstainLevel>)>,
    rows: usize,
}

impl Fitted {
    /// Fits on validation rows as the plan wishes.
    ///
    /// # Errors
    /// Where the evaluation holds no rows.
    pub(crate) fn on(
        examples: &Examples,
        measured: &Evaluation,
        classes: usize,
        precision: Option<f64>,
    ) -> Result<Self, MetricError> {
        let temperature = Temperature::fit(&examples.labels, &measured.logits, classes);
        let logits =
            temperature.as_ref().map_or_else(|_| measured.logits.clone(), |found| found.scale(&measured.logits));
        let calibrated = Predictions::from_logits(&examples.labels, &logits, classes)?;
        let abstain = precision.map(|precision| (precision, SelectiveCurve::of(&calibrated).level_for(precision)));
        Ok(Self { temperature, abstain, rows: examples.len() })
    }

    /// Whether scores are others than before.
    pub(crate) fn changes_scores(&self) -> bool {
        self.temperature.is_ok()
    }

    /// Changes the classifier.
    pub(crate) fn apply(&self, classifier: &mut Classifier<Cpu>) {
        if let Ok(found) = &self.temperature {
            classifier.divide_logits(found.temperature);
        }
        if let Some((_, Some(level))) = self.abstain {
            classifier.abstain_below(Some(level.level));
        }
    }

    /// Lines for people.
    pub(crate) fn describe(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.push(match &self.temperature {
            Ok(found) => format!(
                "scores are calibrated on {} validation rows: temperature {:.3} ± {:.3}, calibration error {:.4} before and {:.4} after",
                self.rows, found.temperature, found.standard_error, found.error_before, found.error_after
            ),
            Err(error) => format!("scores are not calibrated: failed to {error}"),
        });
        match self.abstain {
            Some((wanted, Some(level))) => lines.push(format!(
                "for a precision of {wanted}, answers of a score below {:.4} are withheld: {:.1}% of the validation rows are answered",
                level.level,
                100.0 * level.coverage()
            )),
            Some((wanted, None)) => {
                lines.push(format!("no score gives a precision of {wanted} on the validation rows: nothing is withheld"));
            }
            None => {}
        }
        lines
    }

    /// Writes everything that is known of the scores into the run's folder. `validation` and `test` were measured with
    /// the calibrated classifier.
    ///
    /// # Errors
    /// Where the system refuses.
    pub(crate) fn write(
        &self,
        folder: &Path,
        labels: &[String],
        validation: Measured<'_>,
        test: Option<Measured<'_>>,
    ) -> anyhow::Result<()> {
        let mut told = Map::new();
        match &self.temperature {
            Ok(found) => {
                told.insert("temperature".into(), json!(found.temperature));
                told.insert("standard_error".into(), json!(found.standard_error));
            }
            Err(error) => {
                told.insert("temperature".into(), Value::Null);
                told.insert("reason".into(), json!(error.to_string()));
            }
        }
        told.insert("fitted_on".into(), json!({"split": "validation", "rows": self.rows}));
        let temperature = self.temperature.as_ref().map_or(1.0, |found| found.temperature);
        told.insert("validation".into(), validation.before_and_after(temperature)?);
        if let Some(test) = test {
            told.insert("test".into(), test.before_and_after(temperature)?);
        }
        told.insert("thresholds".into(), thresholds(&validation.predictions()?, labels));
        told.insert("abstain".into(), self.abstain(test)?);
        let file = folder.join(FILE_NAME);
        fs::write(&file, format!("{:#}\n", Value::Object(told))).map_err(output::refused(&file))?;
        Ok(())
    }

    /// The level that withholds answers, and what it gives on rows that had no part in choosing it.
    fn abstain(&self, test: Option<Measured<'_>>) -> Result<Value, MetricError> {
        let Some((wanted, level)) = self.abstain else { return Ok(Value::Null) };
        let Some(level) = level else { return Ok(json!({"wanted_precision": wanted, "level": null})) };
        let on_test = test.map(|test| {
            let predictions = test.predictions()?;
            let answered: Vec<bool> =
                predictions.answers().filter(|(score, _)| *score >= level.level).map(|(_, right)| right).collect();
            let right = answered.iter().filter(|right| **right).count();
            let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
            Ok(json!({
                "coverage": share(answered.len(), predictions.rows()),
                "precision": share(right, answered.len()),
                "rows": predictions.rows(),
            }))
        });
        Ok(json!({
            "wanted_precision": wanted,
            "level": level.level,
            "validation": {
                "coverage": level.coverage(),
                "precision": level.precision(),
                "precision_at_least": level.precision_at_least(CONFIDENCE)?,
                "rows": level.rows,
            },
            "test": on_test.transpose()?,
        }))
    }
}

/// Rows and what the calibrated classifier said of them.
#[derive(Clone, Copy)]
pub(crate) struct Measured<'a> {
    pub(crate) examples: &'a Examples,
    pub(crate) evaluation: &'a Evaluation,
    pub(crate) classes: usize,
}

impl Measured<'_> {
    fn predictions(self) -> Result<Predictions, MetricError> {
        Predictions::from_logits(&self.examples.labels, &self.evaluation.logits, self.classes)
    }

    fn before_and_after(self, temperature: f64) -> Result<Value, MetricError> {
        let raw: Vec<f32> =
            self.evaluation.logits.iter().map(|&logit| single(f64::from(logit) * temperature)).collect();
        let before = Predictions::from_logits(&self.examples.labels, &raw, self.classes)?;
        Ok(json!({"before": honesty(&before)?, "after": honesty(&self.predictions()?)?}))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "logits are single precision")]
fn single(x: f64) -> f32 {
    x as f32
}

/// Loss, calibration error and Brier score.
fn honesty(predictions: &Predictions) -> Result<Value, MetricError> {
    let losses = predictions.losses().unwrap_or_default();
    let reliability = Reliability::of(predictions, Binning::EqualWidth, Reliability::USUAL_BINS)?;
    Ok(json!({
        "loss": losses.iter().sum::<f64>() / losses.len().max(1) as f64,
        "expected_calibration_error": reliability.expected_error(),
        "brier_score": metrics::brier_score(predictions),
    }))
}

fn thresholds(predictions: &Predictions, labels: &[String]) -> Value {
    let found = labels.iter().zip(best_f1_thresholds(predictions)).map(|(label, found)| {
        let found = found.map(|it| {
            json!({
                "threshold": it.threshold, "precision": it.precision, "recall": it.recall, "f1": it.f1,
                "support": it.support,
            })
        });
        (label.clone(), found.unwrap_or(Value::Null))
    });
    Value::Object(found.collect())
}
