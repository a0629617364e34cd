//! Scores that were made honest stay so in the folder, for every reader, and can be undone.

use std::fs;

use classifier::{Calibration, Error};
use encoder::Activations;
use serde_json::{Value, json};

use crate::ground::{TEXTS, load, start, write_config, write_encoder};

fn scores(classifier: &classifier::Classifier<kernels::Cpu>) -> Vec<Vec<f32>> {
    let mut activations = Activations::for_inference(classifier.network());
    classifier.predict(&TEXTS, &mut activations).unwrap().into_iter().map(|said| said.scores).collect()
}

/// The logarithm of the ratio of the first two scores, which is the difference of their logits.
fn differences(scores: &[Vec<f32>]) -> Vec<f64> {
    scores.iter().map(|row| (f64::from(row[0]) / f64::from(row[1])).ln()).collect()
}

fn assert_near(found: &[f64], expected: &[f64]) {
    for (found, expected) in found.iter().zip(expected) {
        // bf16 rounds the divided weights anew: 2^-9 of each product at most.
        assert!((found - expected).abs() < 0.02, "{found} should be {expected}");
    }
}

#[test]
fn logits_are_divided_for_every_reader_and_the_record_undoes_it() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_encoder(from.path());
    let (mut classifier, _) = start(from.path(), None).unwrap();
    let before = differences(&scores(&classifier));
    assert!(before.iter().any(|difference| difference.abs() > 0.2), "it must be about something: {before:?}");
    classifier.divide_logits(4.0);
    classifier.divide_logits(0.5);
    classifier.save(to.path()).unwrap();

    let halved: Vec<f64> = before.iter().map(|difference| difference / 2.0).collect();
    let mut again = load(to.path()).unwrap();
    assert_near(&differences(&scores(&again)), &halved);
    assert_eq!(again.calibration(), Calibration { temperature: Some(2.0), abstain_below: None });
    again.undo_calibration();
    assert_near(&differences(&scores(&again)), &before);

    // A program that knows nothing of the key finds the same weights.
    let config: Value = serde_json::from_slice(&fs::read(to.path().join("config.json")).unwrap()).unwrap();
    assert_eq!(config["tunesmith"], json!({"temperature": 2.0}));
    let mut foreign = config.as_object().cloned().unwrap();
    foreign.remove("tunesmith");
    write_config(to.path(), &foreign);
    let mut foreign = load(to.path()).unwrap();
    assert_near(&differences(&scores(&foreign)), &halved);
    foreign.undo_calibration();
    assert_near(&differences(&scores(&foreign)), &halved);
}

#[test]
fn a_low_score_gets_no_label() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_encoder(from.path());
    let (mut classifier, _) = start(from.path(), None).unwrap();
    let best: Vec<f32> = scores(&classifier).iter().map(|row| row.iter().copied().fold(0.0, f32::max)).collect();
    let mut sorted = best.clone();
    sorted.sort_by(f32::total_cmp);
    let level = f64::from(sorted[3]);
    classifier.abstain_below(Some(level));
    classifier.save(to.path()).unwrap();
    let classifier = load(to.path()).unwrap();
    let mut activations = Activations::for_inference(classifier.network());
    let said = classifier.predict(&TEXTS, &mut activations).unwrap();
    let abstained: Vec<bool> = said.iter().map(|said| said.abstains).collect();
    assert_eq!(abstained, best.iter().map(|&best| f64::from(best) < level).collect::<Vec<_>>());
    assert!(abstained.contains(&true) && abstained.contains(&false), "{abstained:?}");
}

#[test]
fn a_new_training_forgets_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut json = write_encoder(folder.path());
    json.insert("tunesmith".into(), json!({"temperature": 3.0, "abstain_below": 0.9}));
    write_config(folder.path(), &json);
    let (classifier, _) = start(folder.path(), None).unwrap();
    assert_eq!(classifier.calibration(), Calibration::default());
    assert!(classifier.network().config().own().is_none());
}

#[test]
fn a_record_that_is_none_is_refused() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_encoder(from.path());
    start(from.path(), None).unwrap().0.save(to.path()).unwrap();
    let config: Value = serde_json::from_slice(&fs::read(to.path().join("config.json")).unwrap()).unwrap();
    for bad in [json!(3), json!({"temperature": 0}), json!({"temperature": -1.5}), json!({"abstain_below": 1.5})] {
        let mut json = config.as_object().cloned().unwrap();
        json.insert("tunesmith".into(), bad.clone());
        write_config(to.path(), &json);
        let error = load(to.path()).err().unwrap_or_else(|| panic!("{bad} should be refused"));
        assert!(matches!(error, Error::Calibration { .. }), "{error}");
        assert!(error.to_string().contains("config.json"), "{error}");
    }
}
