//! One class against the rest, at every threshold that its probabilities allow: what ROC and precision-recall curves,
//! average precision and the best threshold are all read from.

use super::Predictions;

/// What is counted where rows of at least this probability are taken for the class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// The lowest probability that is taken for the class.
    pub threshold: f64,
    /// Rows of the class that are taken for it.
    pub true_positives: u64,
    /// Rows of other classes that are taken for it.
    pub false_positives: u64,
}

/// Every cut of one class, highest threshold first. Rows of equal probability are taken or left together.
#[derive(Debug, Clone, PartialEq)]
pub struct Cuts {
    /// Rows of the class.
    pub positives: u64,
    /// Rows of other classes.
    pub negatives: u64,
    /// One cut for each distinct probability. The last one takes every row.
    pub cuts: Vec<Cut>,
}

impl Cuts {
    /// Counts for `class`; a class that is not there has no cuts.
    pub fn of(predictions: &Predictions, class: usize) -> Self {
        Self::of_scored(predictions.one_against_rest(class))
    }

    pub(crate) fn of_scored(scored: impl Iterator<Item = (f64, bool)>) -> Self {
        let mut scored: Vec<(f64, bool)> = scored.collect();
        scored.sort_unstable_by(|(left, _), (right, _)| right.total_cmp(left));
        let (mut positives, mut negatives) = (0, 0);
        let cut = |tied: &[(f64, bool)]| {
            let right = tied.iter().filter(|(_, positive)| *positive).count() as u64;
            positives += right;
            negatives += tied.len() as u64 - right;
            Cut { threshold: tied[0].0, true_positives: positives, false_positives: negatives }
        };
        let cuts = scored.chunk_by(|left, right| left.0 == right.0).map(cut).collect();
        Self { positives, negatives, cuts }
    }
}
