//! How well the probabilities order the rows, whatever the threshold: area under the ROC curve.

use super::Predictions;

/// The rows in the order of the probabilities of each class, from which the area follows for any weights of the rows
/// without sorting again.
///
/// For two classes the order is that of class 1, for more the area is the plain mean of one class against the rest.
pub(crate) struct Rankings {
    classes: Vec<Vec<Ranked>>,
}

/// One row in the order of a class, lowest probability first.
struct Ranked {
    row: u32,
    positive: bool,
    /// Whether the next row has a higher probability.
    ends_tie: bool,
}

impl Rankings {
    pub(crate) fn of(predictions: &Predictions) -> Self {
        let ranked = match predictions.n_classes() {
            0 | 1 => 0..0,
            2 => 1..2,
            classes => 0..classes,
        };
        Self { classes: ranked.map(|class| rank(predictions.one_against_rest(class))).collect() }
    }

    /// The area where each row counts `weight(row)` times; `None` where it is undefined: a class without a row, or
    /// without a row of another class.
    pub(crate) fn area(&self, weight: impl Fn(usize) -> u32) -> Option<f64> {
        let areas: Option<Vec<f64>> = self.classes.iter().map(|class| area(class, &weight)).collect();
        areas.filter(|areas| !areas.is_empty()).map(|areas| areas.iter().sum::<f64>() / areas.len() as f64)
    }
}

/// ROC AUC of probabilities: for two classes by the probability of class 1, for more the plain mean of one class
/// against the rest. `None` where it is undefined: a class without a row, or without a row of another class.
pub fn roc_auc(predictions: &Predictions) -> Option<f64> {
    Rankings::of(predictions).area(|_| 1)
}

fn rank(scored: impl Iterator<Item = (f64, bool)>) -> Vec<Ranked> {
    let mut scored: Vec<(usize, (f64, bool))> = scored.enumerate().collect();
    scored.sort_by(|(_, (left, _)), (_, (right, _))| left.total_cmp(right));
    let next = scored.iter().skip(1).map(|(_, (score, _))| Some(*score)).chain([None]);
    scored
        .iter()
        .zip(next)
        .map(|((row, (score, positive)), next)| Ranked {
            row: *row as u32,
            positive: *positive,
            ends_tie: next != Some(*score),
        })
        .collect()
}

/// The share of (positive, negative) pairs in which the positive scores higher, a tie counting half (Hanley and McNeil
/// 1982). Counted in whole numbers, so the order of rows cannot change a bit of it.
fn area(ranked: &[Ranked], weight: impl Fn(usize) -> u32) -> Option<f64> {
    let (mut positives, mut negatives_below) = (0u64, 0u64);
    let (mut tied_positives, mut tied_negatives) = (0u64, 0u64);
    let mut half_pairs_won = 0u128;
    for Ranked { row, positive, ends_tie } in ranked {
        let times = u64::from(weight(*row as usize));
        *(if *positive { &mut tied_positives } else { &mut tied_negatives }) += times;
        if *ends_tie {
            half_pairs_won += u128::from(tied_positives) * u128::from(2 * negatives_below + tied_negatives);
            positives += tied_positives;
            negatives_below += tied_negatives;
            (tied_positives, tied_negatives) = (0, 0);
        }
    }
    let half_pairs = 2 * u128::from(positives) * u128::from(negatives_below);
    (half_pairs > 0).then(|| half_pairs_won as f64 / half_pairs as f64)
}
