//! The result files beside those that the Trainer wrote (`golden/fixtures/trainer_output`).

use std::collections::BTreeSet;
use std::path::Path;

use encoder::Activations;
use journal::Split;
use serde_json::{Map, Value};
use train::{IntervalStrategy, Results, TrainingArguments, add_urls, evaluate, latest_checkpoint};

use crate::tiny::{Done, Ground, saving};

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap()
}

fn theirs(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/fixtures/trainer_output");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn keys(object: &Map<String, Value>) -> BTreeSet<&str> {
    object.keys().map(String::as_str).collect()
}

/// The run that the fixture's settings describe, of our own rows.
fn run(output: &Path) -> (Ground, Done) {
    let ground = Ground::new();
    let arguments = TrainingArguments {
        eval_strategy: IntervalStrategy::Epoch,
        save_strategy: IntervalStrategy::Epoch,
        logging_steps: 3.0,
        load_best_model_at_end: true,
        metric_for_best_model: Some("f1".into()),
        ..saving()
    };
    let done = ground.run(ground.attempt(&arguments, output));
    done.outcome();
    (ground, done)
}

#[test]
fn results_have_the_keys_and_the_form() {
    let folder = tempfile::tempdir().unwrap();
    let (ground, done) = run(folder.path());
    let mut results = Results::default();
    results.add_training(done.outcome(), 26);
    let mut activations = Activations::for_inference(done.classifier.network());
    for split in [Split::Eval, Split::Test] {
        let rows = ground.examples(26..40);
        let evaluation = evaluate(
            &done.classifier,
            &rows,
            8,
            &mut activations,
            split,
            &mut |_: &_| {},
            &std::sync::atomic::AtomicBool::new(false),
        )
        .unwrap();
        results.add_evaluation(split, &evaluation, rows.len());
        if split == Split::Test {
            results.add_intervals(split, &evaluation.intervals(&rows.labels).unwrap());
        }
    }
    results.write(folder.path()).unwrap();
    for name in ["all_results.json", "train_results.json", "eval_results.json", "test_results.json"] {
        let ours = std::fs::read_to_string(folder.path().join(name)).unwrap();
        let (own, expected) = (object(&ours), object(&theirs(name)));
        let missing: Vec<_> = keys(&expected).difference(&keys(&own)).copied().collect();
        assert_eq!(missing, Vec::<&str>::new(), "{name}");
        assert!(own.keys().is_sorted(), "{name}: keys are sorted");
        // Theirs read and written again by `serde_json` with four spaces is theirs to the letter: so must ours be.
        for text in [&ours, &theirs(name)] {
            let mut again = Vec::new();
            let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
            let mut serializer = serde_json::Serializer::with_formatter(&mut again, formatter);
            serde::Serialize::serialize(&object(text), &mut serializer).unwrap();
            assert_eq!(text.as_bytes(), again, "{name}");
        }
        for (key, value) in &own {
            assert_eq!(value.is_i64(), key.ends_with("_samples"), "{name}: {key} is {value}");
            let digits = value.to_string().split_once('.').map_or(0, |(_, digits)| digits.len());
            let most = if key.ends_with("runtime") { 4 } else { 3 };
            let is_speed = key.ends_with("runtime") || key.ends_with("_per_second");
            assert!(!is_speed || digits <= most, "{name}: {key} is {value}");
        }
    }
    assert_eq!(results.all()["train_loss"], done.outcome().state.mean_loss(), "a loss is not rounded");
    assert_eq!(results.all()["epoch"], 2.0);
    let figure = |name: &str| results.all()[name].as_f64().unwrap();
    assert!(figure("test_loss_low") < figure("test_loss") && figure("test_loss") < figure("test_loss_high"));
    let train = object(&std::fs::read_to_string(folder.path().join("train_results.json")).unwrap());
    assert!(train.keys().all(|key| key == "epoch" || key.starts_with("train_")), "{train:?}");
}

#[test]
fn addresses_are_added_to_results_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let url = || [("mlflow".to_owned(), "https://tracker.test/1".to_owned())];
    add_urls(folder.path(), url()).unwrap();
    let file = folder.path().join("all_results.json");
    assert!(!file.exists(), "a run is not finished by its address");
    let mut results = Results::default();
    results.add_figures([("test_f1".to_owned(), 1.0 / 3.0), ("zero".to_owned(), 0.0)]);
    results.write(folder.path()).unwrap();
    add_urls(folder.path(), url()).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        text,
        "{\n    \"mlflow_url\": \"https://tracker.test/1\",\n    \"test_f1\": 0.3333333333333333,\n    \"zero\": 0.0\n}"
    );
    results.add_urls(url());
    assert_eq!(results.named().len(), 2, "figures are what they were");
    std::fs::write(&file, "damaged").unwrap();
    assert!(add_urls(folder.path(), url()).unwrap_err().to_string().contains("all_results.json"));
}

#[test]
fn the_trainer_state_has_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let (_, done) = run(folder.path());
    let expected = object(&theirs("trainer_state.json"));
    let checkpoint = latest_checkpoint(folder.path()).unwrap();
    let saved = object(&std::fs::read_to_string(checkpoint.join("trainer_state.json")).unwrap());
    for state in [done.outcome().state_json.as_object().unwrap(), &saved] {
        let extra: Vec<_> = keys(state).difference(&keys(&expected)).copied().collect();
        assert_eq!(extra, ["tunesmith"], "what a resume needs stands under one key");
        assert_eq!(keys(&expected).difference(&keys(state)).count(), 0);
        for (key, value) in &expected {
            let same_kind = std::mem::discriminant(value) == std::mem::discriminant(&state[key]);
            assert!(same_kind, "{key} is {} here and {value} there", state[key]);
        }
    }

    // Each entry of theirs has an entry of ours with its keys: logs, evaluations, and the end.
    let history = |state: &Map<String, Value>| state["log_history"].as_array().unwrap().clone();
    let ours = history(done.outcome().state_json.as_object().unwrap());
    for kind in ["loss", "eval_loss", "train_loss"] {
        let find = |entries: &[Value]| entries.iter().find(|entry| !entry[kind].is_null()).cloned().unwrap();
        let (own, expected) = (find(&ours), find(&history(&expected)));
        let (own, expected) = (own.as_object().unwrap(), expected.as_object().unwrap());
        let missing: Vec<_> = keys(expected).difference(&keys(own)).copied().collect();
        assert_eq!(missing, Vec::<&str>::new(), "{kind}");
        if kind != "eval_loss" {
            assert_eq!(keys(own), keys(expected), "{kind}: nothing beyond theirs");
        }
    }
    let steps: Vec<_> = ours.iter().map(|entry| entry["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [3, 6, 7, 9, 12, 14, 14], "logs every 3, evaluations at 7 and 14, the end");
}
