//! The metrics by name: the Trainer's names, scikit-learn's scorer names, and which direction is better.

use std::str::FromStr;

use super::MetricError;

/// A metric that is one number, and so can be logged, compared and chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Share of rows predicted right.
    Accuracy,
    /// Macro F1.
    F1,
    /// Macro precision.
    Precision,
    /// Macro recall.
    Recall,
    /// F1 weighted by support.
    F1Weighted,
    /// Precision weighted by support.
    PrecisionWeighted,
    /// Recall weighted by support, which equals accuracy.
    RecallWeighted,
    /// Matthews correlation.
    MatthewsCorrelation,
    /// Log loss of the clipped probabilities.
    LogLoss,
    /// Area under the ROC curve.
    RocAuc,
    /// Mean cross-entropy of the logits.
    Loss,
}

/// Each metric with all its names; the first is the one written.
const NAMES: [(Metric, &[&str]); 11] = [
    (Metric::Accuracy, &["accuracy"]),
    (Metric::F1, &["f1", "macro_f1", "f1_macro"]),
    (Metric::Precision, &["precision", "macro_precision", "precision_macro"]),
    (Metric::Recall, &["recall", "macro_recall", "recall_macro"]),
    (Metric::F1Weighted, &["f1_weighted", "weighted_f1"]),
    (Metric::PrecisionWeighted, &["precision_weighted", "weighted_precision"]),
    (Metric::RecallWeighted, &["recall_weighted", "weighted_recall"]),
    (Metric::MatthewsCorrelation, &["matthews_correlation", "matthews_corrcoef", "mcc"]),
    (Metric::LogLoss, &["log_loss"]),
    (Metric::RocAuc, &["roc_auc", "roc_auc_ovr"]),
    (Metric::Loss, &["loss"]),
];

impl Metric {
    /// How many there are.
    pub(crate) const COUNT: usize = NAMES.len();

    /// Every metric, in the order in which figures are written.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(metric, _)| metric)
    }

    /// The name under which the metric is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::F1 => "f1",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::F1Weighted => "f1_weighted",
            Self::PrecisionWeighted => "precision_weighted",
            Self::RecallWeighted => "recall_weighted",
            Self::MatthewsCorrelation => "matthews_correlation",
            Self::LogLoss => "log_loss",
            Self::RocAuc => "roc_auc",
            Self::Loss => "loss",
        }
    }

    /// Whether a larger figure is a better one: false for losses only, as the Trainer presumes from the name.
    pub fn greater_is_better(self) -> bool {
        !matches!(self, Self::Loss | Self::LogLoss)
    }

    /// All accepted names, for an error message.
    pub(super) fn listed_names() -> String {
        let names: Vec<&str> = NAMES.into_iter().flat_map(|(_, names)| names.iter().copied()).collect();
        format!("{} (each also with the prefix `eval_`)", names.join(", "))
    }
}

impl FromStr for Metric {
    type Err = MetricError;

    /// Finds a metric by any of its names, with or without the prefix `eval_`.
    fn from_str(name: &str) -> Result<Self, MetricError> {
        let bare = name.strip_prefix("eval_").unwrap_or(name);
        NAMES
            .into_iter()
            .find(|(_, names)| names.contains(&bare))
            .map(|(metric, _)| metric)
            .ok_or_else(|| MetricError::UnknownMetric { name: name.to_owned() })
    }
}
