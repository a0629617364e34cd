//! A hub, a home, and the program between them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use classifier::{Classifier, ModelSource, Start};
use dataset::Labels;
use hub_stand_in::{Kind, StandIn};
use kernels::Cpu;
use tempfile::TempDir;

/// Variables of the user who runs the tests that would lead the program elsewhere.
const FOREIGN: [&str; 9] = [
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HF_TOKEN_PATH",
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN",
    "HF_HUB_DISABLE_SYMLINKS",
];

pub(crate) struct Wire {
    pub(crate) hub: StandIn,
    pub(crate) home: TempDir,
}

impl Wire {
    pub(crate) fn new() -> Self {
        Self { hub: StandIn::start().unwrap(), home: tempfile::tempdir().unwrap() }
    }

    /// The program with the hub and the home, and these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tunesmith"));
        command.args(arguments).env("HF_ENDPOINT", self.hub.url()).env("HF_HOME", self.home.path().join("hf"));
        command.env("XDG_CACHE_HOME", self.home.path().join("cache"));
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints, which must go well.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// How it fails: its exit code and what it says.
    pub(crate) fn fails(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// Runs it with something to read.
    pub(crate) fn told(&self, command: &mut Command, input: &str) -> Output {
        let mut program = command.spawn().unwrap();
        // A program that does not look at its input closes it.
        let _ = program.stdin.take().unwrap().write_all(input.as_bytes());
        program.wait_with_output().unwrap()
    }

    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Puts the files of a folder on the hub.
    pub(crate) fn put(&self, name: &str, folder: &Path) -> String {
        let files: BTreeMap<String, Vec<u8>> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
            .collect();
        let files: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
        self.hub.add_repo(Kind::Model, name, &files)
    }

    /// Addresses of files that were asked for, since the last time.
    pub(crate) fn fetched(&self) -> Vec<String> {
        let asked = self.hub.requests().into_iter().filter(|asked| asked.target.contains("/resolve/"));
        let asked = asked.map(|asked| asked.target).collect();
        self.hub.forget_requests();
        asked
    }
}

/// A classifier with random weights, saved in `folder`.
pub(crate) fn model(folder: &Path) {
    let labels = Labels::from_names(["ham", "spam"].map(str::to_owned).to_vec()).unwrap();
    let source = ModelSource::Scratch("small".to_owned());
    let texts = ["win a prize now", "see you at nine", "call me when you are home"];
    let start = Start { source: &source, labels: &labels, max_length: Some(32), seed: 7, texts: &texts };
    let (classifier, _) = Classifier::start(&start, Cpu::fastest(1).unwrap()).unwrap();
    fs::create_dir_all(folder).unwrap();
    classifier.save(folder).unwrap();
}
