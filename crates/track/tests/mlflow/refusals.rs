//! What a server does not take, and what is said then.

use std::fs;

use journal::{Event, Split};
use serde_json::json;
use track::PlaceError;
use track::mlflow::Mlflow;

use crate::http::{Fault, Reply};
use crate::run::{first_half, info, say, whole};
use crate::stub::{Manner, Stub};
use crate::{deliver, settings};

fn refused(result: Result<track::Status, PlaceError>) -> String {
    match result {
        Err(PlaceError::Refused { message }) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_foreign_host_is_explained() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    whole(folder.path());
    let said = "Invalid Host header - possible DNS rebinding attack detected";
    stub.server.fail(move |_, _| Some(Fault::Answers(Reply::text(403, said))));
    let message = refused(deliver(folder.path(), &stub.server.url));
    let host = stub.server.url.trim_start_matches("http://");
    assert!(message.contains(&format!("--allowed-hosts {host}")) && message.contains(said), "{message}");
}

#[test]
fn credentials_are_sent_and_asked_for() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    whole(folder.path());
    let url = ("MLFLOW_TRACKING_URI", stub.server.url.as_str());
    let wants = |expected: &'static str| {
        move |_: usize, request: &crate::http::Request| {
            let good = request.header("authorization") == Some(expected);
            (!good).then(|| Fault::Answers(Reply::text(401, "who are you?")))
        }
    };
    stub.server.fail(wants("Basic bWU6c2VjcmV0"));
    let message = refused(deliver(folder.path(), &stub.server.url));
    assert!(message.contains("MLFLOW_TRACKING_TOKEN") && message.contains("who are you?"), "{message}");
    let password = [url, ("MLFLOW_TRACKING_USERNAME", "me"), ("MLFLOW_TRACKING_PASSWORD", "secret")];
    track::sync(Mlflow::new(settings(&password)), folder.path()).unwrap();
    assert_eq!(stub.run().status, "FINISHED");

    fs::remove_dir_all(folder.path().join("track")).unwrap();
    stub.server.fail(wants("Bearer t0k"));
    let wrong = [url, ("MLFLOW_TRACKING_TOKEN", "other")];
    let message = refused(track::sync(Mlflow::new(settings(&wrong)), folder.path()));
    assert!(message.contains("a token was given") && !message.contains("other"), "{message}");
    track::sync(Mlflow::new(settings(&[url, ("MLFLOW_TRACKING_TOKEN", "t0k")])), folder.path()).unwrap();
}

#[test]
fn one_unwanted_figure_costs_no_other() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    let metrics = (0..40).map(|at| (if at == 17 { "unwanted".into() } else { format!("m{at}") }, 0.5)).collect();
    let evaluated = Event::Evaluate { split: Split::Eval, step: 1, epoch: 0.1, metrics, runtime: 1.0 };
    say(folder.path(), &[Event::RunBegin(Box::new(info())), evaluated]);
    let status = deliver(folder.path(), &stub.server.url).unwrap();
    assert_eq!(status.notes.len(), 1);
    assert!(status.notes[0].contains("eval_unwanted"), "{:?}", status.notes);
    assert_eq!(stub.run().metrics.iter().filter(|row| row.0.starts_with("eval_m")).count(), 39);
}

#[test]
fn long_params_are_cut_for_servers_that_take_short_ones() {
    let (folder, stub) =
        (tempfile::tempdir().unwrap(), Stub::start(Manner { longest_param: 500, ..Manner::default() }));
    let mut run = info();
    run.data.labels = (0..9000).map(|class| format!("class {class}")).collect();
    say(folder.path(), &[Event::RunBegin(Box::new(run))]);
    assert_eq!(deliver(folder.path(), &stub.server.url).unwrap().notes, [""; 0]);
    let run = stub.run();
    assert_eq!(run.params["data.labels"].chars().count(), 250);
    assert_eq!(run.params["data.num_labels"], "9000");
    let whole = String::from_utf8(stub.held().files["0/run-0/artifacts/run.json"].clone()).unwrap();
    assert!(whole.contains("class 8999"));
}

#[test]
fn a_run_that_was_deleted_there_is_a_refusal() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    first_half(folder.path());
    deliver(folder.path(), &stub.server.url).unwrap();
    stub.held.lock().unwrap().runs[0].tags.insert("deleted".into(), "yes".into());
    crate::run::second_half(folder.path());
    let message = refused(deliver(folder.path(), &stub.server.url));
    assert!(message.contains("'active'"), "{message}");
}

#[test]
fn an_experiment_that_was_deleted_is_not_used() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    stub.held.lock().unwrap().experiments.push(("old".into(), "deleted"));
    first_half(folder.path());
    let variables = [("MLFLOW_TRACKING_URI", stub.server.url.as_str()), ("MLFLOW_EXPERIMENT_NAME", "old")];
    let message = refused(track::sync(Mlflow::new(settings(&variables)), folder.path()));
    assert!(message.contains("old") && message.contains("deleted"), "{message}");
}

#[test]
fn a_run_stays_with_its_server() {
    let (folder, stub, other) =
        (tempfile::tempdir().unwrap(), Stub::start(Manner::default()), Stub::start(Manner::default()));
    first_half(folder.path());
    deliver(folder.path(), &stub.server.url).unwrap();
    crate::run::second_half(folder.path());
    let message = refused(deliver(folder.path(), &other.server.url));
    assert!(message.contains(&stub.server.url) && message.contains("track/mlflow.json"), "{message}");
}

#[test]
fn servers_before_logged_models_get_the_model_as_files() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner { old: true, ..Manner::default() }));
    whole(folder.path());
    deliver(folder.path(), &stub.server.url).unwrap();
    let files = stub.held().files;
    assert!(files.contains_key("0/run-0/artifacts/model/model/model.safetensors"), "{:?}", files.keys());
    let mlmodel = String::from_utf8(files["0/run-0/artifacts/model/MLmodel"].clone()).unwrap();
    assert!(mlmodel.contains("artifact_path: \"model\"") && !mlmodel.contains("model_id"), "{mlmodel}");
    assert_eq!(stub.run().status, "FINISHED");
}

#[test]
fn a_store_that_is_closed_to_us_costs_the_files_alone() {
    let (folder, stub) =
        (tempfile::tempdir().unwrap(), Stub::start(Manner { root: "s3://bucket/".into(), ..Manner::default() }));
    whole(folder.path());
    let status = deliver(folder.path(), &stub.server.url).unwrap();
    assert!(status.notes.iter().any(|note| note.contains("--artifacts-destination")), "{:?}", status.notes);
    assert_eq!(stub.run().status, "FINISHED");
    assert_eq!(stub.held().models[0].status, "LOGGED_MODEL_UPLOAD_FAILED");
    assert!(stub.run().metrics.len() > 20);
}

#[test]
fn a_store_that_gives_signed_addresses_gets_the_files() {
    let (folder, stub) =
        (tempfile::tempdir().unwrap(), Stub::start(Manner { root: "gs://bucket/".into(), ..Manner::default() }));
    whole(folder.path());
    let url = stub.server.url.clone();
    stub.server.fail(move |_, request| {
        let body = request.json();
        let owner = body["run_id"].as_str().or(body["model_id"].as_str())?;
        let signed = format!("{url}/cloud/{owner}/{}?signature=good", body["path"].as_str()?);
        let reply = Reply::json(200, &json!({ "presigned_url": signed, "headers": { "content-type": "x/y" } }));
        request.path.ends_with("presigned-upload-url").then_some(Fault::Answers(reply))
    });
    deliver(folder.path(), &stub.server.url).unwrap();
    let files = stub.held().files;
    assert!(files.contains_key("cloud/run-0/report.html"), "{:?}", files.keys());
    assert!(files.contains_key("cloud/m-0/MLmodel"), "{:?}", files.keys());
}

#[test]
fn a_server_that_keeps_files_in_a_folder_here_gets_them_there() {
    let (folder, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let stub = Stub::start(Manner { root: format!("file://{}/", root.path().display()), ..Manner::default() });
    whole(folder.path());
    deliver(folder.path(), &stub.server.url).unwrap();
    assert_eq!(fs::read_to_string(root.path().join("0/run-0/artifacts/report.html")).unwrap(), "<html>");
    assert_eq!(fs::read_to_string(root.path().join("0/run-0/artifacts/plots/a b/loss_1.svg")).unwrap(), "<svg>");
    assert!(root.path().join("models/m-0/artifacts/MLmodel").is_file());
}

#[test]
fn a_server_that_moved_is_named() {
    let (folder, stub) = (tempfile::tempdir().unwrap(), Stub::start(Manner::default()));
    whole(folder.path());
    stub.server.fail(|_, _| {
        let mut reply = Reply::text(301, "");
        reply.headers.push(("Location", "https://ml.example/".into()));
        Some(Fault::Answers(reply))
    });
    let message = refused(deliver(folder.path(), &stub.server.url));
    assert!(message.contains("https://ml.example/"), "{message}");
}
