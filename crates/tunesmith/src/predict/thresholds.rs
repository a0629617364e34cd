//! Labels by the thresholds of the classes: those of the best F1 of each class against the rest, which the run found on
//! its validation rows.
//!
//! Such a threshold says from which score on to take a row for a class, whatever the others score. A row may reach those
//! of several classes or of none; it gets the label whose score is the largest multiple of its threshold. Where just one
//! class is reached, that is the one.

use std::fs;
use std::path::{Path, PathBuf};

use classifier::Prediction;
use indexmap::IndexMap;
use serde::Deserialize;

use crate::calibrate::FILE_NAME;

/// What a class needs of which nothing is known: no validation row was of it.
const UNKNOWN: f64 = 0.5;

/// A class that every row was best taken for has a threshold of 0, of which there are no multiples.
const LEAST: f64 = 1e-6;

/// The flag that asks for thresholds.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Thresholds")]
pub(crate) struct ThresholdFlags {
    /// Whether to give the label whose score is the largest multiple of its class's threshold (the one of the best F1 on the
    /// validation rows of the run; 0.5 for a class that has none) in place of the label with the highest score. Where scores
    /// are too low for any label is still told by the highest
    #[arg(long, alias = "thresholds", conflicts_with = "raw")]
    use_thresholds: Option<bool>,
}

/// Thresholds that are not to be had. Reads after "failed to ".
#[derive(Debug, thiserror::Error)]
#[error("use the thresholds in {file}: {reason}; it takes the folder of a run with validation rows")]
pub(crate) struct NoThresholds {
    file: PathBuf,
    reason: String,
}

/// One threshold for each class, in the order of the labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Thresholds(Vec<f64>);

/// The part of the file that is read.
#[derive(Deserialize)]
struct Calibrated {
    thresholds: IndexMap<String, Option<Threshold>>,
}

#[derive(Deserialize)]
struct Threshold {
    threshold: f64,
}

impl ThresholdFlags {
    /// The thresholds in the folder `run`, where they are asked for.
    ///
    /// # Errors
    /// A folder without them, or with those of other labels.
    pub(crate) fn of(self, run: &str, labels: &[String]) -> Result<Option<Thresholds>, NoThresholds> {
        if self.use_thresholds != Some(true) {
            return Ok(None);
        }
        let file = Path::new(run).join(FILE_NAME);
        let found = fs::read(&file).map_err(|error| error.to_string()).and_then(|text| parse(&text, labels));
        found.map(Some).map_err(|reason| NoThresholds { file, reason })
    }
}

fn parse(text: &[u8], labels: &[String]) -> Result<Thresholds, String> {
    let Calibrated { thresholds } = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let of = |label: &String| match thresholds.get(label) {
        None => Err(format!("it knows no label {label:?}")),
        Some(None) => Ok(UNKNOWN),
        Some(Some(found)) if (0.0..=1.0).contains(&found.threshold) => Ok(found.threshold.max(LEAST)),
        Some(Some(found)) => {
            Err(format!("the threshold of {label:?} is {}, expected a number from 0 to 1", found.threshold))
        }
    };
    labels.iter().map(of).collect::<Result<_, _>>().map(Thresholds)
}

impl Thresholds {
    /// Gives a text its label by the thresholds; of equals the first.
    pub(crate) fn relabel(&self, said: &mut Prediction) {
        let multiples = said.scores.iter().zip(&self.0).map(|(score, threshold)| f64::from(*score) / threshold);
        let first = multiples.zip(0..).reduce(|best, other| if other.0 > best.0 { other } else { best });
        if let Some((_, label)) = first {
            said.label = label;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(labels: &[&str]) -> Vec<String> {
        labels.iter().map(|label| (*label).to_owned()).collect()
    }

    fn label(thresholds: &[f64], scores: &[f32]) -> u32 {
        let mut said = Prediction { label: 9, scores: scores.to_vec(), abstains: true };
        Thresholds(thresholds.to_vec()).relabel(&mut said);
        assert!(said.abstains && said.scores == scores);
        said.label
    }

    #[test]
    fn the_only_class_that_is_reached_is_the_label() {
        assert_eq!(label(&[0.75, 0.25], &[0.7, 0.3]), 1);
        assert_eq!(label(&[0.75, 0.25], &[0.8, 0.2]), 0);
        assert_eq!(label(&[0.5, 0.125, 0.5], &[0.45, 0.15, 0.4]), 1);
    }

    #[test]
    fn of_several_or_none_it_is_the_largest_multiple() {
        assert_eq!(label(&[0.5, 0.125], &[0.75, 0.25]), 1, "1.5 times and twice");
        assert_eq!(label(&[0.9, 0.8], &[0.5, 0.5]), 1);
        assert_eq!(label(&[0.5, 0.5, 0.5], &[0.25, 0.5, 0.25]), 1, "equal thresholds change nothing");
        assert_eq!(label(&[0.5, 0.5], &[0.5, 0.5]), 0, "the first of equals");
    }

    #[test]
    fn the_file_is_read_by_label() {
        let text = br#"{"temperature": 1.2, "thresholds": {"spam": {"threshold": 0.0, "f1": 1.0}, "ham": null}}"#;
        assert_eq!(parse(text, &names(&["ham", "spam"])), Ok(Thresholds(vec![UNKNOWN, LEAST])));
        assert!(parse(text, &names(&["ham", "eggs"])).unwrap_err().contains("no label \"eggs\""));
        let high = br#"{"thresholds": {"ham": {"threshold": 1.5}}}"#;
        assert!(parse(high, &names(&["ham"])).unwrap_err().contains("expected a number from 0 to 1"));
        assert!(parse(b"{}", &[]).unwrap_err().contains("thresholds"));
    }

    #[test]
    fn without_the_file_it_is_named() {
        let asked = ThresholdFlags { use_thresholds: Some(true) };
        let error = asked.of("no/such/run", &names(&["a"])).unwrap_err().to_string();
        assert!(error.contains(FILE_NAME) && error.contains("validation rows"), "{error}");
        assert_eq!(ThresholdFlags::default().of("no/such/run", &[]).unwrap(), None);
    }
}
