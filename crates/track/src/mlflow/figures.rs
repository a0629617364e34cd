//! Metrics: names as the integration of `transformers` has them, times and steps as they were.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::{Point, Series};

/// The longest name (`mlflow.utils.validation.MAX_ENTITY_KEY_LENGTH` of 3.17).
const NAME: usize = 250;

/// One value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) time: SystemTime,
    pub(super) step: u64,
}

impl Metric {
    /// As a batch has it. What is no number in JSON goes as text, which is how protocol buffers spell it.
    pub(super) fn to_json(&self) -> Value {
        let value = match self.value {
            value if value.is_finite() => json!(value),
            value if value.is_nan() => json!("NaN"),
            value if value > 0.0 => json!("Infinity"),
            _ => json!("-Infinity"),
        };
        json!({ "key": self.name, "value": value, "timestamp": millis(self.time), "step": self.step })
    }
}

/// The metrics of one point. `memory_bytes` is what the machine has.
///
/// `loss`, `learning_rate`, `grad_norm` and `epoch` stand alone; `eval_` and `test_` name the split; figures of the
/// machine are where MLflow shows those of its own monitors.
pub(super) fn metrics(point: &Point, memory_bytes: Option<u64>) -> Vec<Metric> {
    let metric = |name: String, value: f64| Metric { name: valid(&name), value, time: point.time, step: point.step };
    let mut metrics: Vec<Metric> = match point.series {
        Series::Train => point.values.iter().map(|(name, value)| metric(name.clone(), *value)).collect(),
        Series::Eval | Series::Test => {
            let split = point.series.as_str();
            point.values.iter().map(|(name, value)| metric(format!("{split}_{name}"), *value)).collect()
        }
        Series::System => {
            system(&point.values, memory_bytes).into_iter().map(|(name, value)| metric(name, value)).collect()
        }
    };
    metrics.extend(point.epoch.map(|epoch| metric("epoch".to_owned(), epoch)));
    metrics
}

/// The memory of the machine has the names of `mlflow.system_metrics.metrics.cpu_monitor` of 3.17, where megabytes are
/// millions of bytes. What the process takes has names of the same manner: MLflow itself measures no process.
fn system(values: &[(String, f64)], memory_bytes: Option<u64>) -> Vec<(String, f64)> {
    let mut named = Vec::new();
    for (name, value) in values {
        match (name.as_str(), memory_bytes) {
            ("cpu_percent", _) => named.push(("system/process_cpu_percentage".to_owned(), *value)),
            ("memory_bytes", _) => named.push(("system/process_memory_rss_megabytes".to_owned(), value / 1e6)),
            ("memory_available_bytes", Some(all)) if all > 0 => {
                let used = (all as f64 - value).max(0.0);
                named.push(("system/system_memory_usage_megabytes".to_owned(), used / 1e6));
                named.push(("system/system_memory_usage_percentage".to_owned(), 100.0 * used / all as f64));
            }
            (other, _) => named.push((format!("system/{other}"), *value)),
        }
    }
    named
}

/// The figures of the whole run that are not the last value of their metric already.
pub(super) fn results(
    results: &journal::Metrics,
    latest: &BTreeMap<String, f64>,
    time: SystemTime,
    step: u64,
) -> Vec<Metric> {
    results
        .iter()
        .map(|(name, value)| Metric { name: valid(name), value: *value, time, step })
        .filter(|metric| latest.get(&metric.name) != Some(&metric.value))
        .collect()
}

/// A name that MLflow takes: letters, digits, `_-./ ` and space, and such that it could be a path. Class names are in
/// some of them, and those can be anything.
pub(super) fn valid(name: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || "_-./ ".contains(c);
    let name: String = name.chars().take(NAME).map(|c| if allowed(c) { c } else { '_' }).collect();
    let is_path = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if is_path { name } else { name.replace(['/', '.'], "_") }
}

/// Milliseconds since 1970, as MLflow counts.
pub(super) fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn point(series: Series, values: &[(&str, f64)]) -> Point {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        Point { time: UNIX_EPOCH + Duration::from_millis(1234), step: 7, epoch: Some(0.5), series, values }
    }

    fn named(metrics: &[Metric]) -> Vec<(&str, f64)> {
        metrics.iter().map(|metric| (metric.name.as_str(), metric.value)).collect()
    }

    #[test]
    fn names_are_those_of_transformers() {
        let train = metrics(&point(Series::Train, &[("loss", 0.5), ("learning_rate", 1e-5)]), None);
        assert_eq!(named(&train), [("loss", 0.5), ("learning_rate", 1e-5), ("epoch", 0.5)]);
        let test = metrics(&point(Series::Test, &[("f1", 0.75)]), None);
        assert_eq!(named(&test), [("test_f1", 0.75), ("epoch", 0.5)]);
        assert_eq!(test[0].to_json(), json!({"key": "test_f1", "value": 0.75, "timestamp": 1234, "step": 7}));
    }

    #[test]
    fn names_of_the_machine_are_those_of_mlflow() {
        let values = [("cpu_percent", 150.0), ("memory_bytes", 2e9), ("memory_available_bytes", 6e9)];
        let mut system = point(Series::System, &values);
        system.epoch = None;
        let expected = [
            ("system/process_cpu_percentage", 150.0),
            ("system/process_memory_rss_megabytes", 2000.0),
            ("system/system_memory_usage_megabytes", 2000.0),
            ("system/system_memory_usage_percentage", 25.0),
        ];
        assert_eq!(named(&metrics(&system, Some(8_000_000_000))), expected);
        assert_eq!(named(&metrics(&system, None))[2], ("system/memory_available_bytes", 6e9));
    }

    #[test]
    fn what_json_has_no_number_for_goes_as_text() {
        for (value, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "Infinity"), (f64::NEG_INFINITY, "-Infinity")] {
            let metric = Metric { name: "loss".into(), value, time: UNIX_EPOCH, step: 0 };
            assert_eq!(metric.to_json()["value"], text);
        }
    }

    #[test]
    fn any_class_may_be_in_a_name() {
        assert_eq!(valid("f1_spam (äöü): 50%"), "f1_spam _äöü__ 50_");
        assert_eq!(valid("f1_a/b"), "f1_a/b");
        assert_eq!(valid("f1_a//b"), "f1_a__b");
        assert_eq!(valid("../x"), "___x");
        assert_eq!(valid(&"x".repeat(300)).len(), 250);
    }

    #[test]
    fn results_that_are_known_are_not_said_twice() {
        let said: journal::Metrics =
            [("test_f1".to_owned(), 0.5), ("train_loss".to_owned(), 0.1)].into_iter().collect();
        let latest = [("test_f1".to_owned(), 0.5)].into_iter().collect();
        assert_eq!(named(&results(&said, &latest, UNIX_EPOCH, 9)), [("train_loss", 0.1)]);
    }
}
