//! To the server.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use journal::RunStatus;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::stub::{Fault, Held, Stub};
use super::{BEGIN, Story, settings};
use crate::wandb::{Live, Settings, start};
use crate::{Place, PlaceError, Status, sync};

const HISTORY: &str = "wandb-history.jsonl";
const EVENTS: &str = "wandb-events.jsonl";

fn on(stub: &Stub, more: &[(&str, &str)]) -> Settings {
    let base = [("WANDB_BASE_URL", stub.url.as_str()), ("WANDB_API_KEY", "key")];
    settings(&[&base, more].concat())
}

fn deliver(settings: &Settings, folder: &Path) -> Result<Status, PlaceError> {
    sync(Live::new(settings.clone()), folder)
}

fn told(mut story: Story) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    story.write(folder.path());
    folder
}

/// A whole run, delivered without any trouble.
fn smooth() -> (Held, usize) {
    let (stub, folder) = (Stub::start(), told(Story::whole()));
    deliver(&on(&stub, &[("WANDB_LOG_MODEL", "checkpoint")]), folder.path()).unwrap();
    (stub.held(), stub.requests().len())
}

#[test]
fn a_run_is_there_with_everything() {
    let (stub, folder) = (Stub::start(), told(Story::whole()));
    let env = [("WANDB_TAGS", "a,b"), ("WANDB_NOTES", "a note"), ("WANDB_RUN_GROUP", "g"), ("WANDB_JOB_TYPE", "train")];
    let status = deliver(&on(&stub, &env), folder.path()).unwrap();
    assert_eq!(status.url.unwrap(), format!("{}/team/tunesmith/runs/0123456789abcdef", stub.url));

    let history = stub.lines(HISTORY);
    let steps: Vec<_> = history.iter().map(|line| line["train/global_step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [10, 20, 20, 30, 40, 40]);
    assert!(history.iter().zip(0..).all(|(line, step)| line["_step"] == step));
    assert_eq!((&history[0]["train/loss"], &history[0]["train/learning_rate"]), (&json!(0.1), &json!(0.125)));
    assert_eq!((&history[0]["_runtime"], &history[0]["_timestamp"]), (&json!(20.0), &json!(BEGIN + 20.0)));
    assert_eq!((&history[2]["eval/f1"], &history[2]["train/epoch"]), (&json!(0.75), &json!(1.0)));
    assert_eq!(history[5]["test/f1"], 0.75);

    let events = stub.lines(EVENTS);
    assert_eq!((&events[0]["system.cpu"], &events[0]["system.proc.memory.rssMB"]), (&json!(75.0), &json!(512.0)));
    assert_eq!((&events[0]["system.memory_percent"], &events[0]["_runtime"]), (&json!(25.0), &json!(30.0)));

    let held = stub.held();
    let summary: Value = serde_json::from_slice(&held.files["wandb-summary.json"]).unwrap();
    assert_eq!(stub.lines("wandb-summary.json"), std::slice::from_ref(&summary));
    assert_eq!(
        (&summary["test/f1"], &summary["train/loss"], &summary["_step"]),
        (&json!(0.75), &json!(0.025), &json!(5))
    );
    assert_eq!((&summary["train_runtime"], &summary["best_step"]), (&json!(90.0), &json!(40.0)));

    let wanted = [("displayName", "sms run"), ("notes", "a note"), ("groupName", "g"), ("jobType", "train")];
    assert!(wanted.iter().all(|(name, value)| held.run[name] == *value), "{}", held.run);
    assert_eq!(held.run["tags"], json!(["a", "b"]));
    let config: Value = serde_json::from_str(held.run["config"].as_str().unwrap()).unwrap();
    assert_eq!((&config["learning_rate"]["value"], &config["model"]["value"]), (&json!(0.125), &json!("minilm")));
    assert_eq!(config["model/num_parameters"]["value"], 1234);
    let metrics = config["_wandb"]["value"]["m"].as_array().unwrap();
    assert!(metrics[0]["1"] == "train/global_step" && metrics[1]["2"] == "*");
    assert_eq!(held.files["code/tunesmith.toml"], b"learning_rate = 0.125\n");
    assert_eq!(held.files["all_results.json"], b"{\"test_f1\": 0.75}\n");
    let metadata: Value = serde_json::from_slice(&held.files["wandb-metadata.json"]).unwrap();
    assert_eq!(
        (&metadata["args"], &metadata["startedAt"]),
        (&json!(["train", "sms.csv"]), &json!("2026-11-22T04:15:30Z"))
    );
    assert_eq!((held.exit_code, held.artifacts.len()), (Some(0), 0));
}

#[test]
fn code_stays_here_if_it_should() {
    let (stub, folder) = (Stub::start(), told(Story::whole()));
    deliver(&on(&stub, &[("WANDB_DISABLE_CODE", "true")]), folder.path()).unwrap();
    let held = stub.held();
    assert!(!held.files.contains_key("code/tunesmith.toml"));
    assert!(!String::from_utf8_lossy(&held.files["wandb-metadata.json"]).contains("sms.csv"));
}

#[test]
fn the_model_and_its_checkpoints_are_versions_of_one_artifact() {
    let (held, _) = smooth();
    let aliases: Vec<_> = held.artifacts.values().flat_map(|input| input["aliases"].as_array().unwrap()).collect();
    let names: Vec<_> = aliases.iter().map(|alias| alias["alias"].as_str().unwrap()).collect();
    assert!(["final_model", "best", "checkpoint_global_step_40"].iter().all(|name| names.contains(name)), "{names:?}");
    assert!(aliases.iter().all(|alias| alias["artifactCollectionName"] == "model-sms-run"));
    assert_eq!(held.files["artifact:model.safetensors"], b"weights");
    assert_eq!(held.files["artifact:optimizer.safetensors"], b"moments");
    let manifest: Value = serde_json::from_slice(&held.files["artifact:wandb_manifest.json"]).unwrap();
    let contents: Vec<_> = manifest["contents"].as_object().unwrap().keys().collect();
    assert_eq!(contents, ["config.json", "model.safetensors"]);
}

/// Every request fails once, before it is done or after, and the run is delivered at the next attempt: nothing is missing
/// afterwards and nothing is there twice.
#[test]
fn an_outage_at_any_request_changes_nothing() {
    let (smooth, requests) = smooth();
    assert!(requests > 15, "{requests}");
    for at in 0..requests {
        for fault in [Fault::Answer(503, ""), Fault::Silence] {
            let (stub, folder) = (Stub::start(), told(Story::whole()));
            let settings = on(&stub, &[("WANDB_LOG_MODEL", "checkpoint")]);
            stub.fail(at, fault.clone());
            let error = deliver(&settings, folder.path()).unwrap_err();
            assert!(matches!(error, PlaceError::Outage { .. }), "{error}");
            deliver(&settings, folder.path()).unwrap();
            assert_eq!(stub.held(), smooth, "{fault:?} at {at}");
        }
    }
}

/// A run that is watched as it goes, in pieces of any size, and whose process dies before it can note what was delivered.
#[test]
fn news_that_come_twice_are_there_once() {
    let (smooth, _) = smooth();
    let (stub, folder) = (Stub::start(), tempfile::tempdir().unwrap());
    let settings = on(&stub, &[("WANDB_LOG_MODEL", "checkpoint")]);
    let cursor = folder.path().join("track/wandb.json");
    let records = Story::whole().records;
    for until in 1..=records.len() {
        let mut story = Story::new();
        story.records = records[..until].to_vec();
        story.write(folder.path());
        let before = fs::read(&cursor).ok();
        deliver(&settings, folder.path()).unwrap();
        match before {
            Some(before) => fs::write(&cursor, before).unwrap(),
            None => fs::remove_file(&cursor).unwrap(),
        }
        deliver(&settings, folder.path()).unwrap();
    }
    let held = stub.held();
    assert_eq!((&held.lines, held.exit_code), (&smooth.lines, smooth.exit_code));
    assert_eq!(held.artifacts.keys().collect::<Vec<_>>(), smooth.artifacts.keys().collect::<Vec<_>>());
    let requests = stub.requests().len();
    deliver(&settings, folder.path()).unwrap();
    assert_eq!(stub.requests().len(), requests, "what is there is not sent again");
}

#[test]
fn a_resumed_run_goes_on_in_the_same_place() {
    let (stub, folder) = (Stub::start(), tempfile::tempdir().unwrap());
    let settings = on(&stub, &[]);
    let mut story = Story::new();
    story.begin(0);
    story.log(10);
    story.log(20);
    story.end(RunStatus::Interrupted);
    story.write(folder.path());
    let first = deliver(&settings, folder.path()).unwrap();
    assert_eq!(stub.held().exit_code, Some(255));
    story.resume(10);
    story.log(20);
    story.write(folder.path());
    deliver(&settings, folder.path()).unwrap();
    assert_eq!(stub.held().exit_code, None, "it is at work again");
    story.finish();
    story.write(folder.path());
    let last = deliver(&settings, folder.path()).unwrap();
    assert_eq!(first.url, last.url);
    let history = stub.lines(HISTORY);
    let steps: Vec<_> = history.iter().map(|line| line["train/global_step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [10, 20, 30, 40, 40]);
    assert!(history.iter().zip(0..).all(|(line, step)| line["_step"] == step));
    // The hour of rest, and the ten seconds before it, are no work.
    let runtimes: Vec<_> = history.iter().map(|line| line["_runtime"].as_f64().unwrap()).collect();
    assert_eq!(runtimes[..3], [20.0, 30.0, 70.0]);
    assert_eq!(stub.held().exit_code, Some(0));
}

#[test]
fn a_key_that_is_not_taken_is_refused_with_advice() {
    let (stub, folder) = (Stub::start(), told(Story::whole()));
    stub.fail(0, Fault::Answer(401, ""));
    let error = deliver(&on(&stub, &[]), folder.path()).unwrap_err();
    assert!(matches!(error, PlaceError::Refused { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains("WANDB_API_KEY") && said.contains("/authorize") && !said.contains("Basic"), "{said}");
}

#[test]
fn a_file_that_is_not_taken_costs_nothing_else() {
    let (stub, folder) = (Stub::start(), told(Story::whole()));
    let env = [("WANDB_LOG_MODEL", "end")];
    deliver(&on(&stub, &env), folder.path()).unwrap();
    let requests = stub.requests();
    let puts = requests.iter().enumerate().filter(|(_, asked)| asked.starts_with("/put/"));
    let (mut files, mut weights) = (0, 0);
    for (at, asked) in puts {
        let (stub, folder) = (Stub::start(), told(Story::whole()));
        stub.fail(at, Fault::Answer(413, ""));
        let status = deliver(&on(&stub, &env), folder.path()).unwrap();
        assert!(status.notes.len() == 1 && status.notes[0].contains("413"), "{asked}: {:?}", status.notes);
        assert_eq!((stub.lines(HISTORY).len(), stub.held().exit_code), (6, Some(0)), "{asked}");
        files += usize::from(status.notes[0].starts_with("files"));
        weights += usize::from(status.notes[0].starts_with("weights"));
    }
    assert!(files > 2 && weights > 2, "{requests:?}");
}

/// A long evaluation has no news, and is no crash.
#[test]
fn a_run_at_rest_gives_signs_of_life_until_it_is_over() {
    let (stub, folder) = (Stub::start(), tempfile::tempdir().unwrap());
    let settings = on(&stub, &[]);
    let state = || {
        let cursor = fs::read(folder.path().join("track/wandb.json")).unwrap();
        serde_json::from_value(serde_json::from_slice::<Value>(&cursor).unwrap()["state"].take()).unwrap()
    };
    let mut story = Story::new();
    story.begin(0);
    story.write(folder.path());
    deliver(&settings, folder.path()).unwrap();
    let mut place = Live::new(settings.clone());
    let requests = stub.requests().len();
    place.idle(&state());
    assert_eq!(stub.requests().len(), requests, "the server has just heard something");
    place.heard = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
    place.idle(&state());
    assert_eq!(stub.requests().len(), requests + 1);
    story.end(RunStatus::Finished);
    story.write(folder.path());
    deliver(&settings, folder.path()).unwrap();
    let requests = stub.requests().len();
    place.heard = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
    place.idle(&state());
    assert_eq!(stub.requests().len(), requests);
}

#[test]
fn a_server_that_wants_rest_says_how_long() {
    let (stub, folder) = (Stub::start(), told(Story::whole()));
    stub.fail(1, Fault::Answer(429, "retry-after: 7\r\n"));
    let error = deliver(&on(&stub, &[]), folder.path()).unwrap_err();
    let PlaceError::Outage { retry_after, .. } = error else { panic!("{error}") };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
}

#[test]
fn a_server_that_is_none_is_an_outage() {
    let folder = told(Story::whole());
    let settings = settings(&[("WANDB_BASE_URL", "http://127.0.0.1:9"), ("WANDB_API_KEY", "key")]);
    let error = deliver(&settings, folder.path()).unwrap_err();
    assert!(matches!(error, PlaceError::Outage { .. }), "{error}");
}

#[test]
fn wishes_about_a_run_that_is_there_are_heard() {
    let tail = json!([json!({"_step": 4}).to_string()]).to_string();
    let existing = json!({
        "historyLineCount": 5,
        "eventsLineCount": 2,
        "historyTail": tail,
        "summaryMetrics": json!({"theirs": 1, "train/loss": 9}).to_string(),
        "config": json!({"theirs": {"value": 2}, "_wandb": {"value": {}}}).to_string(),
    });
    let outcome = |resume: &str, there: &Value| {
        let (stub, folder) = (Stub::start(), told(Story::whole()));
        stub.has_run(there.clone());
        let done = deliver(&on(&stub, &[("WANDB_RESUME", resume)]), folder.path());
        (done.map_err(|error| error.to_string()), stub.requests())
    };
    assert!(outcome("never", &existing).0.unwrap_err().contains("has a run"));
    assert!(outcome("must", &Value::Null).0.unwrap_err().contains("has no run"));
    assert!(outcome("never", &Value::Null).0.is_ok() && outcome("allow", &Value::Null).0.is_ok());

    let (mut story, stub, folder) = (Story::new(), Stub::start(), tempfile::tempdir().unwrap());
    story.begin(0);
    story.write(folder.path());
    stub.has_run(existing);
    let settings = on(&stub, &[("WANDB_RESUME", "must")]);
    deliver(&settings, folder.path()).unwrap();
    let config: Value = serde_json::from_str(stub.held().run["config"].as_str().unwrap()).unwrap();
    assert_eq!((&config["theirs"]["value"], &config["learning_rate"]["value"]), (&json!(2), &json!(0.125)));
    let state: Value = serde_json::from_slice(&fs::read(folder.path().join("track/wandb.json")).unwrap()).unwrap();
    let rows = &state["state"]["rows"]["now"];
    assert_eq!((&rows["history_lines"], &rows["event_lines"], &rows["step"]), (&json!(5), &json!(2), &json!(5)));
    assert_eq!(rows["summary"]["theirs"], "1");
}

#[test]
fn a_running_delivery_tells_where_the_run_is() {
    let (stub, folder) = (Stub::start(), told(Story::whole()));
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let tell = Arc::new(move |text: &str| heard.lock().unwrap().push(text.to_owned()));
    let status = start(&on(&stub, &[]), folder.path(), tell).unwrap().finish(Duration::from_secs(20));
    assert_eq!((status.trouble, status.waiting), (None, 0));
    assert_eq!(*said.lock().unwrap(), [format!("wandb: {}/team/tunesmith/runs/0123456789abcdef", stub.url)]);
}
