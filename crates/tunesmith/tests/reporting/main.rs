//! What `tunesmith train` reports of the test rows: intervals, and a linear baseline beside the model.

use std::process::Command;

use serde_json::{Map, Value};

/// 120 rows that words alone tell apart.
fn rows() -> String {
    let row = |at: usize| match at % 2 {
        0 => format!("the parcel number {} is late,delivery\n", at / 4),
        _ => format!("I want money back for lamp {},refund\n", at / 4),
    };
    "text,label\n".to_owned() + &(0..120).map(row).collect::<String>()
}

/// What a short training prints, and the figures that it leaves behind.
fn train(arguments: &[&str]) -> (String, Map<String, Value>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, rows()).unwrap();
    let output = folder.path().join("run");
    let said = Command::new(env!("CARGO_BIN_EXE_tunesmith"))
        .args(["train", "--model", "scratch:small", "--max-steps", "2", "--threads", "1", "--quiet"])
        .args([file.as_os_str(), "--output".as_ref(), output.as_os_str()])
        .args(["--cache-dir".as_ref(), folder.path().join("cache").as_os_str()])
        .args(arguments)
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let results = std::fs::read_to_string(output.join("all_results.json")).unwrap();
    (String::from_utf8(said.stdout).unwrap(), serde_json::from_str(&results).unwrap())
}

#[test]
fn scores_have_intervals_and_a_baseline_beside_them() {
    let (said, results) = train(&["--test-size", "40"]);
    assert!(said.contains("baseline: TF-IDF of words and word pairs"), "{said}");
    assert!(said.contains("accuracy") && said.contains(" over the baseline, in points"), "{said}");
    assert!(said.contains("McNemar"), "{said}");
    let figure = |name: &str| results[name].as_f64().unwrap_or_else(|| panic!("{name} in {results:?}"));
    for score in ["accuracy", "f1", "log_loss", "matthews_correlation"] {
        let [low, value, high] = ["_low", "", "_high"].map(|end| figure(&format!("test_{score}{end}")));
        assert!(low <= value && value <= high, "{score}: {low} {value} {high}");
        assert!(said.contains(&format!("{value:.4}  (95%: {low:.4} to {high:.4})")), "{score} in {said}");
    }
    assert_eq!(figure("test_baseline_accuracy"), 1.0, "words tell the classes apart");
    let over = figure("test_accuracy") - 1.0;
    assert!((figure("test_over_baseline_accuracy") - over).abs() < 1e-12);
    assert!(figure("test_over_baseline_f1_low") <= figure("test_over_baseline_f1_high"));
    assert!((0.0..=1.0).contains(&figure("test_baseline_mcnemar_p")));
    assert!(results.values().all(Value::is_number), "{results:?}");
    assert!(!results.keys().any(|name| name.starts_with("eval_") && name.ends_with("_low")), "validation rows select");
}

#[test]
fn the_baseline_is_left_out_when_said_and_where_there_is_nothing_to_compare_on() {
    let (said, results) = train(&["--no-baseline"]);
    assert!(!said.contains("baseline") && said.contains("(95%: "), "{said}");
    assert!(!results.keys().any(|name| name.contains("baseline")));
    let (said, results) = train(&["--test-size", "0"]);
    assert!(said.contains("no baseline: there are no test rows\n") && !said.contains("(95%: "), "{said}");
    assert!(!results.keys().any(|name| name.contains("baseline")));
}
