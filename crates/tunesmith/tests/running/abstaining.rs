//! Scores that were made honest, and answers that are withheld.

use serde_json::Value;

use crate::bench::{Bench, run, said};

/// A label for each line, or none.
fn labels(bench: &Bench, more: &[&str]) -> Vec<Option<String>> {
    let (model, input) = (bench.path("run"), bench.path("rows.csv"));
    let mut arguments: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&"predict", &model, &"--input", &input, &"--json"];
    arguments.extend(more.iter().map(|word| word as &dyn AsRef<std::ffi::OsStr>));
    let text = said(run(&arguments));
    let label = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
    text.lines().map(|line| label(line)["predicted_label"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_temperature_is_fitted_on_validation_rows_and_told() {
    let bench = Bench::new();
    let said = bench.trained("run", &["--epochs", "12", "--load-best-model-at-end=false"]);
    let told = bench.json("run", "calibration.json");
    let temperature = told["temperature"].as_f64().unwrap_or_else(|| panic!("{told:#}\n{said}"));
    assert_eq!(bench.json("run", "config.json")["tunesmith"]["temperature"].as_f64(), Some(temperature));
    let loss = |split: &str, when: &str| told[split][when]["loss"].as_f64().unwrap();
    assert!(loss("validation", "after") < loss("validation", "before") + 1e-9, "{told:#}");
    let results = bench.json("run", "all_results.json");
    assert!(
        (loss("test", "after") - results["test_loss"].as_f64().unwrap()).abs() < 1e-9,
        "what is told is what is served"
    );
    assert_eq!(told["fitted_on"]["rows"], 60);
    assert_eq!(told["thresholds"].as_object().unwrap().len(), 2);

    bench.trained("plain", &["--epochs", "12", "--load-best-model-at-end=false", "--no-calibrate"]);
    assert!(!bench.path("plain").join("calibration.json").exists());
    assert!(bench.json("plain", "config.json").get("tunesmith").is_none());
}

#[test]
fn low_scores_get_no_label() {
    let bench = Bench::new();
    bench.trained("run", &["--epochs", "6", "--quiet"]);
    let all = labels(&bench, &[]);
    assert!(all.iter().all(Option::is_some));
    let none = labels(&bench, &["--abstain-below", "1"]);
    assert!(none.iter().all(Option::is_none), "nothing is that sure");
    let run_folder = bench.path("run");
    let missing = run(&[&"predict", &run_folder, &"a", &"--abstain-below-precision", &"2"]);
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn without_validation_rows_nothing_is_fitted() {
    let bench = Bench::new();
    let refused = bench.train("run", &["--validation-size", "0", "--abstain-below-precision", "0.9"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no validation rows"));
    bench.trained("run", &["--validation-size", "0", "--epochs", "1", "--quiet"]);
    assert!(!bench.path("run").join("calibration.json").exists());
}
