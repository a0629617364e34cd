//! Drawing rows with replacement, as often as there are rows, again and again.

use super::random::Random;
use super::{MetricError, Predictions};

/// How a bootstrap is done (Efron and Tibshirani 1993, "An introduction to the bootstrap").
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// How many times rows are drawn.
    pub resamples: usize,
    /// Which share of the resamples an interval holds.
    pub confidence: f64,
    /// What the draws depend on, beside the number of the resample. The same rows and seed give the same interval.
    pub seed: u64,
    /// Whether each class is drawn from on its own and keeps its number of rows. That fits rows that were collected so
    /// many of each class; otherwise it hides how the mixture of classes would vary.
    pub stratified: bool,
}

impl Default for Bootstrap {
    /// 95% of 1,000 resamples, not stratified.
    fn default() -> Self {
        Self { resamples: 1000, confidence: 0.95, seed: 0, stratified: false }
    }
}

impl Bootstrap {
    /// The usual way for a split of this size: 1,000 resamples, and fewer, down to 200, where those would take longer than
    /// a few seconds. Bounds are then less even from seed to seed, but no further apart.
    pub fn for_size(rows: usize, n_classes: usize) -> Self {
        const FEWEST: usize = 200;
        const VISITS: usize = 1_000_000_000;
        let usual = Self::default();
        let affordable = VISITS / rows.saturating_mul(n_classes).max(1);
        Self { resamples: affordable.clamp(FEWEST, usual.resamples), ..usual }
    }

    /// Says whether intervals can be made this way.
    ///
    /// # Errors
    /// Where there are fewer than two resamples, or the confidence is not between 0 and 1.
    pub(crate) fn check(&self) -> Result<(), MetricError> {
        if self.resamples < 2 {
            return Err(MetricError::Resamples { found: self.resamples });
        }
        check_confidence(self.confidence)
    }
}

/// Says whether a confidence is strictly between 0 and 1.
///
/// # Errors
/// Where it is not.
pub(crate) fn check_confidence(confidence: f64) -> Result<(), MetricError> {
    let between = confidence > 0.0 && confidence < 1.0;
    if between { Ok(()) } else { Err(MetricError::Confidence { found: confidence }) }
}

/// The rows that may stand for one another.
pub(crate) struct Resampling {
    groups: Vec<Vec<u32>>,
    rows: usize,
    seed: u64,
}

impl Resampling {
    pub(crate) fn new(predictions: &Predictions, bootstrap: &Bootstrap) -> Self {
        let rows = predictions.rows();
        let groups = if bootstrap.stratified {
            let mut groups = vec![Vec::new(); predictions.n_classes()];
            for (row, &label) in predictions.labels().iter().enumerate() {
                groups[label as usize].push(row as u32);
            }
            groups
        } else {
            vec![(0..rows as u32).collect()]
        };
        Self { groups, rows, seed: bootstrap.seed }
    }

    /// How often each row is in a resample.
    pub(crate) fn counts(&self, resample: usize) -> Vec<u32> {
        let mut random = Random::new(self.seed, resample as u64);
        let mut counts = vec![0; self.rows];
        for group in &self.groups {
            for _ in 0..group.len() {
                counts[group[random.below(group.len())] as usize] += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stratified_resample_keeps_the_size_of_each_class() {
        let labels: Vec<u32> = (0..50).map(|row| u32::from(row % 10 == 0)).collect();
        let predictions = Predictions::from_probabilities(&labels, &[0.5; 100], 2).unwrap();
        let drawn = |stratified, resample| {
            let counts =
                Resampling::new(&predictions, &Bootstrap { stratified, ..Bootstrap::default() }).counts(resample);
            assert_eq!(counts.iter().sum::<u32>(), 50);
            (0..50).filter(|row| row % 10 == 0).map(|row| counts[row]).sum::<u32>()
        };
        assert!((0..20).all(|resample| drawn(true, resample) == 5));
        assert!((0..20).any(|resample| drawn(false, resample) != 5));
    }
}
