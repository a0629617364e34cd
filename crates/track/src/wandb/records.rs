//! The records of the file `run-ID.wandb`. Field numbers are those of `wandb_internal.proto` of wandb 0.31.0.

use std::io;
use std::path::Path;

use journal::{RunInfo, RunStatus};
use serde_json::{Map, Value};

use super::artifact::Artifact;
use super::describe::{display_name, run_id};
use super::log_file::LogFile;
use super::rows::{GLOBAL_STEP, Row};
use super::settings::Settings;
use crate::protobuf::Message;

/// Kinds of records: the number of the field of `Record` that holds each.
mod kind {
    pub(super) const HISTORY: u64 = 2;
    pub(super) const SUMMARY: u64 = 3;
    pub(super) const CONFIG: u64 = 5;
    pub(super) const FILES: u64 = 6;
    pub(super) const STATS: u64 = 7;
    pub(super) const ARTIFACT: u64 = 8;
    pub(super) const METRIC: u64 = 12;
    pub(super) const RUN: u64 = 17;
    pub(super) const EXIT: u64 = 18;
    pub(super) const HEADER: u64 = 21;
}

/// The file of records, and how many it has.
#[derive(Debug)]
pub(super) struct Records {
    file: LogFile,
    /// The number of the last record.
    last: u64,
}

impl Records {
    /// Goes on after the first `length` bytes of the file at `path`, in which there are `records`.
    ///
    /// # Errors
    /// As [`LogFile::open`].
    pub(super) fn open(path: &Path, length: u64, records: u64) -> io::Result<Self> {
        Ok(Self { file: LogFile::open(path, length)?, last: records })
    }

    /// Bytes and records, with all that were pushed.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.file.length(), self.last)
    }

    /// Writes what was pushed.
    ///
    /// # Errors
    /// When the system refuses; the next attempt begins from the same place.
    pub(super) fn write(self) -> io::Result<()> {
        self.file.write().map(|_| ())
    }

    fn push(&mut self, kind: u64, content: &Message) {
        self.last += 1;
        self.file.push(&Message::new().number(1, self.last).message(kind, content));
    }

    /// Who wrote the file.
    pub(super) fn header(&mut self, run: &RunInfo) {
        let version = Message::new().text(1, &format!("tunesmith {}", run.version));
        self.push(kind::HEADER, &Message::new().message(1, &version));
    }

    /// What the run is.
    pub(super) fn run(&mut self, run: &RunInfo, settings: &Settings, config: &Map<String, Value>, begin: f64) {
        let told = |text: &Option<String>| text.clone().unwrap_or_default();
        let message = Message::new()
            .text(1, &run_id(run, settings))
            .text(2, &told(&settings.entity))
            .text(3, &settings.project)
            .message(4, &updates(config))
            .text(6, &told(&settings.group))
            .text(7, &told(&settings.job_type))
            .text(8, display_name(run, settings))
            .text(9, &told(&settings.notes));
        let message = settings.tags.iter().fold(message, |message, tag| message.text(10, tag));
        let message = message.text(13, &told(&settings.host)).message(17, &timestamp(begin));
        self.push(kind::RUN, &message);
    }

    /// What a later attempt has changed of the config.
    pub(super) fn config(&mut self, config: &Map<String, Value>) {
        self.push(kind::CONFIG, &updates(config));
    }

    /// That everything is drawn over one figure.
    pub(super) fn metrics(&mut self) {
        let (defined, synced) = (Message::new().number(3, 1), Message::new().number(1, 1));
        self.push(kind::METRIC, &Message::new().text(1, GLOBAL_STEP).message(6, &defined));
        self.push(kind::METRIC, &Message::new().text(2, "*").text(4, GLOBAL_STEP).message(6, &synced));
    }

    /// A line of the history.
    pub(super) fn history(&mut self, row: &Row) {
        let step = row.0.iter().find(|(name, _)| name == "_step").and_then(|(_, value)| value.parse().ok());
        let items = row.0.iter().map(|(name, value)| item(name, value));
        let message = Message::new().messages(1, items).message(2, &Message::new().number(1, step.unwrap_or_default()));
        self.push(kind::HISTORY, &message);
    }

    /// Figures of the machine.
    pub(super) fn stats(&mut self, time: f64, row: &Row) {
        let items = row.0.iter().map(|(name, value)| item(name, value));
        self.push(kind::STATS, &Message::new().message(2, &timestamp(time)).messages(3, items));
    }

    /// New values of the summary.
    pub(super) fn summary<'a>(&mut self, values: impl Iterator<Item = (&'a str, &'a str)>) {
        self.push(kind::SUMMARY, &Message::new().messages(1, values.map(|(name, value)| item(name, value))));
    }

    /// Files in the folder `files`, to be uploaded at the end.
    pub(super) fn files<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        let files = names.into_iter().map(|name| Message::new().text(1, name).number(2, 1));
        self.push(kind::FILES, &Message::new().messages(1, files));
    }

    /// A set of files that is a version of something. Whoever uploads it removes the files.
    pub(super) fn artifact(&mut self, artifact: &Artifact, run: &RunInfo, settings: &Settings) {
        let layout = Message::new().text(1, "storageLayout").text(2, "\"V2\"");
        let files = artifact.files.iter().map(|file| {
            let path = file.path.display().to_string();
            Message::new().text(1, &file.name).text(2, &file.digest).number(4, file.size).text(6, &path)
        });
        let manifest =
            Message::new().number(1, 1).text(2, super::artifact::POLICY).message(3, &layout).messages(4, files);
        let (client, sequence) = artifact.client_ids(&run_id(run, settings));
        let message = Message::new()
            .text(1, &run_id(run, settings))
            .text(2, &settings.project)
            .text(3, settings.entity.as_deref().unwrap_or_default())
            .text(4, artifact.kind)
            .text(5, &artifact.name)
            .text(6, &artifact.digest())
            .text(8, &artifact.metadata.to_string());
        let message = artifact.aliases.iter().fold(message, |message, alias| message.text(11, alias));
        let message = message.message(12, &manifest).number(14, 1).text(15, &client).text(16, &sequence);
        self.push(kind::ARTIFACT, &message);
    }

    /// The end; a file has one, and nothing after it is read.
    pub(super) fn exit(&mut self, status: RunStatus, runtime: f64) {
        let message = Message::new().number(1, exit_code(status)).number(2, runtime as u64);
        self.push(kind::EXIT, &message);
    }
}

/// How a program would have ended; the server takes 255 for the user's wish.
pub(super) fn exit_code(status: RunStatus) -> u64 {
    match status {
        RunStatus::Finished => 0,
        RunStatus::Failed => 1,
        RunStatus::Interrupted => 255,
    }
}

fn updates(config: &Map<String, Value>) -> Message {
    Message::new().messages(1, config.iter().map(|(name, value)| item(name, &value.to_string())))
}

/// The items of history, summary, config and stats look alike.
fn item(name: &str, json: &str) -> Message {
    Message::new().text(1, name).text(16, json)
}

fn timestamp(seconds: f64) -> Message {
    let nanoseconds = (seconds.fract() * 1e9) as u64;
    Message::new().number(1, seconds as u64).number(2, nanoseconds)
}
