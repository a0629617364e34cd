//! What is computed from the predictions: once, when the story is read.

use std::collections::HashSet;
use std::path::Path;

use indexmap::IndexMap;
use metrics::{Binning, Bootstrap, ClassificationMetrics, Intervals, Predictions, Reliability};

use super::Check;
use super::predictions::{self, Predicted, Table};

/// How many examples of a kind are kept.
const EXAMPLES: usize = 20;

/// Characters of an example's text that are kept.
const EXCERPT: usize = 500;

/// The rows that a run is judged by, and how it did on them.
#[derive(Clone, Debug)]
pub struct Measured {
    /// `test`, or `validation` where there are no test rows.
    pub split: &'static str,
    /// Names of the classes in the order of their ids.
    pub labels: Vec<String>,
    /// What was predicted.
    pub predictions: Predictions,
    /// How good that is.
    pub metrics: ClassificationMetrics,
    /// How sure that is; `None` where the results of the run tell it.
    pub intervals: Option<Intervals>,
    /// The same without the rows that were seen before, where there were such and others.
    pub unseen: Option<Unseen>,
    /// Whether it is right as often as it says.
    pub reliability: Option<Reliability>,
    /// Rows predicted wrong, those first of whose label it was least convinced.
    pub most_wrong: Vec<Predicted>,
    /// Rows with the least confidence, right or wrong.
    pub least_sure: Vec<Predicted>,
}

/// The rows that were not seen before.
#[derive(Clone, Debug)]
pub struct Unseen {
    /// Rows that are left out.
    pub left_out: u64,
    /// How good the others are.
    pub metrics: ClassificationMetrics,
    /// How sure that is.
    pub intervals: Option<Intervals>,
}

/// Finds the predictions on the test rows, or else on the validation rows.
pub(super) fn find(
    folder: &Path,
    check: Option<&Check>,
    results: &IndexMap<String, f64>,
    unread: &mut Vec<String>,
) -> Option<Measured> {
    for (split, prefix) in [("test", "test"), ("validation", "eval")] {
        let name = format!("{split}_predictions.csv");
        match predictions::read(&folder.join(&name)) {
            Ok(None) => {}
            Ok(Some(table)) => {
                let leaked = check.map(|check| check.leaked(split)).unwrap_or_default();
                // Those of the run are of the same rows; for many rows and classes they take seconds.
                let has_intervals = results.contains_key(&format!("{prefix}_accuracy_low"));
                return Some(measure(split, table, &leaked, !has_intervals));
            }
            Err(reason) => unread.push(format!("{name} could not be read: {reason}.")),
        }
    }
    None
}

fn measure(split: &'static str, table: Table, leaked: &HashSet<u64>, with_intervals: bool) -> Measured {
    let predictions = &table.predictions;
    let is_leaked = |at: usize| leaked.contains(&table.rows[at]);
    let wrong = |at: &usize| predictions.labels()[*at] != predictions.predicted()[*at];
    let example = |at: usize| {
        let mut example = table.example(at, is_leaked(at));
        example.text = crate::visible::excerpt(&example.text, EXCERPT);
        example
    };
    let ranked = |rows: Vec<usize>, key: &dyn Fn(usize) -> f64| -> Vec<Predicted> {
        let mut rows: Vec<(f64, usize)> = rows.into_iter().map(|at| (key(at), at)).collect();
        rows.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
        rows.into_iter().take(EXAMPLES).map(|(_, at)| example(at)).collect()
    };
    let classes = predictions.n_classes();
    let probability = |at: usize, class: u32| predictions.probabilities()[at * classes + class as usize];
    let everything = 0..predictions.rows();
    Measured {
        split,
        metrics: ClassificationMetrics::of(predictions),
        intervals: if with_intervals { intervals(predictions) } else { None },
        unseen: without(predictions, &is_leaked),
        reliability: Reliability::of(predictions, Binning::EqualWidth, Reliability::USUAL_BINS).ok(),
        most_wrong: ranked(everything.clone().filter(wrong).collect(), &|at| {
            probability(at, predictions.labels()[at]) - probability(at, predictions.predicted()[at])
        }),
        least_sure: ranked(everything.collect(), &|at| probability(at, predictions.predicted()[at])),
        labels: table.labels,
        predictions: table.predictions.clone(),
    }
}

/// Intervals of as many resamples as take seconds.
fn intervals(predictions: &Predictions) -> Option<Intervals> {
    Intervals::of(predictions, &Bootstrap::for_size(predictions.rows(), predictions.n_classes())).ok()
}

fn without(predictions: &Predictions, is_leaked: &dyn Fn(usize) -> bool) -> Option<Unseen> {
    let classes = predictions.n_classes();
    let kept: Vec<usize> = (0..predictions.rows()).filter(|&at| !is_leaked(at)).collect();
    let left_out = predictions.rows() - kept.len();
    if left_out == 0 || kept.is_empty() {
        return None;
    }
    let labels: Vec<u32> = kept.iter().map(|&at| predictions.labels()[at]).collect();
    let rows = kept.iter().map(|&at| &predictions.probabilities()[at * classes..(at + 1) * classes]);
    let probabilities: Vec<f64> = rows.flatten().copied().collect();
    let rest = Predictions::from_probabilities(&labels, &probabilities, classes).ok()?;
    Some(Unseen { left_out: left_out as u64, metrics: ClassificationMetrics::of(&rest), intervals: intervals(&rest) })
}
