//! A linear model on the same rows, beside the one that was trained: what its scores have to be compared with.

use std::ops::Range;
use std::time::Instant;

use baseline::Settings;
use dataset::{Dataset, Split};
use train::metrics::{
    Bootstrap, ClassificationMetrics, Interval, Intervals, McNemar, Metric, MetricError, Predictions,
};
use train::{Evaluation, Results};

use crate::render::{count, duration};

/// The scores that are compared.
const SCORES: [Metric; 2] = [Metric::Accuracy, Metric::F1];

/// The linear model learns no better from more than this, and would take a minute and gigabytes.
const MOST_ROWS: usize = 100_000;
const MOST_BYTES: usize = 64 << 20;

/// The baseline answers for so many rows at a time.
const AT_ONCE: usize = 10_000;

/// The sample of training rows has a stream of its own.
const STREAM: u64 = 4;

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

/// Fits the baseline, adds its figures to the results and says what they are; where there is none, says why.
pub(crate) fn report(rows: &Dataset, of_test: Option<&Evaluation>, seed: u64, results: &mut Results) -> String {
    match compare(rows, of_test, seed) {
        Ok(comparison) => {
            results.add_figures(comparison.figures());
            comparison.describe()
        }
        Err(skipped) => format!("\nno baseline: {skipped}\n"),
    }
}

fn compare(rows: &Dataset, of_test: Option<&Evaluation>, seed: u64) -> Result<Comparison, Skipped> {
    let (Some(test), Some(evaluation)) = (&rows.test, of_test) else { return Err(Skipped::NoTestRows) };
    let n_classes = rows.labels.len();
    let started = Instant::now();
    let learnt = sample(&rows.train, n_classes, seed);
    let learnt = learnt.as_ref().unwrap_or(&rows.train);
    let fitted = baseline::fit(&copied(learnt, 0..learnt.len()), &learnt.labels, n_classes, &Settings::default())?;
    let seconds = started.elapsed().as_secs_f64();
    let model = evaluation.predictions(&test.labels)?;
    let chunks = (0..test.len()).step_by(AT_ONCE).map(|first| first..test.len().min(first + AT_ONCE));
    let logits: Vec<f32> = chunks.flat_map(|chunk| fitted.logits(&copied(test, chunk))).collect();
    let baseline = Predictions::from_logits(&test.labels, &logits, n_classes)?;
    Ok(Comparison {
        c: fitted.c(),
        rows: fitted.n_rows(),
        of_rows: rows.train.len(),
        seconds,
        difference: Intervals::of_difference(&model, &baseline, &Bootstrap::for_size(test.len(), 2 * n_classes))?,
        mcnemar: McNemar::of(&model, &baseline)?,
        model: ClassificationMetrics::of(&model),
        baseline: ClassificationMetrics::of(&baseline),
    })
}

/// A sample of the training rows where all of them are too many.
fn sample(train: &Split, n_classes: usize, seed: u64) -> Option<Split> {
    let bytes = train.texts.total_size() as usize;
    let affordable = match bytes / MOST_BYTES {
        0 => MOST_ROWS,
        _ => MOST_ROWS.min((train.len() as f64 * (MOST_BYTES as f64 / bytes as f64)) as usize),
    };
    if train.len() <= affordable {
        return None;
    }
    let chosen = dataset::split::sample(&train.labels, n_classes, affordable.max(1), seed, STREAM);
    Some(train.select(&chosen))
}

/// The texts of some rows, which the baseline takes from memory.
fn copied(rows: &Split, range: Range<usize>) -> Vec<String> {
    range.map(|row| rows.texts[row].to_owned()).collect()
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

    #[test]
    fn too_many_rows_are_sampled_and_no_others() {
        let split = |rows: usize, bytes: usize| {
            let texts = std::iter::repeat_n("x".repeat(bytes), rows).collect();
            Split::new("a.csv", texts, (0..rows as u32).map(|row| row % 2).collect(), 1..=rows as u32)
        };
        assert!(sample(&split(MOST_ROWS, 1), 2, 1).is_none());
        assert_eq!(sample(&split(MOST_ROWS + 1, 1), 2, 1).unwrap().len(), MOST_ROWS);
        let long = sample(&split(10, MOST_BYTES / 5), 2, 1).unwrap();
        assert_eq!((long.len(), long.labels.iter().sum::<u32>()), (5, 2));
    }
}
