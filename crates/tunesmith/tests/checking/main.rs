//! `tunesmith check`, and the check before a training, as their users meet them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Messages of which every fifth is sent four times, and none resembles another.
fn messages() -> String {
    let words =
        ["parcel", "invoice", "lamp", "voucher", "courier", "basket", "locker", "refund", "button", "island", "tax"];
    let mut rows = String::from("text,label\n");
    for number in 0..100 {
        let text: Vec<&str> = (0..9).map(|at| words[(number * 7 + at * at * (number + 3)) % words.len()]).collect();
        let row =
            format!("{} no {number} {},{}\n", text[..4].join(" "), text[4..].join(" "), ["ham", "spam"][number % 2]);
        rows += &row.repeat(if number % 5 == 0 { 4 } else { 1 });
    }
    rows
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_tunesmith"));
        program.current_dir(self.0.path()).env("XDG_CACHE_HOME", self.0.path().join("cache"));
        program.args(arguments).output().unwrap()
    }

    /// What it prints, which must go well.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(arguments)).unwrap()
    }

    /// How it fails: its exit code and what it says.
    fn fails(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }
}

fn names(found: &Value) -> Vec<&str> {
    found["findings"].as_array().unwrap().iter().map(|finding| finding["name"].as_str().unwrap()).collect()
}

#[test]
fn duplicates_are_kept_together_unless_said_otherwise() {
    let place = Place::new();
    place.file("messages.csv", &messages());
    let together = place.json(&["check", "messages.csv", "--json"]);
    assert_eq!((&together["rows"], &together["duplicates"]), (&160.into(), &60.into()));
    assert!(!names(&together).contains(&"test_in_train"), "{:?}", names(&together));
    let told = place.says(&["check", "messages.csv"]);
    assert!(
        told.contains("60 of 160 rows (37.5%) repeat the text of an earlier row, and no text stands in two splits"),
        "{told}"
    );

    let apart = place.json(&["check", "messages.csv", "--json", "--split-duplicates", "apart", "--test-size", "0.2"]);
    assert_eq!(apart["duplicates"], 60);
    let seen = &apart["leaks"][1]["seen"][0];
    assert_eq!((&apart["leaks"][1]["split"], &seen["in"]), (&"test".into(), &"train".into()));
    assert!(seen["exact"].as_u64().unwrap() > 3, "{seen}");
    assert!(names(&apart).contains(&"test_in_train"), "{:?}", names(&apart));
    let told = place.says(&["check", "messages.csv", "--split-duplicates", "apart", "--test-size", "0.2"]);
    assert!(told.contains(&format!("{} of 32 test rows", seen["exact"])), "{told}");
}

#[test]
fn the_flags_are_those_of_train() {
    let place = Place::new();
    place.file("rows.tsv", "spam\twin a \"prize\"\nham\tsee you\nspam\twin it now\nham\tsee me\n");
    place.file("tested.tsv", "spam\twin a \"prize\"\nham\tbye\n");
    place.file("my.toml", "train = \"rows.tsv\"\nquote = \"none\"\nheader = false\nlabel_column = \"1\"\ntext_column = \"2\"\nlr = 1e-4\n");
    let found = place.json(&["check", "--recipe", "my.toml", "--test", "tested.tsv", "--json", "--seed", "7"]);
    assert_eq!((&found["rows"], &found["leaks"][0]["rows"]), (&6.into(), &serde_json::json!([1])));
    let help = place.says(&["check", "--help"]);
    assert!(help.contains("--split-duplicates") && !help.contains("--eval-on") && !help.contains("--learning-rate"));
}

#[test]
fn strict_ends_with_a_code_of_its_own_after_telling_everything() {
    let place = Place::new();
    place.file("messages.csv", &messages());
    let arguments = ["check", "messages.csv", "--strict", "--split-duplicates", "apart", "--test-size", "0.2"];
    let output = place.run(&arguments);
    assert_eq!(output.status.code(), Some(7));
    assert!(String::from_utf8_lossy(&output.stdout).contains("test_in_train"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("tunesmith failed to accept the rows under --strict"), "{said}");
    let unreadable = place.fails(&["check", "absent.csv", "--strict"]);
    assert_eq!(unreadable.0, 3, "{}", unreadable.1);
    // Notes alone are let pass.
    let rows: String = (0..40)
        .map(|row| format!("message {} number {row} of {},{}\n", row * 37, row * 11, ["a", "b"][row % 2]))
        .collect();
    place.file("sound.csv", &format!("text,label\n{rows}"));
    place.says(&["check", "sound.csv", "--strict"]);
}

#[test]
fn the_example_inside_the_program_is_sound() {
    let found = Place::new().json(&["check", "--json", "--strict"]);
    assert_eq!((&found["rows"], &found["duplicates"]), (&1449.into(), &0.into()));
    assert_eq!(
        found["leaks"],
        serde_json::json!([
            {"split": "validation", "seen": [{"in": "train", "exact": 0, "normalised": 0, "near": 0}], "rows": []},
            {
                "split": "test",
                "seen": [
                    {"in": "train", "exact": 0, "normalised": 0, "near": 0},
                    {"in": "validation", "exact": 0, "normalised": 0, "near": 0},
                ],
                "rows": [],
            },
        ])
    );
}

#[test]
fn a_training_tells_keeps_and_if_asked_refuses_what_was_found() {
    let place = Place::new();
    place.file("messages.csv", &messages());
    let train = |more: &[&str]| {
        let usual = ["train", "messages.csv", "--model", "scratch:small", "--max-steps", "1", "--output", "run"];
        place.run(&[&usual[..], more].concat())
    };
    let plan = String::from_utf8(train(&["--dry-run"]).stdout).unwrap();
    assert!(plan.contains("\ncheck       ") && plan.contains("no text stands in two splits"), "{plan}");

    let refused = train(&["--strict", "--split-duplicates", "apart"]);
    assert_eq!(refused.status.code(), Some(7), "{}", String::from_utf8_lossy(&refused.stderr));
    assert!(!Path::new(&place.0.path().join("run")).exists(), "nothing was begun");

    let trained = train(&[]);
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let kept: Value =
        serde_json::from_str(&std::fs::read_to_string(place.0.path().join("run/check.json")).unwrap()).unwrap();
    assert_eq!(kept["duplicates"], 60);
    let again = train(&["--overwrite", "--quiet"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn a_model_tells_what_it_cuts() {
    let place = Place::new();
    place.file("messages.csv", &messages());
    let trained =
        place.run(&["train", "messages.csv", "--model", "scratch:small", "--max-steps", "1", "--output", "run"]);
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let found = place.json(&["check", "messages.csv", "--model", "run", "--max-length", "6", "--json"]);
    let cut = found["findings"].as_array().unwrap().iter().find(|finding| finding["name"] == "truncated").unwrap();
    assert_eq!(cut["count"], 160);
    let (code, said) = place.fails(&["check", "messages.csv", "--model", "scratch:small"]);
    assert!(code == 1 && said.contains("learnt in training"), "{said}");
}
