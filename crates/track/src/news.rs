//! What is new in a journal, as places want it: figures at steps apart from everything else.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use journal::{Event, Record, RunInfo, Split};
use serde::{Deserialize, Serialize};

/// What has happened since the last delivery.
#[derive(Clone, Debug)]
pub struct News<'a> {
    /// The run's folder.
    pub folder: &'a Path,
    /// What the run is; of several attempts, the last that is known.
    pub run: &'a RunInfo,
    /// The new records, in order. Figures at steps are in `points`.
    pub records: &'a [Record],
    /// The new figures, in order, without those that a resumed run computed a second time.
    pub points: Vec<Point>,
}

/// What figures are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Series {
    /// Training: `loss`, `learning_rate`, `grad_norm`, `tokens_per_second`.
    Train,
    /// An evaluation on validation rows.
    Eval,
    /// An evaluation on test rows.
    Test,
    /// The machine: `cpu_percent`, `memory_bytes`, `memory_available_bytes`.
    System,
}

impl Series {
    /// `train`, `eval`, `test` or `system`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Eval => "eval",
            Self::Test => "test",
            Self::System => "system",
        }
    }
}

/// Figures at one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// When they were measured.
    pub time: SystemTime,
    /// Training steps done before.
    pub step: u64,
    /// Passes over the training rows before; machine figures have none.
    pub epoch: Option<f64>,
    /// What they are of.
    pub series: Series,
    /// Figures by name, without any prefix; some may be infinite or not a number.
    pub values: Vec<(String, f64)>,
}

/// The last step of each series that a place has.
pub(crate) type LastSteps = BTreeMap<Series, u64>;

/// The figures of `records`, without those that a place has already: a resumed run computes some a second time, to the
/// same bits.
pub(crate) fn points(records: &[Record], last: &mut LastSteps) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for point in records.iter().filter_map(point) {
        if last.get(&point.series).is_none_or(|last| point.step > *last) {
            last.insert(point.series, point.step);
            points.push(point);
        }
    }
    points
}

fn point(record: &Record) -> Option<Point> {
    let time = record.time;
    let named = |values: &[(&str, f64)]| values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    match &record.event {
        &Event::Log { step, epoch, loss, learning_rate, grad_norm, tokens_per_second } => {
            let values = named(&[
                ("loss", loss),
                ("learning_rate", learning_rate),
                ("grad_norm", grad_norm),
                ("tokens_per_second", tokens_per_second),
            ]);
            Some(Point { time, step, epoch: Some(epoch), series: Series::Train, values })
        }
        Event::Evaluate { split, step, epoch, metrics, runtime } => {
            let series = match split {
                Split::Eval => Series::Eval,
                Split::Test => Series::Test,
            };
            let mut values: Vec<_> = metrics.iter().map(|(name, value)| (name.clone(), *value)).collect();
            values.push(("runtime".to_owned(), *runtime));
            Some(Point { time, step: *step, epoch: Some(*epoch), series, values })
        }
        &Event::System { step, cpu_percent, memory_bytes, memory_available_bytes } => {
            let values = named(&[
                ("cpu_percent", cpu_percent),
                ("memory_bytes", memory_bytes as f64),
                ("memory_available_bytes", memory_available_bytes as f64),
            ]);
            Some(Point { time, step, epoch: None, series: Series::System, values })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(sequence: u64, attempt: u32, step: u64) -> Record {
        let event = Event::Log {
            step,
            epoch: 0.5,
            loss: step as f64,
            learning_rate: 0.1,
            grad_norm: 1.0,
            tokens_per_second: 10.0,
        };
        Record { sequence, attempt, time: SystemTime::UNIX_EPOCH, event }
    }

    #[test]
    fn what_a_resumed_run_says_again_is_no_news() {
        let mut last = LastSteps::new();
        let steps = |records: &[Record], last: &mut LastSteps| -> Vec<u64> {
            points(records, last).iter().map(|point| point.step).collect()
        };
        assert_eq!(steps(&[log(1, 1, 10), log(2, 1, 20)], &mut last), [10, 20]);
        assert_eq!(steps(&[log(3, 2, 15), log(4, 2, 20), log(5, 2, 25)], &mut last), [25]);
        assert_eq!(last[&Series::Train], 25);
    }

    #[test]
    fn an_evaluation_is_a_point_of_its_split() {
        let metrics = [("f1".to_owned(), 0.5)].into_iter().collect();
        let event = Event::Evaluate { split: Split::Test, step: 7, epoch: 1.0, metrics, runtime: 2.0 };
        let record = Record { sequence: 1, attempt: 1, time: SystemTime::UNIX_EPOCH, event };
        let found = points(&[record], &mut LastSteps::new());
        assert_eq!((found[0].series, found[0].step), (Series::Test, 7));
        assert_eq!(found[0].values, [("f1".to_owned(), 0.5), ("runtime".to_owned(), 2.0)]);
    }
}
