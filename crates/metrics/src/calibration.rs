//! Whether a model is right as often as it says: reliability, expected calibration error, Brier score.

use super::sample::quantile;
use super::{MetricError, Predictions};

/// How rows are put into bins by their confidence, which is the probability of the predicted class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binning {
    /// Bins as wide as each other, from 0 to 1.
    EqualWidth,
    /// Bins of as many rows as each other, as far as equal confidences allow, which are never parted (Nixon et al. 2019,
    /// "Measuring calibration in deep learning").
    EqualMass,
}

/// The rows of one bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Confidences in this bin are above this one, or equal to it in the first bin.
    pub lower: f64,
    /// Confidences in this bin are at most this one.
    pub upper: f64,
    /// Rows in this bin, at least one.
    pub rows: u64,
    /// Mean confidence of the rows.
    pub confidence: f64,
    /// Share of the rows that are right.
    pub accuracy: f64,
}

/// The reliability diagram of the predicted classes ("top-label"). Bins without rows are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    bins: Vec<ReliabilityBin>,
    rows: u64,
}

impl Reliability {
    /// The number of bins that papers use (Guo et al. 2017).
    pub const USUAL_BINS: usize = 15;

    /// Puts the rows into `n_bins` bins, those of `sklearn.calibration.calibration_curve`.
    ///
    /// # Errors
    /// Where there is no bin.
    pub fn of(predictions: &Predictions, binning: Binning, n_bins: usize) -> Result<Self, MetricError> {
        if n_bins == 0 {
            return Err(MetricError::NoBins);
        }
        let mut answers: Vec<(f64, bool)> = predictions.answers().collect();
        answers.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let edges = match binning {
            Binning::EqualWidth => (0..=n_bins).map(|bin| bin as f64 / n_bins as f64).collect(),
            Binning::EqualMass => equal_mass_edges(&answers, n_bins),
        };
        let mut rest = answers.as_slice();
        let mut bins = Vec::new();
        for (bin, ends) in edges.windows(2).enumerate() {
            // The last bin takes all that is left: rounding may put a probability above 1.
            let here = if bin + 1 == n_bins { rest.len() } else { rest.partition_point(|(c, _)| *c <= ends[1]) };
            let (rows, others) = rest.split_at(here);
            rest = others;
            if !rows.is_empty() {
                bins.push(summarise(rows, ends[0], ends[1]));
            }
        }
        Ok(Self { bins, rows: answers.len() as u64 })
    }

    /// The bins that have rows, lowest confidence first.
    pub fn bins(&self) -> &[ReliabilityBin] {
        &self.bins
    }

    /// Expected calibration error: how far confidence is from accuracy, on average over the rows (Naeini et al. 2015; Guo
    /// et al. 2017, "On calibration of modern neural networks").
    pub fn expected_error(&self) -> f64 {
        self.bins.iter().map(|bin| bin.rows as f64 / self.rows as f64 * bin.gap()).sum()
    }

    /// Largest distance of confidence and accuracy in a bin.
    pub fn largest_error(&self) -> f64 {
        self.bins.iter().map(ReliabilityBin::gap).fold(0.0, f64::max)
    }
}

impl ReliabilityBin {
    /// How far confidence is from accuracy.
    pub fn gap(&self) -> f64 {
        (self.accuracy - self.confidence).abs()
    }
}

fn summarise(rows: &[(f64, bool)], lower: f64, upper: f64) -> ReliabilityBin {
    let n = rows.len() as f64;
    ReliabilityBin {
        lower,
        upper,
        rows: rows.len() as u64,
        confidence: rows.iter().map(|(confidence, _)| confidence).sum::<f64>() / n,
        accuracy: rows.iter().filter(|(_, right)| *right).count() as f64 / n,
    }
}

fn equal_mass_edges(sorted: &[(f64, bool)], n_bins: usize) -> Vec<f64> {
    let confidences: Vec<f64> = sorted.iter().map(|(confidence, _)| *confidence).collect();
    (0..=n_bins).map(|edge| quantile(&confidences, edge as f64 / n_bins as f64)).collect()
}

/// Mean squared distance of the probabilities from what is true (Brier 1950), from 0 to 1 for two classes, where it is
/// that of one of them, and to 2 for more, where it is summed over all: `sklearn.metrics.brier_score_loss` of 1.7 and later.
pub fn brier_score(predictions: &Predictions) -> f64 {
    let n_classes = predictions.n_classes();
    let squares = |(row, &label): (&[f64], &u32)| -> f64 {
        let truth = |class| if class == label as usize { 1.0 } else { 0.0 };
        row.iter().enumerate().map(|(class, probability)| (probability - truth(class)).powi(2)).sum()
    };
    let rows = predictions.probabilities().chunks_exact(n_classes).zip(predictions.labels());
    let whole = rows.map(squares).sum::<f64>() / predictions.rows() as f64;
    if n_classes == 2 { whole / 2.0 } else { whole }
}
