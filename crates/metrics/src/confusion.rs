//! Who was taken for whom: the counts that accuracy, precision, recall, F1 and Matthews correlation derive from.

use super::{ClassCounts, Predictions};

/// How many rows of each true class were predicted as each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    counts: Vec<Vec<u64>>,
}

impl ConfusionMatrix {
    /// Counts the rows.
    pub fn of(predictions: &Predictions) -> Self {
        let n_classes = predictions.n_classes();
        let mut counts = vec![vec![0; n_classes]; n_classes];
        for (&truth, &predicted) in predictions.labels().iter().zip(predictions.predicted()) {
            counts[truth as usize][predicted as usize] += 1;
        }
        Self { counts }
    }

    /// The counts as `[true][predicted]`.
    ///
    /// # Shapes
    /// `[C, C]`
    pub fn counts(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.counts.len()
    }

    /// Number of rows counted.
    pub fn total(&self) -> u64 {
        self.true_totals().iter().sum()
    }

    /// Number of rows predicted right.
    pub fn correct(&self) -> u64 {
        (0..self.n_classes()).map(|class| self.counts[class][class]).sum()
    }

    /// Rows that truly are of each class: the support.
    pub fn true_totals(&self) -> Vec<u64> {
        self.counts.iter().map(|row| row.iter().sum()).collect()
    }

    /// Rows predicted as each class.
    pub fn predicted_totals(&self) -> Vec<u64> {
        (0..self.n_classes()).map(|class| self.counts.iter().map(|row| row[class]).sum()).collect()
    }

    /// Matthews correlation for any number of classes; 0 where all rows share one true or one predicted class.
    pub fn matthews_correlation(&self) -> f64 {
        ClassCounts::from(self).matthews_correlation()
    }
}
