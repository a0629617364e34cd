//! Databricks: a service principal, tokens that end, files that go to the cloud by signed addresses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use track::mlflow::Mlflow;

use crate::http::{Fault, Reply};
use crate::run::whole;
use crate::settings;
use crate::stub::{Manner, Stub};

const ROOT: &str = "dbfs:/databricks/mlflow-tracking/";

#[test]
fn a_service_principal_brings_a_whole_run() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(Manner { root: ROOT.into(), ..Manner::default() });
    whole(folder.path());
    let tokens = Arc::new(AtomicUsize::new(0));
    let given = Arc::clone(&tokens);
    stub.server.fail(move |call, request| {
        if request.path == "/oidc/v1/token" {
            assert_eq!(request.header("authorization"), Some("Basic aWQ6c2VjcmV0"));
            assert_eq!(request.body, b"grant_type=client_credentials&scope=all-apis");
            let token = format!("token {}", given.fetch_add(1, Ordering::SeqCst));
            return Some(Fault::Answers(Reply::json(200, &json!({ "access_token": token, "expires_in": 3600 }))));
        }
        if request.path.starts_with("/cloud/") {
            return None;
        }
        // The first token ends early.
        let good = if call < 12 { "Bearer token 0" } else { "Bearer token 1" };
        (request.header("authorization") != Some(good)).then(|| Fault::Answers(Reply::text(401, "the token has ended")))
    });
    let settings = settings(&[
        ("MLFLOW_TRACKING_URI", "databricks"),
        ("MLFLOW_EXPERIMENT_NAME", "/Shared/spam"),
        ("DATABRICKS_HOST", &stub.server.url),
        ("DATABRICKS_CLIENT_ID", "id"),
        ("DATABRICKS_CLIENT_SECRET", "secret"),
    ]);
    let status = track::sync(Mlflow::new(settings), folder.path()).unwrap();
    assert_eq!(status.url, Some(format!("{}/ml/experiments/1/runs/run-0", stub.server.url)));
    assert_eq!(tokens.load(Ordering::SeqCst), 2);
    let files = stub.held().files;
    assert_eq!(files["cloud/runs/report.html"], b"<html>");
    assert_eq!(files["cloud/models/0/model/model.safetensors"].len(), 3 << 20);
    assert_eq!(stub.run().status, "FINISHED");
    assert_eq!(stub.held().models[0].status, "LOGGED_MODEL_READY");
    let azure = stub.server.asked().into_iter().find(|request| request.path.starts_with("/cloud/runs/")).unwrap();
    assert_eq!((azure.header("x-ms-blob-type"), azure.header("x-extra")), (Some("BlockBlob"), Some("1")));
}

#[test]
fn an_address_that_has_run_out_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(Manner { root: ROOT.into(), ..Manner::default() });
    whole(folder.path());
    let host = stub.server.url.clone();
    let variables = [
        ("MLFLOW_TRACKING_URI", "databricks"),
        ("MLFLOW_EXPERIMENT_NAME", "/Shared/spam"),
        ("DATABRICKS_HOST", host.as_str()),
        ("DATABRICKS_TOKEN", "t"),
    ];
    stub.server.fail(|_, request| {
        request.path.starts_with("/cloud/").then(|| Fault::Answers(Reply::text(403, "Signature has expired")))
    });
    let error = track::sync(Mlflow::new(settings(&variables)), folder.path()).unwrap_err();
    assert!(matches!(error, track::PlaceError::Outage { .. }), "{error}");
    assert!(!error.to_string().contains("signature="), "an address that opens a store is nothing to show: {error}");
    stub.server.fail(|_, _| None);
    track::sync(Mlflow::new(settings(&variables)), folder.path()).unwrap();
    assert_eq!(stub.run().status, "FINISHED");
}

#[test]
fn the_data_lake_takes_a_file_in_three_calls() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(Manner { root: ROOT.into(), ..Manner::default() });
    whole(folder.path());
    let url = stub.server.url.clone();
    stub.server.fail(move |_, request| {
        let body = request.json();
        let signed = format!("{url}/cloud/{}?signature=good", body["path"][0].as_str()?);
        let info = json!({ "signed_uri": signed, "type": "AZURE_ADLS_GEN2_SAS_URI" });
        let reply = Reply::json(200, &json!({ "credential_infos": [info] }));
        request.path.ends_with("credentials-for-write").then_some(Fault::Answers(reply))
    });
    let settings = settings(&[
        ("MLFLOW_TRACKING_URI", "databricks"),
        ("MLFLOW_EXPERIMENT_NAME", "/Shared/spam"),
        ("DATABRICKS_HOST", &stub.server.url),
        ("DATABRICKS_TOKEN", "t"),
    ]);
    track::sync(Mlflow::new(settings), folder.path()).unwrap();
    let asked = stub.server.asked();
    let calls: Vec<(&str, &str, usize)> = asked
        .iter()
        .filter_map(|request| {
            let query = request.path.strip_prefix("/cloud/report.html?signature=good&")?;
            Some((request.method.as_str(), query, request.body.len()))
        })
        .collect();
    let expected = [
        ("PUT", "resource=file", 0),
        ("PATCH", "action=append&position=0", 6),
        ("PATCH", "action=flush&position=6", 0),
    ];
    assert_eq!(calls, expected);
}
