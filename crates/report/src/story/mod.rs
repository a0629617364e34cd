//! A run as its folder tells it: read once, then only looked at.

mod calibration;
mod course;
mod findings;
mod measured;
mod predictions;
mod scores;
mod seeds;
mod suspects;

use std::fs;
use std::io;
use std::path::Path;

use indexmap::IndexMap;
use metrics::Metric;
use serde::de::DeserializeOwned;

pub use calibration::{Abstain, Answered, BeforeAfter, Calibration, Honesty, Threshold};
pub use course::{Course, Evaluated, Log, System};
pub use findings::{Check, Finding, FindingRow, FindingRows, Leaks, SeenIn, Severity};
pub use measured::Measured;
pub use predictions::Predicted;
pub use scores::{Difference, Score};
pub use seeds::{Seed, Seeds, Spread};
pub use suspects::{Suspect, Suspects};

use crate::Error;

/// The list of labels to look at again.
const SUSPECTS: &str = "suspect_labels.csv";

/// Everything that is known of a run.
#[derive(Clone, Debug)]
pub struct Story {
    /// What its journal tells.
    pub course: Course,
    /// The figures of `all_results.json`.
    pub results: IndexMap<String, f64>,
    /// The rows that it is judged by, and what was predicted of them.
    pub measured: Option<Measured>,
    /// Its scores, the one that decides first.
    pub scores: Vec<Score>,
    /// What was found in its data.
    pub check: Option<Check>,
    /// How its probabilities were calibrated.
    pub calibration: Option<Calibration>,
    /// Which labels somebody should look at again.
    pub suspects: Option<Suspects>,
    /// The same training under other seeds.
    pub seeds: Option<Seeds>,
    /// Where people find it on the web: names of trackers and addresses.
    pub urls: Vec<(String, String)>,
    /// Whether the model that it began from is a folder of this machine, and not a name on the Hub.
    pub began_from_folder: bool,
    /// What could not be read, a sentence each.
    pub unread: Vec<String>,
}

impl Story {
    /// Reads the run in `folder`, and `seeds.json` beside it. Only its journal has to be there; a file that is there and cannot be used is left out,
    /// and [`Story::unread`] says so.
    ///
    /// # Errors
    /// When there is no journal, or nothing in it can be read.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let journal = journal::read(folder)?;
        let mut unread = Vec::new();
        if journal.unreadable > 0 {
            unread.push(format!(
                "{} of the journal could not be read; what they told is missing here.",
                crate::numbers::plural(journal.unreadable, "line", "lines")
            ));
        }
        let course = Course::of(journal.records).ok_or_else(|| Error::Empty { folder: folder.to_owned() })?;
        let results = json::<serde_json::Map<String, serde_json::Value>>(folder, "all_results.json", &mut unread);
        let results = results.unwrap_or_default();
        let urls = results.iter().filter_map(|(name, value)| url(name, value)).collect();
        let results: IndexMap<String, f64> =
            results.into_iter().filter_map(|(name, value)| Some((name, value.as_f64()?))).collect();
        let check: Option<Check> = json(folder, "check.json", &mut unread);
        let measured = measured::find(folder, check.as_ref(), &results, &mut unread);
        let deciding = deciding(&course);
        let scores = scores::of(deciding, &results, measured.as_ref());
        let suspects = suspects::read(&folder.join(SUSPECTS)).unwrap_or_else(|reason| {
            unread.push(format!("{SUSPECTS} could not be read: {reason}."));
            None
        });
        Ok(Self {
            began_from_folder: Path::new(&course.run.model.source).exists(),
            course,
            results,
            measured,
            scores,
            check,
            calibration: json(folder, "calibration.json", &mut unread),
            suspects,
            seeds: seeds::read(folder, &mut unread),
            urls,
            unread,
        })
    }

    /// Names of the classes in the order of their ids.
    pub fn labels(&self) -> &[String] {
        match &self.measured {
            Some(measured) => &measured.labels,
            None => &self.course.run.data.labels,
        }
    }

    /// `test` or `validation`: the rows that the scores are of.
    pub fn split(&self) -> Option<&'static str> {
        if let Some(measured) = &self.measured {
            return Some(measured.split);
        }
        scores::split_of(&self.results).map(|(_, split)| split)
    }

    /// Whether the run has test rows, measured or not.
    pub(crate) fn has_test_rows(&self) -> bool {
        self.course.run.data.splits.get("test").is_some_and(|split| split.rows > 0)
    }

    /// The score that decides.
    pub fn deciding(&self) -> Option<&Score> {
        self.scores.first()
    }
}

/// The metric that a reader should judge by: the one that chose the weights, or macro F1 where that was a loss, which
/// says little to people.
fn deciding(course: &Course) -> Metric {
    let named = course.run.settings.get("metric_for_best_model").and_then(|name| name.as_str());
    let metric = named.and_then(|name| name.parse().ok());
    metric.filter(|metric: &Metric| metric.greater_is_better()).unwrap_or(Metric::F1)
}

/// The address of the run at a tracker, which results have as `mlflow_url`. Nothing but the web can be followed from a page.
fn url(name: &str, value: &serde_json::Value) -> Option<(String, String)> {
    let (place, url) = (name.strip_suffix("_url")?, value.as_str()?);
    let is_web = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    (is_web && !url.contains(char::is_whitespace)).then(|| (place.to_owned(), url.to_owned()))
}

/// A file of JSON, if it is there.
fn json<T: DeserializeOwned>(folder: &Path, name: &str, unread: &mut Vec<String>) -> Option<T> {
    let read = match fs::read(folder.join(name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => Err(error.to_string()),
        Ok(text) => serde_json::from_slice(&text).map_err(|error| error.to_string()),
    };
    read.map_err(|reason| unread.push(format!("{name} could not be read: {reason}."))).ok()
}
