//! How well the probabilities order the rows, whatever the threshold: area under the ROC curve.

/// ROC AUC of probabilities: for two classes by the probability of class 1, for more the plain mean of one class
/// against the rest. `None` where it is undefined: a class without a row, or without a row of another class.
///
/// Labels must be below `n_classes`.
///
/// # Shapes
/// `labels`: `[N]`, `probabilities`: `[N, C]` row-major
pub fn roc_auc(labels: &[u32], probabilities: &[f64], n_classes: usize) -> Option<f64> {
    let one_against_rest = |class: usize| {
        let scored = labels
            .iter()
            .zip(probabilities.chunks_exact(n_classes))
            .map(|(&label, row)| (row[class], label as usize == class))
            .collect();
        binary_auc(scored)
    };
    match n_classes {
        0 | 1 => None,
        2 => one_against_rest(1),
        _ => {
            let areas: Option<Vec<f64>> = (0..n_classes).map(one_against_rest).collect();
            areas.map(|areas| areas.iter().sum::<f64>() / n_classes as f64)
        }
    }
}

/// The share of (positive, negative) pairs in which the positive scores higher, a tie counting half (Hanley and McNeil
/// 1982). Counted in whole numbers, so the order of rows cannot change a bit of it.
fn binary_auc(mut scored: Vec<(f64, bool)>) -> Option<f64> {
    scored.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
    let mut negatives_below = 0u128;
    let mut positives = 0u128;
    let mut half_pairs_won = 0u128;
    for tied in scored.chunk_by(|left, right| left.0 == right.0) {
        let tied_positives = tied.iter().filter(|(_, positive)| *positive).count() as u128;
        let tied_negatives = tied.len() as u128 - tied_positives;
        half_pairs_won += tied_positives * (2 * negatives_below + tied_negatives);
        negatives_below += tied_negatives;
        positives += tied_positives;
    }
    let half_pairs = 2 * positives * negatives_below;
    (half_pairs > 0).then(|| half_pairs_won as f64 / half_pairs as f64)
}
