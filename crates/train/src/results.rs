//! The result files of a run, as the Trainer's example scripts write them.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::speed::speed;
use crate::{Error, Evaluation, Outcome};

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

    /// All figures by name.
    #[must_use]
    pub fn all(&self) -> &Map<String, Value> {
        &self.all
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
        // Whole and last: this file says that the run is finished.
        let beside = output.join(".all_results.json.tmp");
        write_sorted(&beside, self.all.clone())?;
        let target = output.join("all_results.json");
        fs::rename(&beside, &target).map_err(Error::write(&target))
    }
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
