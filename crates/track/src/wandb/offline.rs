//! A run as a folder: `wandb/offline-run-DAY_TIME-ID`, with its records in `run-ID.wandb` and its files in `files`.
//!
//! The file of records is cut to what is known to hold before anything is added, so that a crash in the middle of a
//! delivery leaves nothing behind. Its last record is the end of the run, after which nothing is read: a run that goes on
//! writes over it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::artifact::Wanted;
use super::describe::{self, METADATA, config_yaml, run_id, stamp};
use super::files::run_files;
use super::records::Records;
use super::rows::{Fresh, Remembered, Rows, seconds};
use super::settings::Settings;
use crate::{Kept, News, Place, PlaceError};

/// A folder that `wandb sync` uploads.
#[derive(Clone, Debug)]
pub struct Offline {
    settings: Settings,
    /// The run's folder, once there were news of it.
    run: PathBuf,
}

impl Offline {
    /// A folder as the settings say.
    pub fn new(settings: Settings) -> Self {
        Self { settings, run: PathBuf::new() }
    }
}

/// What is known of the folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfflineState {
    /// The folder, seen from the run's folder.
    folder: Option<PathBuf>,
    content: Remembered<Content>,
}

/// What the file of records holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Content {
    /// Bytes that hold, without the record of the end.
    length: u64,
    /// Records in them.
    records: u64,
    /// The config that was written last.
    config: Map<String, Value>,
    rows: Rows,
}

impl Place for Offline {
    type State = OfflineState;

    fn name(&self) -> &'static str {
        "wandb-offline"
    }

    fn deliver(&mut self, news: &News<'_>, kept: &mut Kept<'_, OfflineState>) -> Result<(), PlaceError> {
        let Some(first) = news.records.first() else { return Ok(()) };
        self.run = news.folder.to_owned();
        let folder = self.folder(news, seconds(first.time), kept)?;
        fs::create_dir_all(folder.join("files")).map_err(refused(&folder))?;
        let path = folder.join(format!("run-{}.wandb", run_id(news.run, &self.settings)));

        let mut content = kept.state.content.before(first.sequence).clone();
        let open = Records::open(&path, content.length, content.records);
        let mut records = open.map_err(|error| lost(&path, error))?;
        let fresh = content.rows.take(news);
        self.describe(news, &fresh, &mut content, &mut records);
        figures(&fresh, &content.rows, &mut records);
        self.copy_files(news, &folder, &mut records)?;
        self.copy_artifacts(news, &folder, &content.rows, &mut records, &|| kept.alive())?;
        (content.length, content.records) = records.size();
        if let Some(status) = fresh.end {
            records.exit(status, content.rows.whole_runtime());
        }
        records.write().map_err(refused(&path))?;
        self.files(news, &folder, &content)?;
        // What was uploaded before is no longer all.
        remove(&path.with_extension("wandb.synced"))?;
        kept.state.content.advance(first.sequence, content);
        Ok(())
    }

    fn url(&self, state: &OfflineState) -> Option<String> {
        Some(self.run.join(state.folder.as_ref()?).display().to_string())
    }
}

impl Offline {
    /// The folder. A new name is saved before there is a folder of it: a crash leaves no second one.
    fn folder(&self, news: &News<'_>, begin: f64, kept: &mut Kept<'_, OfflineState>) -> Result<PathBuf, PlaceError> {
        if let Some(folder) = &kept.state.folder {
            return Ok(news.folder.join(folder));
        }
        let above = match &self.settings.dir {
            Some(dir) => std::path::absolute(dir).map_err(refused(dir))?,
            None => PathBuf::new(),
        };
        let name = format!("offline-run-{}-{}", stamp(begin), run_id(news.run, &self.settings));
        let folder = above.join("wandb").join(name);
        kept.state.folder = Some(folder.clone());
        kept.save()?;
        Ok(news.folder.join(folder))
    }

    /// Says what the run is, or what a later attempt has changed.
    fn describe(&self, news: &News<'_>, fresh: &Fresh, content: &mut Content, records: &mut Records) {
        let config = describe::config(news.run);
        if content.records == 0 {
            records.header(news.run);
            records.run(news.run, &self.settings, &config, content.rows.begin.unwrap_or_default());
            records.metrics();
            records.files([METADATA]);
        } else if fresh.begins && config != content.config {
            // A second record of the run would begin the upload anew.
            records.config(&config);
        }
        content.config = config;
    }

    /// Copies what the run has finished into the folder `files`.
    fn copy_files(&self, news: &News<'_>, folder: &Path, records: &mut Records) -> Result<(), PlaceError> {
        let files = run_files(news, &self.settings);
        for (name, from) in &files {
            let to = folder.join("files").join(name);
            fs::create_dir_all(to.parent().unwrap_or(folder)).map_err(refused(&to))?;
            fs::copy(from, &to).map_err(refused(&to))?;
        }
        if !files.is_empty() {
            records.files(files.keys().map(String::as_str));
        }
        Ok(())
    }

    /// Copies weights, where they are wanted: whoever uploads them removes them.
    fn copy_artifacts(
        &self,
        news: &News<'_>,
        folder: &Path,
        rows: &Rows,
        records: &mut Records,
        alive: &dyn Fn(),
    ) -> Result<(), PlaceError> {
        for record in news.records {
            let Some(wanted) = Wanted::of(&record.event, news.folder, &self.settings, rows) else { continue };
            let Some(artifact) = wanted.read(news.run, &self.settings, alive)? else { continue };
            let copies = folder.join("artifacts").join(artifact.digest());
            let artifact = artifact.copied(&copies).map_err(refused(&copies))?;
            records.artifact(&artifact, news.run, &self.settings);
        }
        Ok(())
    }

    /// Writes what people look for in the folder `files`.
    fn files(&self, news: &News<'_>, folder: &Path, content: &Content) -> Result<(), PlaceError> {
        let begin = content.rows.begin.unwrap_or_default();
        let metadata = describe::metadata(news.run, &self.settings, begin);
        let files = [
            ("config.yaml", config_yaml(&content.config)),
            ("wandb-summary.json", content.rows.summary_json()),
            (METADATA, format!("{metadata:#}\n")),
        ];
        for (name, text) in files {
            let path = folder.join("files").join(name);
            fs::write(&path, text).map_err(refused(&path))?;
        }
        Ok(())
    }
}

/// Adds the figures that are new.
fn figures(fresh: &Fresh, rows: &Rows, records: &mut Records) {
    fresh.history.iter().for_each(|row| records.history(row));
    fresh.events.iter().for_each(|(time, row)| records.stats(*time, row));
    let values = fresh.summary.iter().filter_map(|name| rows.summary.get_key_value(name));
    if !fresh.summary.is_empty() {
        records.summary(values.map(|(name, value)| (name.as_str(), value.as_str())));
    }
}

fn remove(path: &Path) -> Result<(), PlaceError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(refused(path)(error)),
        _ => Ok(()),
    }
}

fn refused(file: &Path) -> impl Fn(io::Error) -> PlaceError {
    let file = file.to_owned();
    move |source| PlaceError::Io { file: file.clone(), source }
}

fn lost(path: &Path, error: io::Error) -> PlaceError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof => PlaceError::refused(format!(
            "{}: {error}; remove track/wandb-offline.json in the run's folder to write it anew",
            path.display()
        )),
        _ => PlaceError::Io { file: path.to_owned(), source: error },
    }
}
