//! A job on a few rows, and the program to run it with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Check, train and evaluate, on a network that trains in a moment.
pub(crate) const JOB: &str = r#"
[parameters]
n_epochs = 2

[steps.check]
uses = "check"
inputs.file = { file = "rows.csv" }

[steps.train]
uses = "train"
inputs.file = { file = "rows.csv" }
secrets = ["MY_TOKEN"]

[steps.train.with]
model = "scratch:small"
num_train_epochs = "${n_epochs}"
max_length = 16
batch_size = 8
lr = 1e-3
validation_size = 0.3
test_size = 0.2
precision = "f32"
baseline = false
save_strategy = "steps"
save_steps = 2

[steps.evaluate]
uses = "evaluate"
inputs.model = { step = "train" }
inputs.file = { file = "unseen.csv" }
with.precision = "f32"
"#;

/// What is secret.
pub(crate) const TOKEN: &str = "tok-very-hidden-0815";

/// A folder with `job.toml`, `rows.csv` and `unseen.csv`.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        bench.write("job.toml", JOB);
        bench.write("rows.csv", &rows(80));
        bench.write("unseen.csv", &rows(20));
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    /// The program in this folder, with nothing of the user's around it.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tunesmith"));
        command.args(arguments).current_dir(self.folder.path());
        command.env("XDG_CACHE_HOME", self.path("cache")).env("HOME", self.path("home")).env("MY_TOKEN", TOKEN);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn ask(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().unwrap()
    }

    /// `tunesmith run job.toml --json ...`, which must go well, as events.
    pub(crate) fn run(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.ask(&[&["run", "job.toml", "--json"], arguments].concat());
        assert!(output.status.success(), "{}", said(&output));
        events(&output)
    }

    /// How it fails: its exit code and its message.
    pub(crate) fn fails(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.ask(arguments);
        assert!(!output.status.success(), "{}", said(&output));
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Every line of standard output.
pub(crate) fn events(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

/// All that a program said.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// `step:ending` of each step, in the order of their names.
pub(crate) fn endings(events: &[Value]) -> String {
    let ends = events.iter().filter(|event| event["event"] == "ends");
    let mut endings: Vec<String> = ends
        .map(|event| format!("{}:{}", event["step"].as_str().unwrap(), event["ending"].as_str().unwrap()))
        .collect();
    endings.sort();
    endings.join(" ")
}

/// Where the output of a step is.
pub(crate) fn output(events: &[Value], step: &str) -> PathBuf {
    let end = events.iter().find(|event| event["event"] == "ends" && event["step"] == step).unwrap();
    Path::new(end["output"].as_str().unwrap()).to_owned()
}

/// Messages whose label follows from their words.
fn rows(count: usize) -> String {
    let row = |at: usize| {
        let thing = ["parcel", "letter", "lamp", "chair", "coat"][at / 2 % 5];
        if at.is_multiple_of(2) {
            format!("late,where is my {thing} number {at}\n")
        } else {
            format!("refund,money back for the {thing} {at}\n")
        }
    };
    "label,text\n".to_owned() + &(0..count).map(row).collect::<String>()
}
