//! A run, a hub, and somebody with a token.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output, Stdio};

use hub_stand_in::{Kind, StandIn, User};

use crate::bench::Bench;

pub(crate) const TOKEN: &str = "hf_ada_secret";

pub(crate) struct Scene {
    pub(crate) hub: StandIn,
    pub(crate) bench: Bench,
}

impl Scene {
    /// A finished run in `run`, and a hub that knows ada.
    pub(crate) fn new() -> Self {
        let bench = Bench::new();
        bench.trained("run", &["--max-steps", "2", "--quiet"]);
        let hub = StandIn::start().unwrap();
        hub.add_token(TOKEN, User::named("ada"));
        Self { hub, bench }
    }

    /// `tunesmith push run ...` with ada's token and nothing else of the environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tunesmith"));
        command.args(["push", "run"]).args(arguments).current_dir(self.bench.path("")).env_clear();
        command.env("HOME", self.bench.path("home")).env("HF_ENDPOINT", self.hub.url()).env("HF_TOKEN", TOKEN);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn push(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What the repo holds, without the Hub's own file.
    pub(crate) fn holds(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.hub.files(Kind::Model, name, "main").unwrap_or_default();
        files.remove(".gitattributes");
        files
    }

    pub(crate) fn commits(&self, name: &str) -> usize {
        self.hub.commits(Kind::Model, name)
    }

    /// All files of the run.
    pub(crate) fn run(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.bench.path("run")).unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.path().is_file());
        files.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
    }
}

/// What a push says that must fail: its exit code and its standard error.
pub(crate) fn refused(output: Output) -> (i32, String) {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains(TOKEN), "{said} shows the token");
    (output.status.code().unwrap(), said)
}
