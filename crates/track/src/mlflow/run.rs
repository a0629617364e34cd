//! The run there: named by the environment, found again, or made.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ureq::http::Method;

use super::artifacts::encoded;
use super::client::Client;
use super::description::{RUN_ID, tag};
use super::figures::millis;
use super::settings::{Experiment, Settings};
use crate::{News, PlaceError};

/// A run that the server knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) experiment_id: String,
    pub(super) run_id: String,
    /// Where its files are kept.
    pub(super) root: String,
}

/// The run that the news are about. One that was made before its id could be written down is found by its tag.
///
/// # Errors
/// An outage or a refusal.
pub(super) fn find_or_make(client: &mut Client, settings: &Settings, news: &News<'_>) -> Result<Run, PlaceError> {
    if let Some(id) = &settings.run_id {
        let found = client.call(Method::GET, &format!("runs/get?run_id={}", encoded(id)), None)?;
        return read(&found["run"]);
    }
    let experiment_id = match &settings.experiment {
        Experiment::Id(id) => id.clone(),
        Experiment::Name(name) => experiment(client, name)?,
    };
    match find(client, &experiment_id, &news.run.run_id)? {
        Some(run) => Ok(run),
        None => make(client, settings, &experiment_id, news),
    }
}

fn experiment(client: &mut Client, name: &str) -> Result<String, PlaceError> {
    if let Some(id) = experiment_named(client, name)? {
        return Ok(id);
    }
    match client.call(Method::POST, "experiments/create", Some(&json!({ "name": name }))) {
        // Somebody was faster.
        Err(failure) if failure.code == "RESOURCE_ALREADY_EXISTS" => experiment_named(client, name)?
            .ok_or_else(|| PlaceError::outage(format!("the experiment {name:?} exists and is not found"))),
        made => text(&made?["experiment_id"], "experiment_id"),
    }
}

fn experiment_named(client: &mut Client, name: &str) -> Result<Option<String>, PlaceError> {
    let call = format!("experiments/get-by-name?experiment_name={}", encoded(name).replace('/', "%2F"));
    let found = match client.call(Method::GET, &call, None) {
        Err(failure) if failure.code == "RESOURCE_DOES_NOT_EXIST" => return Ok(None),
        found => found?,
    };
    let experiment = &found["experiment"];
    if experiment["lifecycle_stage"] == "deleted" {
        return Err(PlaceError::refused(format!(
            "the experiment {name:?} is deleted there; restore it or name another"
        )));
    }
    text(&experiment["experiment_id"], "experiment_id").map(Some)
}

fn find(client: &mut Client, experiment_id: &str, run_id: &str) -> Result<Option<Run>, PlaceError> {
    let body = json!({
        "experiment_ids": [experiment_id],
        "filter": format!("tags.`{RUN_ID}` = '{}'", run_id.replace('\'', "")),
        "run_view_type": "ACTIVE_ONLY",
        "max_results": 1,
    });
    let found = client.call(Method::POST, "runs/search", Some(&body))?;
    found["runs"].get(0).map(read).transpose()
}

fn make(client: &mut Client, settings: &Settings, experiment_id: &str, news: &News<'_>) -> Result<Run, PlaceError> {
    let body = json!({
        "experiment_id": experiment_id,
        "run_name": settings.run_name.as_ref().unwrap_or(&news.run.name),
        "start_time": news.records.first().map(|record| millis(record.time)),
        // By this it is found, should nobody hear of it.
        "tags": [tag(RUN_ID, &news.run.run_id)],
    });
    let made = client.call(Method::POST, "runs/create", Some(&body))?;
    read(&made["run"])
}

fn read(run: &Value) -> Result<Run, PlaceError> {
    let get = |key: &str| text(&run["info"][key], key);
    Ok(Run { experiment_id: get("experiment_id")?, run_id: get("run_id")?, root: get("artifact_uri")? })
}

fn text(value: &Value, what: &str) -> Result<String, PlaceError> {
    let missing = || PlaceError::outage(format!("the answer has no {what}: is it an MLflow server?"));
    value.as_str().map(str::to_owned).ok_or_else(missing)
}
