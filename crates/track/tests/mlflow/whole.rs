//! What arrives, and how often.

use std::fs;

use journal::{Event, Listener, RunStatus, Split};
use serde_json::{Value, json};
use track::mlflow::{Mlflow, Options, Settings};

use crate::run::{end, evaluate, first_half, info, log, say, train_begin, whole};
use crate::stub::{Manner, Stub};
use crate::{deliver, settings};

#[test]
fn a_whole_run_arrives() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    whole(folder.path());
    let status = deliver(folder.path(), &stub.server.url).unwrap();
    assert_eq!(status.url, Some(format!("{}/#/experiments/0/runs/run-0", stub.server.url)));
    assert_eq!(status.notes.len(), 1, "{:?}", status.notes);
    assert!(status.notes[0].contains("gone.json"));

    let records = journal::read(folder.path()).unwrap().records;
    let millis = |at: usize| records[at].time.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    let run = stub.run();
    assert_eq!((run.name.as_str(), run.status.as_str()), ("sms", "FINISHED"));
    assert_eq!(run.statuses, ["KILLED", "RUNNING", "FINISHED"]);
    assert_eq!((run.started, run.ended), (millis(0), millis(records.len() - 1)));

    let history = |name: &str| -> Vec<(u64, String)> {
        run.metrics.iter().filter(|row| row.0 == name).map(|row| (row.1, row.3.clone())).collect()
    };
    let row = |step: u64, value: f64| (step, value.to_string());
    assert_eq!(history("loss"), [row(10, 0.1), row(20, 0.05), row(30, 1.0 / 30.0), row(40, 0.025)], "step 20 once");
    assert_eq!(history("eval_f1"), [row(20, 0.5), row(40, 0.625)]);
    assert_eq!(history("test_f1"), [row(40, 0.75)], "known from the evaluation, not said again by the results");
    assert_eq!(history("train_runtime"), [row(40, 12.5)]);
    assert_eq!(history("system/process_cpu_percentage"), [(10, "180.0".to_owned())]);
    assert_eq!(history("system/system_memory_usage_percentage"), [(10, "25.0".to_owned())]);
    let loss = run.metrics.iter().find(|row| row.0 == "loss").unwrap();
    assert_eq!(loss.2, millis(2), "the time at which it was said");

    assert_eq!(run.params["learning_rate"], "0.00005");
    assert_eq!(run.params["num_train_epochs"], "2", "params never change");
    assert_eq!(run.tags["tunesmith.changed_params.attempt_2"], r#"{"num_train_epochs":"3"}"#);
    assert_eq!(run.params["train.total_steps"], "40");
    assert_eq!(run.tags["tunesmith.run_id"], "0123456789abcdef");
    assert_eq!(run.tags["tunesmith.command"], "tunesmith train sms.tsv");
    assert_eq!(run.tags["tunesmith.end_reason"], "completed");

    let contexts: Vec<&Value> = run.inputs.values().map(|input| &input["tags"][0]["value"]).collect();
    assert_eq!(contexts, ["test", "training", "eval"]);

    let held = stub.held();
    let of_run: Vec<&str> = held.files.keys().filter_map(|path| path.strip_prefix("0/run-0/artifacts/")).collect();
    let expected = [
        "journal.jsonl",
        "plots/a%20b/loss_1.svg",
        "report.html",
        "run-attempt-2.json",
        "run.json",
        "test_predictions.csv",
        "tunesmith.toml",
    ];
    assert_eq!(of_run, expected);
    let of_model: Vec<&str> = held.files.keys().filter_map(|path| path.strip_prefix("models/m-0/artifacts/")).collect();
    let expected = [
        "MLmodel",
        "README.md",
        "components/tokenizer/tokenizer.json",
        "input_example.json",
        "model/config.json",
        "model/model.safetensors",
        "python_env.yaml",
        "requirements.txt",
        "serving_input_example.json",
    ];
    assert_eq!(of_model, expected);
    assert_eq!(held.files["models/m-0/artifacts/model/model.safetensors"].len(), 3 << 20);
    assert_eq!(held.files["models/m-0/artifacts/input_example.json"], br#"["Hello, you"]"#);

    assert_eq!(held.models.len(), 1);
    let model = &held.models[0];
    assert_eq!((model.run.as_str(), model.status.as_str()), ("run-0", "LOGGED_MODEL_READY"));
    assert_eq!(model.params["num_train_epochs"], "3", "the model is what the last attempt made");
    assert_eq!(model.metrics["test_f1"], ("0.75".to_owned(), "sms.tsv test".to_owned()));
    assert_eq!(run.outputs, [("m-0".to_owned(), 40)]);
}

#[test]
fn nothing_is_delivered_twice() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    whole(folder.path());
    deliver(folder.path(), &stub.server.url).unwrap();
    let before = stub.held();
    stub.server.fail(|_, _| None);
    deliver(folder.path(), &stub.server.url).unwrap();
    assert!(stub.server.asked().is_empty(), "there is nothing new");

    // The process died when all was there and the place had been saved, but not how far it had come.
    let file = folder.path().join("track/mlflow.json");
    let mut cursor: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    cursor["sequence"] = json!(0);
    cursor["last_steps"] = json!({});
    fs::write(&file, cursor.to_string()).unwrap();
    deliver(folder.path(), &stub.server.url).unwrap();
    assert!(stub.server.asked().is_empty(), "the place knows what is there");

    // It died between making the run and writing down its id; or somebody removed the file.
    fs::remove_file(&file).unwrap();
    deliver(folder.path(), &stub.server.url).unwrap();
    let mut after = stub.held();
    after.runs[0].statuses.clone_from(&before.runs[0].statuses);
    assert_eq!(after, before);
}

#[test]
fn a_run_is_watched_and_resumed() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    first_half(folder.path());
    deliver(folder.path(), &stub.server.url).unwrap();
    assert_eq!(stub.run().status, "KILLED");
    assert_eq!(stub.run().tags["tunesmith.message"], "somebody asked for it");
    let mut journal = journal::JournalWriter::open(folder.path()).unwrap();
    journal.on_event(&Event::RunBegin(Box::new(info())));
    journal.on_event(&log(30));
    deliver(folder.path(), &stub.server.url).unwrap();
    let run = stub.run();
    assert_eq!((run.status.as_str(), run.tags["tunesmith.attempts"].as_str()), ("RUNNING", "2"));
    journal.on_event(&end(RunStatus::Failed));
    deliver(folder.path(), &stub.server.url).unwrap();
    assert_eq!(stub.run().status, "FAILED");
}

#[test]
fn long_runs_go_in_batches() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    let mut run = info();
    for setting in 0..250 {
        run.settings.insert(format!("setting_{setting}"), json!("x".repeat(6000)));
    }
    let metrics = (0..300).map(|class| (format!("f1_{class}"), 0.5)).collect();
    let many = Event::Evaluate { split: Split::Eval, step: 1, epoch: 0.1, metrics, runtime: 1.0 };
    let mut events = vec![Event::RunBegin(Box::new(run)), train_begin(0), many];
    events.extend((1..=3000).map(log));
    for step in 2..20 {
        events.push(evaluate(Split::Eval, step, 0.5));
    }
    say(folder.path(), &events);
    let status = deliver(folder.path(), &stub.server.url).unwrap();
    assert_eq!(status.notes, [""; 0]);
    let run = stub.run();
    assert_eq!(run.params.iter().filter(|(name, _)| name.starts_with("setting_")).count(), 250);
    let steps: Vec<u64> = run.metrics.iter().filter(|row| row.0 == "loss").map(|row| row.1).collect();
    assert_eq!(steps, (1..=3000).collect::<Vec<_>>());
    assert!(run.metrics.iter().any(|row| row.0 == "eval_f1_299"));
    assert!(stub.server.asked().len() < 120, "{} calls", stub.server.asked().len());
}

#[test]
fn a_loss_that_is_no_number_arrives() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    let lost = Event::Log {
        step: 1,
        epoch: 0.5,
        loss: f64::NAN,
        learning_rate: 0.0,
        grad_norm: f64::NAN,
        tokens_per_second: 9.0,
    };
    say(folder.path(), &[Event::RunBegin(Box::new(info())), lost, log(2)]);
    assert_eq!(deliver(folder.path(), &stub.server.url).unwrap().notes, [""; 0]);
    let metrics = stub.run().metrics;
    let value =
        |name: &str, step| metrics.iter().find(|row| (row.0.as_str(), row.1) == (name, step)).map(|row| row.3.as_str());
    assert_eq!((value("loss", 1), value("loss", 2)), (Some("NaN"), Some("0.5")));
    assert_eq!(value("grad_norm", 1), Some("NaN"));
    // What is remembered is JSON too, and is read again.
    say(folder.path(), &[log(3)]);
    deliver(folder.path(), &stub.server.url).unwrap();
}

#[test]
fn a_named_experiment_is_made_and_used_again() {
    let stub = Stub::start(Manner::default());
    let options = Options {
        experiment: Some("spam filter/2".into()),
        run_name: Some("try".into()),
        tags: vec![("team".into(), "search".into())],
    };
    for at in 0..2_usize {
        let folder = tempfile::tempdir().unwrap();
        let mut run = info();
        run.run_id = format!("run{at}");
        say(folder.path(), &[Event::RunBegin(Box::new(run))]);
        let variable = |name: &str| (name == "MLFLOW_TRACKING_URI").then(|| stub.server.url.clone());
        let settings = Settings::from_variables(&options, &variable, None).unwrap();
        track::sync(Mlflow::new(settings), folder.path()).unwrap();
        let run = &stub.held().runs[at];
        assert_eq!((run.experiment.as_str(), run.name.as_str(), run.tags["team"].as_str()), ("1", "try", "search"));
    }
    assert_eq!(stub.held().experiments.len(), 2);
}

#[test]
fn a_run_that_is_there_already_is_used_where_the_environment_names_it() {
    let stub = Stub::start(Manner::default());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    first_half(folders[0].path());
    deliver(folders[0].path(), &stub.server.url).unwrap();
    let mut other = info();
    other.run_id = "another".into();
    say(folders[1].path(), &[Event::RunBegin(Box::new(other))]);
    let settings = settings(&[("MLFLOW_TRACKING_URI", &stub.server.url), ("MLFLOW_RUN_ID", "run-0")]);
    track::sync(Mlflow::new(settings), folders[1].path()).unwrap();
    assert_eq!((stub.run().status.as_str(), stub.run().tags["tunesmith.run_id"].as_str()), ("RUNNING", "another"));
}
