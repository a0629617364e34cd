//! Logits to probabilities and losses, in f64 and row after row, so that one input always gives the same bits.

use super::{MetricError, Predictions, sample};

/// Mean of `-log softmax(logits)[label]` over the rows: plain cross-entropy, without smoothing or class weights.
///
/// # Shapes
/// `labels`: `[N]`, `logits`: `[N, C]` row-major
///
/// # Errors
/// Where the shapes disagree, a label has no class, or a logit is not finite.
pub fn mean_cross_entropy(labels: &[u32], logits: &[f32], n_classes: usize) -> Result<f64, MetricError> {
    Ok(sample::mean(&cross_entropies(labels, logits, n_classes)?))
}

/// `-log softmax(logits)[label]` of each row.
///
/// # Errors
/// Where the shapes disagree, a label has no class, or a logit is not finite.
pub(super) fn cross_entropies(labels: &[u32], logits: &[f32], n_classes: usize) -> Result<Vec<f64>, MetricError> {
    check_shape(labels, logits.len(), n_classes)?;
    check_finite(logits, n_classes)?;
    let rows = labels.iter().zip(logits.chunks_exact(n_classes));
    Ok(rows.map(|(&label, row)| log_normaliser(row) - f64::from(row[label as usize])).collect())
}

/// Softmax of each row.
///
/// # Shapes
/// `[N, C]` to `[N, C]`
pub(super) fn softmax(logits: &[f32], n_classes: usize) -> Vec<f64> {
    let mut probabilities = Vec::with_capacity(logits.len());
    for row in logits.chunks_exact(n_classes) {
        let normaliser = log_normaliser(row);
        probabilities.extend(row.iter().map(|&logit| (f64::from(logit) - normaliser).exp()));
    }
    probabilities
}

/// `-log p[label]` of each row, with probabilities kept one epsilon away from 0 and 1, as `sklearn.metrics.log_loss` does
/// for doubles: one row of probability 0 costs 36, not infinity.
pub(super) fn log_losses(predictions: &Predictions) -> Vec<f64> {
    let rows = predictions.labels().iter().zip(predictions.probabilities().chunks_exact(predictions.n_classes()));
    rows.map(|(&label, row)| -row[label as usize].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()).collect()
}

/// `log(sum(exp(row)))`, stable for logits of any finite size.
fn log_normaliser(row: &[f32]) -> f64 {
    let largest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    largest + row.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum::<f64>().ln()
}

/// Checks that there are N rows of C scores and that every label has a class.
pub(super) fn check_shape(labels: &[u32], scores: usize, n_classes: usize) -> Result<(), MetricError> {
    if labels.is_empty() || n_classes == 0 {
        return Err(MetricError::Empty { rows: labels.len(), classes: n_classes });
    }
    if labels.len().checked_mul(n_classes) != Some(scores) {
        return Err(MetricError::ScoreCount { rows: labels.len(), classes: n_classes, found: scores });
    }
    match labels.iter().position(|&label| label as usize >= n_classes) {
        Some(index) => Err(MetricError::LabelOutOfRange { row: index + 1, label: labels[index], classes: n_classes }),
        None => Ok(()),
    }
}

/// Checks that every logit is finite.
pub(super) fn check_finite(logits: &[f32], n_classes: usize) -> Result<(), MetricError> {
    match logits.iter().position(|logit| !logit.is_finite()) {
        Some(index) => Err(MetricError::NonFiniteLogit {
            row: index / n_classes + 1,
            class: index % n_classes,
            value: logits[index],
        }),
        None => Ok(()),
    }
}

/// How far from 1 the probabilities of a row may sum: room for values rounded to four digits in a file.
const SUM_TOLERANCE: f64 = 1e-3;

/// Checks that every row is a distribution.
pub(super) fn check_probabilities(probabilities: &[f64], n_classes: usize) -> Result<(), MetricError> {
    for (index, row) in probabilities.chunks_exact(n_classes).enumerate() {
        if let Some(class) = row.iter().position(|value| !(0.0..=1.0).contains(value)) {
            return Err(MetricError::NotAProbability { row: index + 1, class, value: row[class] });
        }
        let sum: f64 = row.iter().sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(MetricError::ProbabilitySum { row: index + 1, sum });
        }
    }
    Ok(())
}
