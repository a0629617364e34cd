//! As much of MLflow as a run needs, with its limits: batches are taken whole or not at all, params never change, the
//! same value at the same time and step is kept once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::http::{Reply, Request, Server};

/// What it holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Held {
    pub(crate) experiments: Vec<(String, &'static str)>,
    pub(crate) runs: Vec<Run>,
    pub(crate) models: Vec<Model>,
    /// Files by their paths.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) experiment: String,
    pub(crate) started: u64,
    pub(crate) status: String,
    pub(crate) statuses: Vec<String>,
    pub(crate) ended: u64,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Key, step, milliseconds and value.
    pub(crate) metrics: Vec<(String, u64, u64, String)>,
    pub(crate) inputs: BTreeMap<String, Value>,
    pub(crate) outputs: Vec<(String, u64)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) run: String,
    pub(crate) status: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) metrics: BTreeMap<String, (String, String)>,
}

/// What kind of server it is.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// Before MLflow 3.
    pub(crate) old: bool,
    /// Where files are kept.
    pub(crate) root: String,
    pub(crate) longest_param: usize,
}

impl Default for Manner {
    fn default() -> Self {
        Self { old: false, root: "mlflow-artifacts:/".into(), longest_param: 6000 }
    }
}

/// A stub that runs.
pub(crate) struct Stub {
    pub(crate) server: Server,
    pub(crate) held: Arc<Mutex<Held>>,
}

impl Stub {
    pub(crate) fn start(manner: Manner) -> Self {
        let held = Arc::new(Mutex::new(Held::default()));
        held.lock().unwrap().experiments.push(("Default".into(), "active"));
        let shared = Arc::clone(&held);
        Self { server: Server::start(move |request| answer(&mut shared.lock().unwrap(), &manner, request)), held }
    }

    pub(crate) fn held(&self) -> Held {
        self.held.lock().unwrap().clone()
    }

    /// The only run that there should be.
    pub(crate) fn run(&self) -> Run {
        let held = self.held();
        assert_eq!(held.runs.len(), 1, "{:?}", held.runs);
        held.runs[0].clone()
    }
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "error_code": code, "message": message }))
}

fn invalid(message: &str) -> Reply {
    refusal(400, "INVALID_PARAMETER_VALUE", message)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn pairs(value: &Value) -> BTreeMap<String, String> {
    value.as_array().into_iter().flatten().map(|pair| (text(&pair["key"]), text(&pair["value"]))).collect()
}

fn answer(held: &mut Held, manner: &Manner, request: &Request) -> Reply {
    let path = request.path.split('?').next().unwrap_or_default();
    if let Some(file) = path.strip_prefix("/api/2.0/mlflow-artifacts/artifacts/") {
        held.files.insert(file.to_owned(), request.body.clone());
        return Reply::json(200, &json!({}));
    }
    if let Some(file) = path.strip_prefix("/cloud/") {
        // The permission is in the address; credentials of ours have no business here.
        assert_eq!(request.header("authorization"), None);
        if !request.path.contains("signature=good") {
            return Reply::text(403, "expired");
        }
        held.files.insert(format!("cloud/{file}"), request.body.clone());
        return Reply::text(200, "");
    }
    let Some(call) = path.strip_prefix("/api/2.0/mlflow/") else { return Reply::text(404, "Not Found") };
    assert!(request.method == "GET" || request.header("content-type") == Some("application/json"), "{request:?}");
    if manner.old && (call.starts_with("logged-models") || call == "runs/outputs") {
        return Reply::text(404, "Not Found");
    }
    let body = request.json();
    let given = |key: &str| text(&body[key]);
    match (request.method.as_str(), call) {
        ("GET", "experiments/get-by-name") => {
            let name = request.path.split_once('=').unwrap().1.replace("%20", " ").replace("%2F", "/");
            match held.experiments.iter().position(|(known, _)| *known == name) {
                Some(id) => {
                    let stage = held.experiments[id].1;
                    let experiment = json!({ "experiment_id": id.to_string(), "name": name, "lifecycle_stage": stage });
                    Reply::json(200, &json!({ "experiment": experiment }))
                }
                None => refusal(404, "RESOURCE_DOES_NOT_EXIST", "no such experiment"),
            }
        }
        ("POST", "experiments/create") => {
            if held.experiments.iter().any(|(known, _)| *known == given("name")) {
                return refusal(400, "RESOURCE_ALREADY_EXISTS", "it exists");
            }
            held.experiments.push((given("name"), "active"));
            Reply::json(200, &json!({ "experiment_id": (held.experiments.len() - 1).to_string() }))
        }
        ("POST", "runs/search") => {
            let wanted = given("filter").split('\'').nth(1).unwrap().to_owned();
            let experiment = text(&body["experiment_ids"][0]);
            let found: Vec<Value> = (0..held.runs.len())
                .filter(|at| held.runs[*at].experiment == experiment)
                .filter(|at| held.runs[*at].tags.get("tunesmith.run_id") == Some(&wanted))
                .map(|at| run_json(held, manner, at))
                .collect();
            Reply::json(200, &json!({ "runs": found }))
        }
        ("GET", "runs/get") => {
            let id = request.path.split_once("run_id=run-").unwrap().1.parse().unwrap();
            Reply::json(200, &json!({ "run": run_json(held, manner, id) }))
        }
        ("POST", "runs/create") => {
            let run = Run {
                name: given("run_name"),
                experiment: given("experiment_id"),
                started: body["start_time"].as_u64().unwrap(),
                status: "RUNNING".into(),
                tags: pairs(&body["tags"]),
                ..Run::default()
            };
            held.runs.push(run);
            Reply::json(200, &json!({ "run": run_json(held, manner, held.runs.len() - 1) }))
        }
        ("POST", "logged-models") => {
            let model = Model {
                name: given("name"),
                run: given("source_run_id"),
                status: "LOGGED_MODEL_PENDING".into(),
                tags: pairs(&body["tags"]),
                ..Model::default()
            };
            held.models.push(model);
            Reply::json(200, &json!({ "model": model_json(held, manner, held.models.len() - 1) }))
        }
        ("POST", "logged-models/search") => {
            let models: Vec<Value> = (0..held.models.len()).map(|at| model_json(held, manner, at)).collect();
            Reply::json(200, &json!({ "models": models }))
        }
        (_, call) if call.starts_with("logged-models/m-") => {
            let (id, rest) = call["logged-models/m-".len()..].split_once('/').unwrap_or((&call[16..], ""));
            let model = &mut held.models[id.parse::<usize>().unwrap()];
            match rest {
                "" => model.status = given("status"),
                "params" => model.params.extend(pairs(&body["params"])),
                "artifacts/credentials-for-upload" => {
                    let path = format!(
                        "http://{}/cloud/models/{id}/{}",
                        request.header("host").unwrap(),
                        text(&body["paths"][0])
                    );
                    let info = json!({ "signed_uri": format!("{path}?signature=good"), "type": "AWS_PRESIGNED_URL" });
                    return Reply::json(200, &json!({ "credentials": [{ "credential_info": info }] }));
                }
                other => panic!("{other}"),
            }
            Reply::json(200, &json!({}))
        }
        ("POST", "artifacts/credentials-for-write") => {
            let path = format!("http://{}/cloud/runs/{}", request.header("host").unwrap(), text(&body["path"][0]));
            let info = json!({
                "signed_uri": format!("{path}?signature=good"),
                "type": "AZURE_SAS_URI",
                "headers": [{ "name": "x-extra", "value": "1" }],
            });
            Reply::json(200, &json!({ "credential_infos": [info] }))
        }
        ("POST", "artifacts/presigned-upload-url") => refusal(501, "NOT_IMPLEMENTED", "no signed addresses here"),
        ("POST", call) => match body["run_id"].as_str().and_then(|id| id.strip_prefix("run-")) {
            Some(id) => about_run(held, manner, id.parse().unwrap(), call, &body, request.body.len()),
            None => invalid("there is no run_id"),
        },
        _ => refusal(404, "ENDPOINT_NOT_FOUND", call),
    }
}

fn about_run(held: &mut Held, manner: &Manner, id: usize, call: &str, body: &Value, bytes: usize) -> Reply {
    let list = |key: &str| body[key].as_array().cloned().unwrap_or_default();
    let run = &mut held.runs[id];
    match call {
        "runs/update" => {
            run.status = text(&body["status"]);
            run.statuses.push(run.status.clone());
            run.ended = body["end_time"].as_u64().unwrap_or(run.ended);
        }
        "runs/log-inputs" => {
            for input in list("datasets") {
                run.inputs.insert(
                    format!("{}#{}", text(&input["dataset"]["name"]), text(&input["dataset"]["digest"])),
                    input,
                );
            }
        }
        "runs/outputs" => {
            for model in list("models") {
                let output = (text(&model["model_id"]), model["step"].as_u64().unwrap());
                if !run.outputs.contains(&output) {
                    run.outputs.push(output);
                }
            }
        }
        "runs/log-batch" => {
            let (metrics, params, tags) = (list("metrics"), pairs(&body["params"]), pairs(&body["tags"]));
            if metrics.len() > 1000 || params.len() > 100 || tags.len() > 100 || bytes > 1_000_000 {
                return invalid("too much at once");
            }
            if run.tags.contains_key("deleted") {
                return invalid("The run must be in the 'active' state. Current state is deleted.");
            }
            for (key, value) in &params {
                if run.params.get(key).is_some_and(|known| known != value)
                    || value.chars().count() > manner.longest_param
                {
                    return invalid(&format!("the value of the param {key} cannot be {value:.20}"));
                }
            }
            if let Some(metric) = metrics.iter().find(|metric| text(&metric["key"]).contains("unwanted")) {
                return invalid(&format!("the metric {} is not wanted", metric["key"]));
            }
            for metric in &metrics {
                assert!(
                    metric["value"].is_f64() || metric["value"].is_string() || metric["value"].is_i64(),
                    "{metric}"
                );
                let number = |key: &str| metric[key].as_u64().unwrap();
                let row = (text(&metric["key"]), number("step"), number("timestamp"), text(&metric["value"]));
                if !run.metrics.contains(&row) {
                    run.metrics.push(row);
                }
                if let Some(model) = metric["model_id"].as_str().and_then(|id| id.strip_prefix("m-")) {
                    let known = (text(&metric["value"]), text(&metric["dataset_name"]));
                    held.models[model.parse::<usize>().unwrap()].metrics.insert(text(&metric["key"]), known);
                }
            }
            run.params.extend(params);
            run.tags.extend(tags);
        }
        other => panic!("{other}"),
    }
    Reply::json(200, &json!({}))
}

fn run_json(held: &Held, manner: &Manner, id: usize) -> Value {
    let experiment = &held.runs[id].experiment;
    let root = format!("{}{experiment}/run-{id}/artifacts", manner.root);
    json!({ "info": { "run_id": format!("run-{id}"), "experiment_id": experiment, "artifact_uri": root } })
}

fn model_json(held: &Held, manner: &Manner, id: usize) -> Value {
    let tags: Vec<Value> =
        held.models[id].tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    let root = format!("{}models/m-{id}/artifacts", manner.root);
    json!({ "info": { "model_id": format!("m-{id}"), "artifact_uri": root, "tags": tags } })
}
