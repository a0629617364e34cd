//! For each class, the probability from which to take a row for it.

use super::{Cuts, Predictions};

/// The threshold of the best F1 of one class against the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassThreshold {
    /// Rows of at least this probability are to be taken for the class. It stands midway between the probabilities of
    /// the last row that is taken and the first that is not, so that neither changes sides by a rounding.
    pub threshold: f64,
    /// Precision at this threshold, on the rows that it was found on.
    pub precision: f64,
    /// Recall at this threshold.
    pub recall: f64,
    /// F1 at this threshold. Chosen as the largest, it is better than other rows will give, the more so the fewer rows
    /// there are of the class.
    pub f1: f64,
    /// Rows of the class: the number that the choice rests on.
    pub support: u64,
}

/// The threshold of each class that maximises its F1 against the rest, of equally good ones the highest; `None` for a
/// class without a row. To be found on validation rows, and reported on others.
pub fn best_f1_thresholds(predictions: &Predictions) -> Vec<Option<ClassThreshold>> {
    (0..predictions.n_classes()).map(|class| best_f1(&Cuts::of(predictions, class))).collect()
}

fn best_f1(Cuts { positives, cuts, .. }: &Cuts) -> Option<ClassThreshold> {
    let mut best: Option<(f64, usize)> = None;
    for (at, cut) in cuts.iter().enumerate() {
        let f1 = 2.0 * cut.true_positives as f64 / (cut.true_positives + cut.false_positives + positives) as f64;
        if best.is_none_or(|(largest, _)| f1 > largest) {
            best = Some((f1, at));
        }
    }
    let (f1, at) = best.filter(|_| *positives > 0)?;
    let cut = cuts[at];
    Some(ClassThreshold {
        threshold: midway(cut.threshold, cuts.get(at + 1).map(|next| next.threshold)),
        precision: cut.true_positives as f64 / (cut.true_positives + cut.false_positives) as f64,
        recall: cut.true_positives as f64 / *positives as f64,
        f1,
        support: *positives,
    })
}

/// A threshold between the last probability that counts and the next lower one; 0 where there is none, as all count.
pub(crate) fn midway(last_in: f64, first_out: Option<f64>) -> f64 {
    let Some(first_out) = first_out else { return 0.0 };
    let middle = 0.5 * (last_in + first_out);
    // Of two neighbours among the doubles, the middle may be the lower one.
    if middle > first_out { middle } else { last_in }
}
