//! The result files of a run, as the Trainer's example scripts write them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::metrics::Intervals;
use crate::speed::speed;
use crate::{Error, Evaluation, Outcome};

/// The file of all of them.
const ALL: &str = "all_results.json";

/// `train_results.json`, `eval_results.json`, `test_results.json` and all of them in `all_results.json`.
#[derive(Clone, Debug, Default)]
pub struct Results {
    all: Map<String, Value>,
}

impl Results {
    /// Adds what training gave over `samples` rows.
    pub fn add_training(&mut self, outcome: &Outcome, samples: usize) {
        let last = outcome.state.log_history.last().cloned().unwrap_or_default();
        let figures = last.into_iter().filter(|(name, _)| name.starts_with("train_") || name == "epoch");
        self.all.extend(figures);
        self.all.insert("train_samples".into(), json!(samples));
    }

    /// Adds a measurement under the prefix `eval` or `test`.
    pub fn add_evaluation(&mut self, split: journal::Split, evaluation: &Evaluation, samples: usize) {
        for (name, value) in evaluation.named() {
            self.all.insert(format!("{split}_{name}"), json!(value));
        }
        self.all.extend(speed(split.as_str(), evaluation.runtime, samples as u64, evaluation.batches as u64));
        self.all.insert(format!("{split}_samples"), json!(samples));
    }

    /// Adds the bounds of a measurement's scores as `test_f1_low` and `test_f1_high`. They are plain numbers like all the
    /// others, because those who read these files know nothing else: trackers log each, `save_metrics` adds to them.
    pub fn add_intervals(&mut self, split: journal::Split, intervals: &Intervals) {
        self.all.extend(intervals.to_json(&format!("{split}_")));
    }

    /// Adds other figures under their whole names.
    pub fn add_figures(&mut self, figures: impl IntoIterator<Item = (String, f64)>) {
        self.all.extend(figures.into_iter().map(|(name, value)| (name, json!(value))));
    }

    /// Adds where people find the run on the web, by the name of the place: `mlflow_url`. The only ones that are no figures.
    pub fn add_urls(&mut self, urls: impl IntoIterator<Item = (String, String)>) {
        self.all.extend(urls.into_iter().map(|(place, url)| (format!("{place}_url"), json!(url))));
    }

    /// All figures by name.
    #[must_use]
    pub fn all(&self) -> &Map<String, Value> {
        &self.all
    }

    /// The figures that are numbers, for the journal.
    #[must_use]
    pub fn named(&self) -> journal::Metrics {
        self.all.iter().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
    }

    /// Writes the files into `output`.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn write(&self, output: &Path) -> Result<(), Error> {
        for split in ["train", "eval", "test"] {
            let belongs = |name: &str| name.starts_with(&format!("{split}_")) || (name == "epoch" && split != "test");
            let part: Map<_, _> = self.all.clone().into_iter().filter(|(name, _)| belongs(name)).collect();
            if part.keys().any(|name| name != "epoch") {
                write_sorted(&output.join(format!("{split}_results.json")), part)?;
            }
        }
        self.write_all(output)
    }

    /// Whole and last: this file says that the run is finished.
    fn write_all(&self, output: &Path) -> Result<(), Error> {
        let beside = output.join(".all_results.json.tmp");
        write_sorted(&beside, self.all.clone())?;
        let target = output.join(ALL);
        fs::rename(&beside, &target).map_err(Error::write(&target))
    }
}

/// Adds addresses to the results that stand in `output`, as [`Results::add_urls`] does: of places that were out of reach
/// when they were written. Where there are none yet, or nothing is new, nothing is written.
///
/// # Errors
/// Where the file is damaged, or the system refuses.
pub fn add_urls(output: &Path, urls: impl IntoIterator<Item = (String, String)>) -> Result<(), Error> {
    let path = output.join(ALL);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text.map_err(Error::io("read", &path))?,
    };
    let damaged = |error: serde_json::Error| Error::State { path: path.clone(), found: error.to_string() };
    let before: Map<String, Value> = serde_json::from_slice(&text).map_err(damaged)?;
    let mut results = Results { all: before.clone() };
    results.add_urls(urls);
    if results.all == before { Ok(()) } else { results.write_all(output) }
}

fn write_sorted(path: &Path, mut figures: Map<String, Value>) -> Result<(), Error> {
    figures.sort_keys();
    let mut text = Vec::new();
    let indented = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, indented);
    serde::Serialize::serialize(&figures, &mut serializer)
        .map_err(|error| Error::State { path: path.to_owned(), found: error.to_string() })?;
    let write = || {
        let mut file = fs::File::create(path)?;
        file.write_all(&text)?;
        file.sync_all()
    };
    write().map_err(Error::write(path))
}
