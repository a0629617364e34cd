//! `tunesmith evaluate` as its users meet it.

use crate::desk::{Desk, ROWS, csv, objects, scores};
use serde_json::Value;
use train::metrics::{ClassificationMetrics, Metric};

const LABELS: [&str; 3] = ["delivery", "other", "refund"];

/// The metrics of what `predict` says of [`ROWS`].
fn of_predictions(desk: &Desk) -> ClassificationMetrics {
    let input = desk.file("asked.csv", csv("\n"));
    let said = desk.says("predict", &[&"-i", &input, &"--output-format", &"jsonl"], "");
    let id = |label: &str| LABELS.iter().position(|known| *known == label).unwrap() as u32;
    let truth: Vec<u32> = ROWS.iter().map(|(_, label)| id(label)).collect();
    let scores: Vec<f64> = objects(&said).iter().flat_map(|row| scores(&row["scores"])).map(f64::from).collect();
    ClassificationMetrics::from_probabilities(&truth, &scores, LABELS.len()).unwrap()
}

#[test]
fn the_scores_are_those_of_what_predict_says() {
    let desk = Desk::new();
    let expected = of_predictions(&desk);
    let file = desk.file("rows.csv", csv("\n"));
    let said: Value = serde_json::from_str(&desk.says("evaluate", &[&file, &"--json"], "")).unwrap();
    for metric in Metric::all().filter(|metric| *metric != Metric::Loss) {
        let (ours, theirs) = (said[metric.name()].as_f64().unwrap(), expected.value(metric).unwrap());
        // Scores are single precision, and the metrics are computed from logits in double precision.
        assert!((ours - theirs).abs() < 1e-6, "{}: {ours} and {theirs}", metric.name());
    }
    let confusion: Vec<Vec<u64>> = serde_json::from_value(said["confusion_matrix"].clone()).unwrap();
    assert_eq!(confusion, expected.confusion.counts());
    assert_eq!(said["per_class"]["refund"]["support"], 2);
    assert_eq!(said["samples"], 8);
    for metric in ["accuracy", "f1", "roc_auc", "loss"] {
        let [low, value, high] = ["_low", "", "_high"].map(|end| said[format!("{metric}{end}")].as_f64().unwrap());
        assert!(low <= value && value <= high && low < high, "{metric}: {low} {value} {high}");
    }

    let report = desk.says("evaluate", &[&file], "");
    assert!(report.contains(&expected.classification_report(&LABELS, 4).unwrap()), "{report}");
    assert!(report.contains(&expected.confusion_table(&LABELS).unwrap()), "{report}");
    let [low, high] = ["low", "high"].map(|end| said[format!("accuracy_{end}")].as_f64().unwrap());
    let line = format!("accuracy                {:.4}  (95%: {low:.4} to {high:.4})\n", expected.accuracy);
    assert!(report.contains(&line), "{line} in {report}");
}

#[test]
fn the_file_of_scores_is_what_json_prints() {
    let desk = Desk::new();
    let (file, output) = (desk.file("rows.csv", csv("\n")), desk.path("scores.json"));
    let read = |text: &str| {
        let mut scores: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap();
        scores.retain(|name, _| name != "runtime" && name != "samples_per_second");
        scores
    };
    let printed = desk.says("evaluate", &[&file, &"--json", &"--threads", &"1", &"--batch-size", &"1"], "");
    desk.says("evaluate", &[&file, &"--output", &output], "");
    assert_eq!(read(&std::fs::read_to_string(&output).unwrap()), read(&printed));
}

#[test]
fn labels_may_be_ids() {
    let desk = Desk::new();
    let ids = ROWS.iter().map(|(text, label)| {
        let id = LABELS.iter().position(|known| known == label).unwrap();
        serde_json::json!({"content": text, "target": id}).to_string() + "\n"
    });
    let ids = desk.file("ids.jsonl", ids.collect::<String>());
    let names = desk.file("names.csv", csv("\n"));
    let accuracy =
        |file| serde_json::from_str::<Value>(&desk.says("evaluate", &[file, &"--json"], "")).unwrap()["f1"].clone();
    assert_eq!(accuracy(&ids), accuracy(&names));
}

#[test]
fn a_sample_keeps_proportions_and_repeats() {
    let desk = Desk::new();
    let file = desk.file("rows.csv", csv("\n"));
    let sample = |seed: &str| {
        let said = desk.says("evaluate", &[&file, &"--json", &"--max-samples", &"5", &"--seed", &seed], "");
        serde_json::from_str::<Value>(&said).unwrap()
    };
    let first = sample("1");
    assert_eq!(first["samples"], 5);
    assert_eq!(
        (first["per_class"]["delivery"]["support"].as_u64(), first["per_class"]["refund"]["support"].as_u64()),
        (Some(2), Some(1))
    );
    assert_eq!(first["log_loss"], sample("1")["log_loss"]);
    assert!((2..20).any(|seed| sample(&seed.to_string())["log_loss"] != first["log_loss"]));
}

#[test]
fn a_label_that_the_model_does_not_know_is_named() {
    let desk = Desk::new();
    let file = desk.file("rows.csv", "text,label\na,refund\nb,praise\n");
    let (code, said) = desk.fails("evaluate", &[&file]);
    assert_eq!(code, 3);
    assert!(
        said.contains("row 2 (line 3)") && said.contains("\"praise\"") && said.contains("the model knows"),
        "{said}"
    );
    let file = desk.file("unlabelled.csv", "text,label\na,\n");
    let (code, said) = desk.fails("evaluate", &[&file]);
    assert_eq!((code, said.contains("row 1")), (3, true), "{said}");
}

#[test]
fn quiet_says_the_report_alone() {
    let desk = Desk::new();
    let file = desk.file("rows.csv", csv("\n"));
    let output = desk.run("evaluate", &[&file, &"--quiet"], "");
    assert!(output.stderr.is_empty() && !output.stdout.is_empty());
    let output = desk.run("evaluate", &[&file], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("\"text\" (found by its name)") && said.contains("1 empty texts"), "{said}");
}
