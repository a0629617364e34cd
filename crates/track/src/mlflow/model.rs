//! The trained model: a logged model of MLflow 3, or files of the run on servers that do not know those.

use std::path::Path;
use std::time::SystemTime;

use journal::RunInfo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ureq::http::Method;

use super::artifacts::{Owner, Shelf};
use super::client::{Client, Failure};
use super::description::{self, RUN_ID, cut, entry};
use super::flavor::{Names, Packed, pack};
use crate::PlaceError;
use crate::http::Content;

/// Its name; `runs:/RUN/model` finds it, wherever it is kept.
const NAME: &str = "model";

/// Tells the models of a resumed run apart, and finds one whose id was never written down.
const SEQUENCE: &str = "tunesmith.sequence";

/// Params that one call takes.
const PARAMS: usize = 100;
/// The longest value of one (`mlflow.entities.LoggedModelParameter` of 3.17 is kept in 5000 characters).
const PARAM: usize = 5000;

/// A model that the server knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Logged {
    pub(super) id: String,
    pub(super) root: String,
    /// The line of the journal that it belongs to.
    pub(super) sequence: u64,
}

/// What a model belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'a> {
    pub(super) run: &'a RunInfo,
    pub(super) run_id: &'a str,
    pub(super) experiment_id: &'a str,
    /// Root of the run's own files.
    pub(super) root: &'a str,
    pub(super) databricks: bool,
    pub(super) sequence: u64,
    pub(super) step: u64,
    pub(super) made: SystemTime,
}

/// The logged model of this origin: found again, or made. `None` where the server knows no such thing.
///
/// # Errors
/// An outage or a refusal.
pub(super) fn find_or_make(client: &mut Client, origin: &Origin<'_>) -> Result<Option<Logged>, PlaceError> {
    let search = json!({
        "experiment_ids": [origin.experiment_id],
        "filter": format!("source_run_id = '{}'", origin.run_id),
        "max_results": 50,
    });
    let found = match client.call(Method::POST, "logged-models/search", Some(&search)) {
        Err(failure) if failure.is_unknown_call() => return Ok(None),
        // A server that cannot search so may still make one; at worst there are two.
        Err(failure) if failure.is_about_values() => Value::Null,
        found => found?,
    };
    let sequence = origin.sequence.to_string();
    let ours = |model: &&Value| {
        let tag = |key: &str, value: &str| {
            model["info"]["tags"].as_array().into_iter().flatten().any(|tag| tag["key"] == key && tag["value"] == value)
        };
        tag(RUN_ID, &origin.run.run_id) && tag(SEQUENCE, &sequence)
    };
    if let Some(model) = found["models"].as_array().into_iter().flatten().find(ours) {
        return logged(model, origin.sequence).map(Some);
    }
    let make = json!({
        "experiment_id": origin.experiment_id,
        "name": NAME,
        "source_run_id": origin.run_id,
        "tags": [entry(RUN_ID, &origin.run.run_id), entry(SEQUENCE, &sequence)],
    });
    match client.call(Method::POST, "logged-models", Some(&make)) {
        Err(failure) if failure.is_unknown_call() => Ok(None),
        made => logged(&made?["model"], origin.sequence).map(Some),
    }
}

fn logged(model: &Value, sequence: u64) -> Result<Logged, PlaceError> {
    let text = |key: &str| model["info"][key].as_str().map(str::to_owned);
    match (text("model_id"), text("artifact_uri")) {
        (Some(id), Some(root)) => Ok(Logged { id, root, sequence }),
        _ => Err(PlaceError::outage(format!("logged-models: the answer has no model_id or artifact_uri: {model}"))),
    }
}

/// Brings the checkpoint in `folder` there: files, params, the link from its run, and last that it is ready. All of this
/// may be done a second time.
///
/// # Errors
/// An outage or a refusal.
pub(super) fn send(
    client: &mut Client,
    origin: &Origin<'_>,
    logged: Option<&Logged>,
    folder: &Path,
    alive: &dyn Fn(),
) -> Result<(), Failure> {
    let names = Names {
        run_id: origin.run_id,
        model_id: logged.map(|logged| logged.id.as_str()),
        source: &origin.run.model.source,
    };
    let Some(packed) = pack(folder, names, &example(folder), origin.made) else {
        return Err(PlaceError::refused(format!("{} holds no checkpoint", folder.display())).into());
    };
    let Some(logged) = logged else {
        let shelf = Shelf { owner: Owner::Run(origin.run_id), root: origin.root, databricks: origin.databricks };
        return put(client, &shelf, &format!("{NAME}/"), &packed, alive);
    };
    let outputs = json!({ "run_id": origin.run_id, "models": [{ "model_id": logged.id, "step": origin.step }] });
    client.call(Method::POST, "runs/outputs", Some(&outputs))?;
    let params: Vec<Value> = description::params(origin.run)
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| entry(&name, &cut(&value, PARAM)))
        .collect();
    for params in params.chunks(PARAMS) {
        let body = json!({ "model_id": logged.id, "params": params });
        match client.call(Method::POST, &format!("logged-models/{}/params", logged.id), Some(&body)) {
            // They are those of the run, which has them; a second time they are refused.
            Err(failure) if failure.is_about_values() || failure.is_unknown_call() => {}
            done => drop(done?),
        }
    }
    let shelf = Shelf { owner: Owner::Model(&logged.id), root: &logged.root, databricks: origin.databricks };
    let sent = put(client, &shelf, "", &packed, alive);
    let status = match &sent {
        Ok(()) => "LOGGED_MODEL_READY",
        Err(Failure { error: PlaceError::Refused { .. }, .. }) => "LOGGED_MODEL_UPLOAD_FAILED",
        Err(_) => return sent,
    };
    let body = json!({ "model_id": logged.id, "status": status });
    client.call(Method::PATCH, &format!("logged-models/{}", logged.id), Some(&body))?;
    sent
}

fn put(client: &mut Client, shelf: &Shelf<'_>, before: &str, packed: &Packed, alive: &dyn Fn()) -> Result<(), Failure> {
    for (file, path) in &packed.files {
        shelf.put(client, &format!("{before}{path}"), Content::File(file), alive)?;
    }
    for (path, text) in &packed.texts {
        shelf.put(client, &format!("{before}{path}"), Content::Bytes(text.as_bytes()), alive)?;
    }
    Ok(())
}

/// A text such as the model was made for: one that it was measured on.
fn example(folder: &Path) -> String {
    ["validation_predictions.csv", "test_predictions.csv"]
        .into_iter()
        .find_map(|name| {
            let mut rows = csv::Reader::from_path(folder.join(name)).ok()?;
            let column = rows.headers().ok()?.iter().position(|column| column == "text")?;
            let row = rows.records().next()?.ok()?;
            row.get(column).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        })
        .unwrap_or_else(|| "A text to classify.".to_owned())
}
