//! What of the news becomes a line: the history, the figures of the machine, the summary. The same for every way there.

use std::collections::BTreeMap;
use std::time::SystemTime;

use journal::{Event, RunStatus};
use serde::{Deserialize, Serialize};

use crate::{News, Point, Series};

/// The figure that every other one is drawn over, as the integration of `transformers` has it.
pub(super) const GLOBAL_STEP: &str = "train/global_step";

/// What the integration of `transformers` keeps under its plain name, because it is said once.
const SINGLE: [&str; 5] =
    ["train_runtime", "train_samples_per_second", "train_steps_per_second", "train_loss", "total_flos"];

/// Figures by name, each as JSON. Infinities and what is not a number are the words that Python's `json` has for them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row(pub(super) Vec<(String, String)>);

impl Row {
    fn number(&mut self, name: &str, value: f64) {
        self.0.push((name.to_owned(), number(value)));
    }

    /// The object that it is.
    pub(super) fn to_json(&self) -> String {
        object(self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// A JSON object of values that are JSON already.
pub(super) fn object<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{}:{value}", serde_json::Value::from(name))).collect();
    format!("{{{}}}", pairs.join(","))
}

fn number(value: f64) -> String {
    match value {
        _ if value.is_finite() => serde_json::Value::from(value).to_string(),
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value > 0.0 => "Infinity".to_owned(),
        _ => "-Infinity".to_owned(),
    }
}

/// What the lines so far were: enough to write the next ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rows {
    /// When the run began, in seconds since 1970.
    pub(super) begin: Option<f64>,
    /// When it was gone on with, and how long it had rested then.
    pauses: Vec<(f64, f64)>,
    /// When something was said last.
    last: f64,
    /// `_step` of the next line.
    pub(super) step: u64,
    /// Lines of the history.
    pub(super) history_lines: u64,
    /// Lines of the machine's figures.
    pub(super) event_lines: u64,
    /// The last value of each figure, and the results; each as JSON.
    pub(super) summary: BTreeMap<String, String>,
}

/// What is new.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fresh {
    pub(super) history: Vec<Row>,
    /// Figures of the machine, without their prefix `system.`, and their time.
    pub(super) events: Vec<(f64, Row)>,
    /// Names in the summary whose value is new.
    pub(super) summary: Vec<String>,
    /// Whether an attempt began.
    pub(super) begins: bool,
    /// How the last attempt ended, if it did.
    pub(super) end: Option<RunStatus>,
}

impl Rows {
    /// Turns news into lines, each once.
    pub(super) fn take(&mut self, news: &News<'_>) -> Fresh {
        let mut fresh = Fresh::default();
        let mut results = Vec::new();
        for record in news.records {
            let time = seconds(record.time);
            let begin = *self.begin.get_or_insert(time);
            match &record.event {
                Event::RunBegin(_) => {
                    fresh.begins = true;
                    fresh.end = None;
                    if time > begin {
                        self.pauses.push((time, time - self.last));
                    }
                }
                Event::TrainEnd { train_runtime, train_loss, best_step, best_metric, .. } => {
                    results.extend([("train_runtime", *train_runtime), ("train_loss", *train_loss)].map(named));
                    results.extend(best_step.map(|step| named(("best_step", step as f64))));
                    results.extend(best_metric.map(|metric| named(("best_metric", metric))));
                }
                Event::Results { results: all } => {
                    results.extend(all.iter().map(|(name, value)| (summary_name(name), *value)));
                }
                Event::RunEnd { status, .. } => fresh.end = Some(*status),
                _ => {}
            }
            self.last = time;
        }
        for point in &news.points {
            match point.series {
                Series::System => fresh.events.push((
                    seconds(point.time),
                    machine(point, news.run.machine.threads, news.run.machine.memory_bytes),
                )),
                _ => fresh.history.push(self.line(point)),
            }
        }
        self.history_lines += fresh.history.len() as u64;
        self.event_lines += fresh.events.len() as u64;
        let mut changed = Vec::new();
        let values = fresh.history.iter().flat_map(|row| row.0.iter().cloned());
        for (name, value) in values.chain(results.into_iter().map(|(name, value)| (name, number(value)))) {
            if self.summary.get(&name) != Some(&value) {
                self.summary.insert(name.clone(), value);
                changed.push(name);
            }
        }
        if !changed.is_empty() || fresh.end.is_some() {
            // Where the server finds how long the run took.
            self.summary.insert("_wandb".to_owned(), format!("{{\"runtime\":{}}}", self.runtime(self.last) as u64));
            changed.push("_wandb".to_owned());
        }
        changed.sort_unstable();
        changed.dedup();
        fresh.summary = changed;
        fresh
    }

    /// A line of the history, as the integration of `transformers` writes it.
    fn line(&mut self, point: &Point) -> Row {
        let mut row = Row::default();
        let prefix = point.series.as_str();
        for (name, value) in &point.values {
            row.number(&format!("{prefix}/{name}"), *value);
        }
        if let Some(epoch) = point.epoch {
            row.number("train/epoch", epoch);
        }
        let time = seconds(point.time);
        row.0.push((GLOBAL_STEP.to_owned(), point.step.to_string()));
        row.0.push(("_step".to_owned(), self.step.to_string()));
        row.number("_runtime", self.runtime(time));
        row.number("_timestamp", time);
        self.step += 1;
        row
    }

    /// How long the run had been at work at `time`.
    pub(super) fn runtime(&self, time: f64) -> f64 {
        let rested: f64 = self.pauses.iter().filter(|(resumed, _)| *resumed <= time).map(|(_, rest)| rest).sum();
        (time - self.begin.unwrap_or(time) - rested).max(0.0)
    }

    /// How long the run has been at work by now.
    pub(super) fn whole_runtime(&self) -> f64 {
        self.runtime(self.last)
    }

    /// The summary as a JSON object.
    pub(super) fn summary_json(&self) -> String {
        object(self.summary.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

fn named((name, value): (&str, f64)) -> (String, f64) {
    (name.to_owned(), value)
}

/// The name of a result: `eval/f1` for `eval_f1`, as the history has it.
fn summary_name(name: &str) -> String {
    if SINGLE.contains(&name) {
        return name.to_owned();
    }
    match (name.strip_prefix("eval_"), name.strip_prefix("test_"), name) {
        (Some(rest), _, _) => format!("eval/{rest}"),
        (_, Some(rest), _) => format!("test/{rest}"),
        (_, _, "epoch") => "train/epoch".to_owned(),
        _ => name.to_owned(),
    }
}

/// The figures of the machine under the names that the server draws charts of.
fn machine(point: &Point, threads: u64, memory_bytes: Option<u64>) -> Row {
    const MIB: f64 = (1 << 20) as f64;
    let mut row = Row::default();
    let total = memory_bytes.filter(|&bytes| bytes > 0).map(|bytes| bytes as f64);
    for (name, value) in &point.values {
        match name.as_str() {
            // A share of the threads that compute, where 100 means that all of them do.
            "cpu_percent" => row.number("cpu", value / threads.max(1) as f64),
            "memory_bytes" => {
                row.number("proc.memory.rssMB", value / MIB);
                if let Some(total) = total {
                    row.number("proc.memory.percent", value / total * 100.0);
                }
            }
            "memory_available_bytes" => {
                row.number("proc.memory.availableMB", value / MIB);
                if let Some(total) = total {
                    row.number("memory_percent", (1.0 - value / total) * 100.0);
                }
            }
            other => row.number(other, *value),
        }
    }
    row
}

/// Seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// What holds, and what held before the last delivery, which began with the record of that number. Should the same news
/// come again, because it could not be noted that they had arrived, they become the same lines again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Remembered<T> {
    pub(super) now: T,
    last: (u64, T),
}

impl<T: Clone> Remembered<T> {
    /// What held before news that begin with the record `first`.
    pub(super) fn before(&self, first: u64) -> &T {
        if self.last.0 == first { &self.last.1 } else { &self.now }
    }

    /// What holds after them.
    pub(super) fn advance(&mut self, first: u64, now: T) {
        let before = self.before(first).clone();
        self.last = (first, before);
        self.now = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_of_json_is_a_word_of_python() {
        let mut row = Row::default();
        for (name, value) in [("a", 0.5), ("b\"", f64::NAN), ("c", f64::INFINITY), ("d", f64::NEG_INFINITY)] {
            row.number(name, value);
        }
        assert_eq!(row.to_json(), r#"{"a":0.5,"b\"":NaN,"c":Infinity,"d":-Infinity}"#);
    }

    #[test]
    fn results_are_named_as_the_history_names_them() {
        let named = ["eval_f1", "test_loss", "epoch", "train_loss", "train_samples"].map(summary_name);
        assert_eq!(named, ["eval/f1", "test/loss", "train/epoch", "train_loss", "train_samples"]);
    }

    #[test]
    fn what_held_before_is_remembered_until_other_news_come() {
        let mut remembered = Remembered { now: 1, last: (0, 0) };
        remembered.advance(5, 2);
        assert_eq!((*remembered.before(5), *remembered.before(6)), (1, 2));
        remembered.advance(5, 3);
        assert_eq!((*remembered.before(5), *remembered.before(6)), (1, 3));
    }
}
