//! A name wherever a model is named.

use std::fs;

use hub_stand_in::{Fault, Kind, What};

use crate::wire::{Wire, model};

const ROWS: &str = "text,label\nwin a prize now,spam\nsee you at nine,ham\ncall me,ham\nfree entry,spam\n\
                    prize draw,spam\nat home,ham\nwin now,spam\nlater then,ham\n";

fn with_model() -> (Wire, String) {
    let wire = Wire::new();
    let folder = wire.home.path().join("model");
    model(&folder);
    let commit = wire.put("ada/small", &folder);
    (wire, commit)
}

#[test]
fn a_classifier_is_asked_by_its_name() {
    let (wire, commit) = with_model();
    let local = wire.says(&["predict", wire.home.path().join("model").to_str().unwrap(), "see you", "a prize"]);
    assert_eq!(wire.says(&["predict", "ada/small", "see you", "a prize"]), local);
    let mut fetched = wire.fetched();
    fetched.retain(|path| !path.contains("tokenizer_config"));
    let path = |file: &str| format!("/ada/small/resolve/{commit}/{file}");
    assert_eq!(fetched, [path("config.json"), path("tokenizer.json"), path("model.safetensors")], "and no README");
    // Now it is here: nobody is asked, and there need not be anybody.
    assert_eq!(wire.says(&["predict", "ada/small", "see you", "a prize"]), local);
    assert_eq!(wire.says(&["predict", &format!("ada/small@{commit}"), "see you", "a prize"]), local);
    assert!(wire.hub.requests().is_empty());
    let rows = wire.file("rows.csv", ROWS);
    wire.says(&["evaluate", "ada/small", rows.to_str().unwrap()]);
    wire.says(&["tokenize", "ada/small", "see you"]);
    assert!(wire.hub.requests().is_empty());
}

#[test]
fn only_what_cuts_texts_is_fetched_to_cut_texts() {
    let (wire, _) = with_model();
    wire.says(&["tokenize", "ada/small", "see you"]);
    let rows = wire.file("rows.csv", ROWS);
    wire.says(&["check", rows.to_str().unwrap(), "--model", "ada/small"]);
    assert!(wire.fetched().iter().all(|path| !path.contains("safetensors")));
    wire.says(&["predict", "ada/small", "see you"]);
    assert_eq!(wire.fetched().len(), 1, "the weights alone");
}

#[test]
fn a_training_begins_with_a_name_and_remembers_the_commit() {
    let (wire, commit) = with_model();
    wire.hub.add_old_name(Kind::Model, "distilbert-base-uncased", "ada/small");
    let (rows, run) = (wire.file("rows.csv", ROWS), wire.home.path().join("run"));
    let (rows, run) = (rows.to_str().unwrap(), run.to_str().unwrap());
    let line = ["train", rows, "--model", "ada/small@main", "--output", run, "--max-steps", "2"];
    // A dry run brings no weights.
    let told = wire.says(&[&line[..], &["--dry-run"]].concat());
    assert!(
        told.contains("would be fetched") && told.contains("model.safetensors") && told.contains(&commit),
        "{told}"
    );
    assert!(wire.fetched().is_empty());
    assert!(!wire.home.path().join("hf/hub").exists());
    wire.says(&line);
    let journal = fs::read_to_string(wire.home.path().join("run/journal.jsonl")).unwrap();
    assert!(journal.contains(&format!("\"hub_name\":\"ada/small\",\"commit\":\"{commit}\"")), "{journal}");
    let card = fs::read_to_string(wire.home.path().join("run/README.md")).unwrap();
    assert!(card.contains("base_model: \"ada/small\"") && card.contains(&format!("ada/small/tree/{commit}")), "{card}");
    // Once it is here, a dry run tells the rest.
    let told = wire.says(&["train", rows, "--model", "ada/small", "--output", "run-2", "--dry-run"]);
    assert!(told.contains("estimate") && told.contains("parameters"), "{told}");
}

#[test]
fn fetching_brings_what_the_hub_has_now_and_checks_what_is_here() {
    let (wire, first) = with_model();
    let folder = wire.says(&["fetch", "model", "ada/small", "--quiet"]);
    assert!(folder.trim().ends_with(&first), "{folder}");
    let weights = wire.home.path().join("model/model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    // A byte turns on the disk: the size is the same.
    let cached = fs::canonicalize(wire.home.path().join(format!("{}/model.safetensors", folder.trim()))).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&cached, &bytes).unwrap();
    wire.says(&["fetch", "model", "ada/small"]);
    assert_eq!(fs::read(&cached).unwrap(), fs::read(&weights).unwrap());
    // The branch moves on; a name goes on meaning what is here until somebody asks.
    fs::write(&weights, bytes).unwrap();
    let second = wire.put("ada/small", &wire.home.path().join("model"));
    wire.fetched();
    wire.says(&["predict", "ada/small", "see you"]);
    assert!(wire.fetched().is_empty());
    let copy = wire.home.path().join("copy");
    let printed = wire.says(&["fetch", "model", "ada/small", "--output", copy.to_str().unwrap()]);
    assert_eq!(printed.trim(), copy.to_str().unwrap());
    assert_eq!(fs::read(copy.join("model.safetensors")).unwrap(), fs::read(&weights).unwrap());
    assert_eq!(wire.fetched(), [format!("/ada/small/resolve/{second}/model.safetensors")], "the rest is the same");
    wire.says(&["predict", copy.to_str().unwrap(), "see you"]);
}

#[test]
fn what_cannot_be_had_is_said_and_has_its_number() {
    let (wire, _) = with_model();
    let (code, said) = wire.fails(&["predict", "runs/nothing", "text"]);
    assert!(code == 8 && said.contains("no such folder") && said.contains("tunesmith login"), "{code} {said}");
    let (code, said) = wire.fails(&["predict", "ada/small@v9", "text"]);
    assert!(code == 8 && said.contains("\"v9\""), "{code} {said}");
    let (code, said) = wire.fails(&["predict", "runs/not/there", "text"]);
    assert!(code == 4 && said.contains("runs/not/there"), "{code} {said}");
    wire.hub.make_gated(Kind::Model, "ada/small");
    let (code, said) = wire.fails(&["fetch", "model", "ada/small"]);
    assert!(code == 8 && said.contains("accept its terms") && said.contains("/ada/small"), "{code} {said}");
    wire.hub.add_repo(Kind::Model, "ada/old", &[("config.json", b"{}"), ("vocab.txt", b"a"), ("tf_model.h5", b"x")]);
    let (code, said) = wire.fails(&["fetch", "model", "ada/old"]);
    assert!(code == 4 && said.contains("no model.safetensors"), "{code} {said}");
    let offline = wire.command(&["predict", "ada/small", "text"]).env("HF_HUB_OFFLINE", "1").output().unwrap();
    let said = String::from_utf8(offline.stderr).unwrap();
    assert!(offline.status.code() == Some(8) && said.contains("HF_HUB_OFFLINE"), "{said}");
}

#[test]
fn progress_is_told_in_lines_where_there_is_no_terminal() {
    let (wire, _) = with_model();
    wire.hub.fault(Fault::once("GET /store/", What::Cut(100_000)));
    let output = wire.run(&["fetch", "model", "ada/small"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("fetching model.safetensors, ") && said.contains("going on from there"), "{said}");
}
