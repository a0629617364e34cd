//! The report that closes a measurement: what scikit-learn would print, and the scores it does not.

use journal::Split;
use train::Evaluation;
use train::metrics::MetricError;

use crate::render::count;

/// A confusion matrix of more classes is no longer read by eye.
const CLASSES_SHOWN: usize = 30;

/// The report of one measurement.
///
/// # Errors
/// When names and classes do not agree.
pub(crate) fn report(split: Split, evaluation: &Evaluation, labels: &[String]) -> Result<String, MetricError> {
    let metrics = &evaluation.metrics;
    let rows = match split {
        Split::Eval => "validation",
        Split::Test => "test",
    };
    let mut text = format!("{rows} report over {} rows\n\n", count(metrics.rows()));
    text += &metrics.classification_report(labels, 4)?;
    if labels.len() <= CLASSES_SHOWN {
        text += "\nconfusion matrix: rows are true, columns are predicted\n\n";
        text += &metrics.confusion_table(labels)?;
    }
    text += &format!(
        "\nlog loss {:.4}, Matthews correlation {:.4}, ROC AUC {}\n",
        metrics.log_loss,
        metrics.matthews_correlation,
        metrics.roc_auc.map_or("undefined".to_owned(), |area| format!("{area:.4}"))
    );
    Ok(text)
}
