//! What runs with several seeds say together.

use super::distributions::student_quantile;
use super::resampling::check_confidence;
use super::{MetricError, sample};

/// Mean and spread of one figure over runs that differ in their seed alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Number of runs.
    pub runs: usize,
    /// Mean of the figure.
    pub mean: f64,
    /// Standard deviation of the figure, of which these runs are a sample (divided by the runs less one); `None` for a
    /// single run, which says nothing of it.
    pub standard_deviation: Option<f64>,
}

impl Spread {
    /// Sums up the figures of runs.
    ///
    /// # Errors
    /// Where there is none, or one is not a finite number.
    pub fn of(figures: &[f64]) -> Result<Self, MetricError> {
        if figures.is_empty() {
            return Err(MetricError::NoRuns);
        }
        if let Some(run) = figures.iter().position(|figure| !figure.is_finite()) {
            return Err(MetricError::NonFiniteFigure { run: run + 1, value: figures[run] });
        }
        let standard_deviation = (figures.len() > 1).then(|| sample::standard_deviation(figures));
        Ok(Self { runs: figures.len(), mean: sample::mean(figures), standard_deviation })
    }

    /// The interval that holds the mean over all seeds with this confidence, by Student's distribution: at 95% it
    /// reaches 4.3 standard errors to either side for three runs, where it is 2 for many. `None` for a single run.
    ///
    /// # Errors
    /// Where the confidence is not between 0 and 1.
    pub fn interval(&self, confidence: f64) -> Result<Option<(f64, f64)>, MetricError> {
        check_confidence(confidence)?;
        Ok(self.standard_deviation.map(|deviation| {
            let quantile = student_quantile(confidence, (self.runs - 1) as f64);
            let half = quantile * deviation / (self.runs as f64).sqrt();
            (self.mean - half, self.mean + half)
        }))
    }
}
