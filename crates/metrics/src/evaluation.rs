//! All metrics of one split, computed once.

use serde_json::{Map, Value};

use super::scores::{macro_average, weighted_average};
use super::{
    Averages, ClassCounts, ClassScores, ConfusionMatrix, Metric, MetricError, Predictions, Rankings, loss, sample,
};

/// Every metric of one split.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassificationMetrics {
    /// Share of rows predicted right.
    pub accuracy: f64,
    /// Averages in which every class counts the same.
    pub macro_average: Averages,
    /// Averages in which every class counts by its support.
    pub weighted_average: Averages,
    /// Scores of each class, in the order of the classes.
    pub per_class: Vec<ClassScores>,
    /// Matthews correlation.
    pub matthews_correlation: f64,
    /// Log loss of the clipped probabilities.
    pub log_loss: f64,
    /// Area under the ROC curve; `None` where a class has no row, or no other class has one.
    pub roc_auc: Option<f64>,
    /// Mean cross-entropy of the logits; `None` where only probabilities were given.
    pub loss: Option<f64>,
    /// Counts of true against predicted classes.
    pub confusion: ConfusionMatrix,
}

impl ClassificationMetrics {
    /// Measures logits against labels. A row's prediction is its largest logit, of equal ones the first.
    ///
    /// # Shapes
    /// `labels`: `[N]`, `logits`: `[N, C]` row-major
    ///
    /// # Errors
    /// Where there is no row, the shapes disagree, a label has no class, or a logit is not finite.
    pub fn compute(labels: &[u32], logits: &[f32], n_classes: usize) -> Result<Self, MetricError> {
        Ok(Self::of(&Predictions::from_logits(labels, logits, n_classes)?))
    }

    /// Measures probabilities against labels, as they come from a file of predictions.
    ///
    /// # Shapes
    /// `labels`: `[N]`, `probabilities`: `[N, C]` row-major
    ///
    /// # Errors
    /// Where there is no row, the shapes disagree, a label has no class, or a row is not a distribution.
    pub fn from_probabilities(labels: &[u32], probabilities: &[f64], n_classes: usize) -> Result<Self, MetricError> {
        Ok(Self::of(&Predictions::from_probabilities(labels, probabilities, n_classes)?))
    }

    /// Measures predictions.
    pub fn of(predictions: &Predictions) -> Self {
        let confusion = ConfusionMatrix::of(predictions);
        let counts = ClassCounts::from(&confusion);
        let per_class = counts.scores();
        Self {
            accuracy: counts.accuracy(),
            macro_average: macro_average(&per_class),
            weighted_average: weighted_average(&per_class),
            per_class,
            matthews_correlation: counts.matthews_correlation(),
            log_loss: sample::mean(&loss::log_losses(predictions)),
            roc_auc: Rankings::of(predictions).area(|_| 1),
            loss: predictions.losses().map(sample::mean),
            confusion,
        }
    }

    /// Number of rows measured.
    pub fn rows(&self) -> u64 {
        self.confusion.total()
    }

    /// The figure of one metric; `None` where it is undefined for this split.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Accuracy => Some(self.accuracy),
            Metric::F1 => Some(self.macro_average.f1),
            Metric::Precision => Some(self.macro_average.precision),
            Metric::Recall => Some(self.macro_average.recall),
            Metric::F1Weighted => Some(self.weighted_average.f1),
            Metric::PrecisionWeighted => Some(self.weighted_average.precision),
            Metric::RecallWeighted => Some(self.weighted_average.recall),
            Metric::MatthewsCorrelation => Some(self.matthews_correlation),
            Metric::LogLoss => Some(self.log_loss),
            Metric::RocAuc => self.roc_auc,
            Metric::Loss => self.loss,
        }
    }

    /// The figure of the metric of this name; `None` where it is undefined for this split.
    ///
    /// # Errors
    /// Where no metric has this name.
    pub fn get(&self, name: &str) -> Result<Option<f64>, MetricError> {
        Ok(self.value(name.parse()?))
    }

    /// All metrics under their names with `prefix` (`eval_`, `test_` or nothing) before them, undefined ones as null.
    pub fn to_json(&self, prefix: &str) -> Map<String, Value> {
        Metric::all().map(|metric| (format!("{prefix}{}", metric.name()), Value::from(self.value(metric)))).collect()
    }
}
