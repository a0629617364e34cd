//! The two tables a person reads: scores by class, and true against predicted.

use super::{Averages, ClassificationMetrics, MetricError};

const WIDEST_AVERAGE: &str = "weighted avg";

impl ClassificationMetrics {
    /// The text of `sklearn.metrics.classification_report(..., labels=range(C), zero_division=0)` (scikit-learn 1.9,
    /// `sklearn/metrics/_classification.py`), character by character. Where not one row is right, scikit-learn happens to
    /// print the supports as `3.0`; here they stay whole numbers.
    ///
    /// # Errors
    /// Where there is not one name per class.
    pub fn classification_report(&self, names: &[impl AsRef<str>], digits: usize) -> Result<String, MetricError> {
        self.check_names(names)?;
        let width = longest(names).max(WIDEST_AVERAGE.len()).max(digits);
        let total = self.rows();
        let mut text =
            format!("{:>width$}  {:>9} {:>9} {:>9} {:>9}\n\n", "", "precision", "recall", "f1-score", "support");
        for (name, class) in names.iter().zip(&self.per_class) {
            let scores = Averages { precision: class.precision, recall: class.recall, f1: class.f1 };
            text += &score_line(name.as_ref(), width, digits, scores, class.support);
        }
        let accuracy = self.accuracy;
        text += &format!("\n{:>width$}  {:>9} {:>9} {accuracy:>9.digits$} {total:>9}\n", "accuracy", "", "");
        text += &score_line("macro avg", width, digits, self.macro_average, total);
        text += &score_line(WIDEST_AVERAGE, width, digits, self.weighted_average, total);
        Ok(text)
    }

    /// The confusion matrix as an aligned table: a row per true class, a column per predicted class.
    ///
    /// # Errors
    /// Where there is not one name per class.
    pub fn confusion_table(&self, names: &[impl AsRef<str>]) -> Result<String, MetricError> {
        const CORNER: &str = "true \\ predicted";
        self.check_names(names)?;
        let first_width = longest(names).max(CORNER.len());
        let counts = self.confusion.counts();
        let widths: Vec<usize> = names
            .iter()
            .enumerate()
            .map(|(column, name)| {
                let largest = counts.iter().map(|row| row[column]).max().unwrap_or(0);
                name.as_ref().chars().count().max(largest.to_string().len())
            })
            .collect();

        let mut text = format!("{CORNER:>first_width$}");
        for (name, width) in names.iter().zip(&widths) {
            text += &format!("  {:>width$}", name.as_ref());
        }
        text.push('\n');
        for (name, row) in names.iter().zip(counts) {
            text += &format!("{:>first_width$}", name.as_ref());
            for (count, width) in row.iter().zip(&widths) {
                text += &format!("  {count:>width$}");
            }
            text.push('\n');
        }
        Ok(text)
    }

    fn check_names(&self, names: &[impl AsRef<str>]) -> Result<(), MetricError> {
        let classes = self.confusion.n_classes();
        if names.len() == classes { Ok(()) } else { Err(MetricError::NameCount { classes, found: names.len() }) }
    }
}

fn score_line(name: &str, width: usize, digits: usize, scores: Averages, support: u64) -> String {
    let Averages { precision, recall, f1 } = scores;
    format!("{name:>width$}  {precision:>9.digits$} {recall:>9.digits$} {f1:>9.digits$} {support:>9}\n")
}

/// Characters of the longest name.
fn longest(names: &[impl AsRef<str>]) -> usize {
    names.iter().map(|name| name.as_ref().chars().count()).max().unwrap_or(0)
}
