//! The scores of a run, each with what it takes to judge it: interval, baseline, and the same without seen rows.

use indexmap::IndexMap;
use metrics::{Interval, Metric};

use super::Measured;

/// What a report shows of all metrics, in this order, behind the one that decides.
const SHOWN: [Metric; 5] = [Metric::F1, Metric::Accuracy, Metric::MatthewsCorrelation, Metric::RocAuc, Metric::LogLoss];

/// A score.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Which.
    pub metric: Metric,
    /// What it is.
    pub value: f64,
    /// Its 95% interval.
    pub interval: Option<(f64, f64)>,
    /// What the linear baseline has on the same rows.
    pub baseline: Option<f64>,
    /// How much more that is than the baseline has.
    pub difference: Option<Difference>,
    /// The same without the rows that were seen before, and its interval.
    pub unseen: Option<(f64, Option<(f64, f64)>)>,
}

/// How much larger one figure is than another on the same rows, with its 95% interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// How much.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Difference {
    /// What stands behind the ±.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// The prefix of the scores in `all_results.json`, and the split that it stands for: test where there are such.
pub(super) fn split_of(results: &IndexMap<String, f64>) -> Option<(&'static str, &'static str)> {
    let known = [("test_", "test"), ("eval_", "validation")];
    known.into_iter().find(|(prefix, _)| results.contains_key(&format!("{prefix}accuracy")))
}

/// The scores, the one that decides first.
pub(super) fn of(deciding: Metric, results: &IndexMap<String, f64>, measured: Option<&Measured>) -> Vec<Score> {
    let prefix = match measured {
        Some(measured) if measured.split == "test" => "test_",
        Some(_) => "eval_",
        None => split_of(results).map_or("test_", |(prefix, _)| prefix),
    };
    let others = SHOWN.into_iter().filter(|metric| *metric != deciding);
    let written = |name: String| results.get(&name).copied();
    let ends = |interval: Interval| (interval.low, interval.high);
    let score = |metric: Metric| {
        let name = metric.name();
        let computed = measured.and_then(|measured| measured.metrics.value(metric));
        let over = format!("{prefix}over_baseline_{name}");
        Some(Score {
            metric,
            // What was computed from the rows is of the rows that everything else on the page is of.
            value: computed.or_else(|| written(format!("{prefix}{name}")))?,
            interval: written(format!("{prefix}{name}_low"))
                .zip(written(format!("{prefix}{name}_high")))
                .or_else(|| measured.and_then(|measured| measured.intervals.as_ref()?.get(metric)).map(ends)),
            baseline: written(format!("{prefix}baseline_{name}")),
            difference: written(over.clone()).and_then(|value| {
                let (low, high) = (written(format!("{over}_low"))?, written(format!("{over}_high"))?);
                Some(Difference { value, low, high })
            }),
            unseen: measured.and_then(|measured| {
                let unseen = measured.unseen.as_ref()?;
                let interval = unseen.intervals.as_ref().and_then(|intervals| intervals.get(metric)).map(ends);
                Some((unseen.metrics.value(metric)?, interval))
            }),
        })
    };
    std::iter::once(deciding).chain(others).filter_map(score).collect()
}
