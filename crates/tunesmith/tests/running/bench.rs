//! A small labelled file, and the program to train on it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use journal::{Event, Record};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with `rows.csv` in it, and room for runs.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    /// Two hundred messages whose label follows from their words, but for some that are labelled at random.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (places, things) = (["here", "there", "at home", "in town"], ["parcel", "letter", "lamp", "chair", "coat"]);
        let rows: String = (0..200)
            .map(|at| {
                let is_late = at % 2 == 0;
                let (place, thing) = (places[at / 2 % 4], things[at / 8 % 5]);
                let said = if is_late { "where is my" } else { "I want money back for the" };
                let label = if (at % 10 == 9) != is_late { "delivery" } else { "refund" };
                format!("{label},{said} {thing} number {at} {place}\n")
            })
            .collect();
        fs::write(folder.path().join("rows.csv"), format!("label,text\n{rows}")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `tunesmith train rows.csv --output NAME` with a small network, more arguments and nothing from the environment.
    pub(crate) fn command(&self, output: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tunesmith"));
        command.arg("train").arg(self.path("rows.csv")).arg("--output").arg(self.path(output));
        command.args(["--model", "scratch:small", "--max-length", "24", "--batch-size", "8", "--lr", "1e-3"]);
        command.args(["--validation-size", "0.3", "--test-size", "0.2", "--precision", "f32"]);
        command.arg("--cache-dir").arg(self.path("cache")).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn train(&self, output: &str, arguments: &[&str]) -> Output {
        self.command(output, arguments).output().unwrap()
    }

    /// What it prints, which must go well.
    pub(crate) fn trained(&self, output: &str, arguments: &[&str]) -> String {
        said(self.train(output, arguments))
    }

    pub(crate) fn records(&self, output: &str) -> Vec<Record> {
        let journal = journal::read(&self.path(output)).unwrap();
        assert_eq!(journal.unreadable, 0);
        journal.records
    }

    pub(crate) fn events(&self, output: &str) -> Vec<Event> {
        self.records(output).into_iter().map(|record| record.event).collect()
    }

    pub(crate) fn json(&self, output: &str, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(output).join(name)).unwrap()).unwrap()
    }
}

/// Runs another command.
pub(crate) fn run(arguments: &[&dyn AsRef<OsStr>]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tunesmith"));
    command.args(arguments.iter().map(|argument| argument.as_ref())).stdin(Stdio::null()).output().unwrap()
}

pub(crate) fn said(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The records of a CSV file by column.
pub(crate) fn table(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let head = reader.headers().unwrap().iter().map(str::to_owned).collect();
    (head, reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect())
}
