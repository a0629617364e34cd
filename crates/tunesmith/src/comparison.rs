//! The linear model of the same rows beside the one that was trained: what its scores have to be compared with.

use dataset::Dataset;
use train::metrics::{
    Bootstrap, ClassificationMetrics, Interval, Intervals, McNemar, Metric, MetricError, Predictions,
};
use train::{Evaluation, Results};

use crate::linear::Linear;
use crate::render::{count, duration};

/// The scores that are compared.
const SCORES: [Metric; 2] = [Metric::Accuracy, Metric::F1];

/// Why there is nothing to compare with. Reads after "no baseline: ".
#[derive(Debug, thiserror::Error)]
enum Skipped {
    #[error("there are no test rows")]
    NoTestRows,
    #[error("failed to {0}")]
    Unfit(#[from] baseline::Error),
    #[error("failed to {0}")]
    Unmeasured(#[from] MetricError),
}

/// A baseline and how the model stands beside it on the test rows.
struct Comparison {
    c: f64,
    rows: usize,
    of_rows: usize,
    seconds: f64,
    model: ClassificationMetrics,
    baseline: ClassificationMetrics,
    /// How much higher the model scores.
    difference: Intervals,
    mcnemar: McNemar,
}

/// Adds the figures of the baseline to the results and says what they are; where there is none, says why.
pub(crate) fn report(
    rows: &Dataset,
    of_test: Option<&Evaluation>,
    linear: &Result<Linear, baseline::Error>,
    results: &mut Results,
) -> String {
    match compare(rows, of_test, linear) {
        Ok(comparison) => {
            results.add_figures(comparison.figures());
            comparison.describe()
        }
        Err(skipped) => format!("\nno baseline: {skipped}\n"),
    }
}

fn compare(
    rows: &Dataset,
    of_test: Option<&Evaluation>,
    linear: &Result<Linear, baseline::Error>,
) -> Result<Comparison, Skipped> {
    let (Some(test), Some(evaluation)) = (&rows.test, of_test) else { return Err(Skipped::NoTestRows) };
    let n_classes = rows.labels.len();
    let linear = linear.as_ref().map_err(Clone::clone)?;
    let model = evaluation.predictions(&test.labels)?;
    let baseline = Predictions::from_logits(&test.labels, &linear.logits(test), n_classes)?;
    Ok(Comparison {
        c: linear.c(),
        rows: linear.rows(),
        of_rows: rows.train.len(),
        seconds: linear.seconds,
        difference: Intervals::of_difference(&model, &baseline, &Bootstrap::for_size(test.len(), 2 * n_classes))?,
        mcnemar: McNemar::of(&model, &baseline)?,
        model: ClassificationMetrics::of(&model),
        baseline: ClassificationMetrics::of(&baseline),
    })
}

impl Comparison {
    /// `test_baseline_f1`, `test_over_baseline_f1` with its bounds, and the p-value of McNemar's test.
    fn figures(&self) -> Vec<(String, f64)> {
        let mut figures = vec![("test_baseline_mcnemar_p".to_owned(), self.mcnemar.p_value)];
        for metric in SCORES {
            let name = metric.name();
            figures.extend(self.baseline.value(metric).map(|score| (format!("test_baseline_{name}"), score)));
            if let Some(Interval { value, low, high, .. }) = self.difference.get(metric) {
                figures.push((format!("test_over_baseline_{name}"), value));
                figures.push((format!("test_over_baseline_{name}_low"), low));
                figures.push((format!("test_over_baseline_{name}_high"), high));
            }
        }
        figures
    }

    fn describe(&self) -> String {
        let rows = match self.rows == self.of_rows {
            true => format!("the same {} rows", count(self.rows as u64)),
            false => format!("a sample of {} of the same rows", count(self.rows as u64)),
        };
        let mut text = format!(
            "\nbaseline: TF-IDF of words and word pairs, logistic regression (C {}), fitted to {rows} in {}\n\n",
            self.c,
            duration(self.seconds)
        );
        text += &format!("{:<20}  {:>8}  {:>8}  over the baseline, in points\n", "", "model", "baseline");
        for metric in SCORES {
            let (Some(model), Some(baseline)) = (self.model.value(metric), self.baseline.value(metric)) else {
                continue;
            };
            text += &format!("{:<20}  {model:>8.4}  {baseline:>8.4}", metric.name());
            text += &self
                .difference
                .get(metric)
                .map_or_else(String::new, |difference| format!("  {}", points(&difference)));
            text.push('\n');
        }
        let McNemar { only_first, only_second, p_value, .. } = self.mcnemar;
        text += &format!(
            "just one of the two is right on {} of {} rows: the model on {}, the baseline on {} (McNemar: p {})\n",
            count(only_first + only_second),
            count(self.model.rows()),
            count(only_first),
            count(only_second),
            probability(p_value)
        );
        text
    }
}

/// `+1.8 ± 0.9 (95%: +0.9 to +2.7)`, and whether that may be chance.
fn points(difference: &Interval) -> String {
    let [value, low, high, half] =
        [difference.value, difference.low, difference.high, difference.half_width()].map(|score| 100.0 * score);
    let doubt = if difference.holds(0.0) { ", which may be chance" } else { "" };
    format!("{value:+.1} ± {half:.1} (95%: {low:+.1} to {high:+.1}){doubt}")
}

fn probability(p: f64) -> String {
    if p < 0.0001 { "below 0.0001".to_owned() } else { format!("{p:.4}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_says_when_it_may_be_chance() {
        let clear = Interval { value: 0.018, low: 0.0091, high: 0.0272, standard_error: 0.0046 };
        assert_eq!(points(&clear), "+1.8 ± 0.9 (95%: +0.9 to +2.7)");
        let unclear = Interval { value: -0.002, low: -0.0101, high: 0.005, standard_error: 0.004 };
        assert_eq!(points(&unclear), "-0.2 ± 0.8 (95%: -1.0 to +0.5), which may be chance");
    }
}
