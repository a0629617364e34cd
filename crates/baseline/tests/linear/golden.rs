//! Against scikit-learn (`golden/baseline.py`).

use std::path::{Path, PathBuf};

use baseline::{Settings, fit};
use metrics::ClassificationMetrics;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Both are solved to the last digits that their stopping rules see; features and weights are kept in single precision.
const TOLERANCE: f64 = 2e-4;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn golden() -> Value {
    let path = root().join("golden/fixtures/baseline.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn list<T: DeserializeOwned>(value: &Value) -> Vec<T> {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

fn settings(case: &Value) -> Settings {
    Settings { c: Some(case["c"].as_f64().unwrap()), sublinear: case["sublinear"].as_bool().unwrap() }
}

/// Logits as the fixture has them: of two classes the distance, of more centred in each row.
fn comparable(logits: &[f32], n_classes: usize) -> Vec<Vec<f64>> {
    let row = |row: &[f32]| {
        let row: Vec<f64> = row.iter().map(|logit| f64::from(*logit)).collect();
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        if n_classes == 2 { vec![row[1] - row[0]] } else { row.iter().map(|logit| logit - mean).collect() }
    };
    logits.chunks_exact(n_classes).map(row).collect()
}

fn largest_difference(found: &[Vec<f64>], expected: &[Vec<f64>]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().flatten().zip(expected.iter().flatten());
    pairs.map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max)
}

#[test]
fn logits_are_scikit_learns() {
    for case in golden()["small"].as_array().unwrap() {
        let n_classes = case["classes"].as_u64().unwrap() as usize;
        let model = fit(&list(&case["texts"]), &list::<u32>(&case["labels"]), n_classes, &settings(case)).unwrap();
        assert_eq!(model.n_features() as u64, case["features"].as_u64().unwrap());
        let found = comparable(&model.logits(&list(&case["asked"])), n_classes);
        let difference = largest_difference(&found, &list(&case["logits"]));
        println!("{n_classes} classes, {:?}: {difference:e}", settings(case));
        assert!(difference < TOLERANCE, "{difference} in {case}");
    }
}

/// A split of the example that is inside the program.
pub(crate) fn example(split: &str) -> (Vec<String>, Vec<u32>) {
    const LABELS: [&str; 5] = ["account", "billing", "delivery", "product", "returns"];
    let path = root().join("examples/support-desk").join(split);
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        (row[0].to_owned(), LABELS.iter().position(|label| *label == &row[1]).unwrap() as u32)
    });
    rows.unzip()
}

#[test]
fn scores_on_the_example_are_scikit_learns() {
    let ((texts, labels), (asked, truth)) = (example("train.csv"), example("test.csv"));
    for case in golden()["example"].as_array().unwrap() {
        let model = fit(&texts, &labels, 5, &settings(case)).unwrap();
        assert_eq!(model.n_features() as u64, case["features"].as_u64().unwrap());
        let logits = model.logits(&asked);
        let difference = largest_difference(&comparable(&logits[..25], 5), &list(&case["first_logits"]));
        let metrics = ClassificationMetrics::compute(&truth, &logits, 5).unwrap();
        let (accuracy, f1) = (case["accuracy"].as_f64().unwrap(), case["f1"].as_f64().unwrap());
        println!(
            "{:?}: accuracy {}, f1 {}; logits differ by {difference:e}",
            settings(case),
            metrics.accuracy,
            metrics.macro_average.f1
        );
        assert!(difference < TOLERANCE, "{difference}");
        // Not a row decided otherwise.
        assert!((metrics.accuracy - accuracy).abs() < 1e-12 && (metrics.macro_average.f1 - f1).abs() < 1e-12);
    }
}

#[test]
fn the_chosen_penalty_is_no_worse_than_scikit_learns_default() {
    let ((texts, labels), (asked, truth)) = (example("train.csv"), example("test.csv"));
    let of = |c| {
        let model = fit(&texts, &labels, 5, &Settings { c, ..Settings::default() }).unwrap();
        let metrics = ClassificationMetrics::compute(&truth, &model.logits(&asked), 5).unwrap();
        println!("C {}: {metrics:?}", model.c());
        metrics
    };
    let (chosen, usual) = (of(None), of(Some(1.0)));
    assert!(chosen.accuracy >= usual.accuracy && chosen.log_loss < usual.log_loss);
}
