//! Labels by the thresholds that a run found for its classes.

use serde_json::Value;

use crate::bench::{Bench, run, said};

#[test]
fn labels_go_by_the_thresholds_of_the_run() {
    let bench = Bench::new();
    bench.trained("run", &["--epochs", "3", "--quiet"]);
    let (model, input) = (bench.path("run"), bench.path("rows.csv"));
    // So far apart that labels change.
    let mut told = bench.json("run", "calibration.json");
    let names: Vec<String> = told["thresholds"].as_object().unwrap().keys().cloned().collect();
    told["thresholds"][&names[0]]["threshold"] = 0.875.into();
    told["thresholds"][&names[1]]["threshold"] = 0.0625.into();
    std::fs::write(model.join("calibration.json"), told.to_string()).unwrap();

    let rows = |more: &[&str]| -> Vec<Value> {
        let mut words: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&"predict", &model, &"--input", &input, &"--json"];
        words.extend(more.iter().map(|word| word as &dyn AsRef<std::ffi::OsStr>));
        said(run(&words)).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (plain, asked) = (rows(&[]), rows(&["--use-thresholds"]));
    let score = |row: &Value, name: &str| row["scores"][name].as_f64().unwrap();
    for (plain, asked) in plain.iter().zip(&asked) {
        assert_eq!(plain["scores"], asked["scores"]);
        let expected = if score(asked, &names[1]) / 0.0625 > score(asked, &names[0]) / 0.875 { 1 } else { 0 };
        assert_eq!(asked["predicted_label"], names[expected].as_str());
        assert_eq!(asked["score"], asked["scores"][&names[expected]]);
    }
    assert!(plain.iter().zip(&asked).any(|(plain, asked)| plain["predicted_label"] != asked["predicted_label"]));

    let raw = run(&[&"predict", &model, &"a", &"--use-thresholds", &"--raw"]);
    assert_eq!(raw.status.code(), Some(2), "thresholds are of calibrated scores");
    std::fs::remove_file(model.join("calibration.json")).unwrap();
    let without = run(&[&"predict", &model, &"a", &"--use-thresholds"]);
    assert_eq!(without.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&without.stderr).contains("calibration.json"));
}
