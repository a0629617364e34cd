//! Runs shown, and several side by side.

use std::fs;

use journal::{Event, Split};
use runs::{Paired, compare, open, page};
use serde_json::json;

use crate::desk::{put, told};

#[test]
fn a_run_is_shown_with_all_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    let mut records = told("run", 0, 0.9);
    records[5].event = Event::Notice { message: "texts are long".to_owned() };
    let run = put(folder.path(), "run", &records);
    fs::write(run.join("all_results.json"), "{\"test_f1\": 0.8, \"test_ece\": 0.05, \"note\": \"x\"}").unwrap();
    let run = open("run", folder.path()).unwrap();
    let evaluations: Vec<_> =
        run.evaluations.iter().map(|found| (found.split, found.step, found.metrics["f1"])).collect();
    assert_eq!(evaluations, [(Split::Eval, 100, 0.9), (Split::Eval, 200, 0.8), (Split::Test, 200, 0.8)]);
    assert_eq!(run.notices, ["texts are long"]);
    assert_eq!((run.entry.summary.figures["test_ece"], run.entry.summary.figures["eval_f1"]), (0.05, 0.9));
    assert_eq!(open(run.entry.folder.to_str().unwrap(), folder.path()).unwrap(), run, "by its folder or by its name");
    let shown = serde_json::to_value(&run).unwrap();
    assert_eq!(
        (&shown["name"], &shown["status"], &shown["began"]),
        (&json!("run"), &json!("finished"), &json!("2023-11-14T22:13:30.000Z"))
    );
}

fn two(folder: &std::path::Path) -> Vec<runs::Run> {
    for (name, f1, predicted) in [("<b>one", 0.9, "b"), ("two", 0.8, "a")] {
        let run = put(folder, name, &told(name, 0, f1));
        fs::write(run.join("test_predictions.csv"), format!("row,label,predicted\n1,a,{predicted}\n2,a,a\n")).unwrap();
    }
    ["<b>one", "two"].map(|name| open(name, folder).unwrap()).into()
}

#[test]
fn what_differs_stands_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let runs = two(folder.path());
    let found = compare(&runs, |pair| Some(f64::from(pair.rows as u32) / 10.0));
    assert_eq!(found.settings.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["learning_rate"]);
    assert_eq!(found.settings[0].values, [Some(json!(0.0009)), Some(json!(0.0008))]);
    let names: Vec<&str> = found.figures.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["test_loss", "test_f1", "eval_loss", "eval_f1"], "bounds belong to their figure");
    assert_eq!(found.figures[1].values[0].unwrap().bounds, Some((0.9 - 0.2, 0.9 - 0.05)));
    assert_eq!(
        (found.paired[0].paired, found.paired[0].p_value),
        (Paired { rows: 2, only_first: 0, only_second: 1 }, Some(0.2))
    );
    let shown = serde_json::to_value(&found).unwrap();
    assert_eq!(
        shown["paired"][0],
        json!({"first": 0, "second": 1, "rows": 2, "only_first": 0, "only_second": 1, "p_value": 0.2})
    );
}

#[test]
fn a_page_holds_all_and_loads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let runs = two(folder.path());
    let text = page(&runs, &compare(&runs, |_| None));
    for held in [
        "<svg",
        "Training loss",
        "Validation: f1",
        "Learning rate",
        "learning_rate",
        "Only the first",
        "prefers-color-scheme: dark",
    ] {
        assert!(text.contains(held), "{held} is not in\n{text}");
    }
    assert!(text.contains("&lt;b&gt;one") && !text.contains("<b>one"));
    for loading in ["http:", "https:", "src=", "href=", "@import", "url("] {
        assert!(!text.contains(loading), "{loading}");
    }
}

#[test]
fn predictions_that_cannot_be_compared_are_a_problem_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let runs = two(folder.path());
    fs::write(runs[1].entry.folder.join("test_predictions.csv"), "half a li").unwrap();
    let found = compare(&runs, |_| None);
    assert!(found.paired.is_empty() && found.problems[0].what.contains("no column"), "{:?}", found.problems);
    assert_eq!(found.settings.len(), 1);
}
