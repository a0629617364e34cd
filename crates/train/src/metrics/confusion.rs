//! Who was taken for whom: the counts that accuracy, precision, recall, F1 and Matthews correlation derive from.

/// How many rows of each true class were predicted as each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    counts: Vec<Vec<u64>>,
}

impl ConfusionMatrix {
    /// Counts pairs of true and predicted classes, each below `n_classes`.
    pub(super) fn count(pairs: impl Iterator<Item = (usize, usize)>, n_classes: usize) -> Self {
        let mut counts = vec![vec![0; n_classes]; n_classes];
        for (truth, predicted) in pairs {
            counts[truth][predicted] += 1;
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

    /// Matthews correlation for any number of classes (Gorodkin 2004, "Comparing two K-category assignments by a
    /// K-category correlation coefficient"); 0 where all rows share one true or one predicted class.
    pub fn matthews_correlation(&self) -> f64 {
        let squares = |totals: &[u64]| totals.iter().map(|&n| i128::from(n) * i128::from(n)).sum::<i128>();
        let (truth, predicted) = (self.true_totals(), self.predicted_totals());
        let total = i128::from(self.total());
        let chance: i128 = truth.iter().zip(&predicted).map(|(&t, &p)| i128::from(t) * i128::from(p)).sum();

        let covariance = i128::from(self.correct()) * total - chance;
        let truth_variance = total * total - squares(&truth);
        let predicted_variance = total * total - squares(&predicted);
        if truth_variance == 0 || predicted_variance == 0 {
            return 0.0;
        }
        covariance as f64 / (truth_variance as f64 * predicted_variance as f64).sqrt()
    }
}
