//! A run on the server, as it goes.
//!
//! Lines have places: the history's line 7 is line 7 however often it is sent. What was sent and not noted is sent again to
//! the same places, so that neither a crash nor an outage loses or doubles anything.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::api::{Api, RunPath};
use super::artifact::Wanted;
use super::describe::{self, METADATA, display_name, run_id};
use super::files::run_files;
use super::records::exit_code;
use super::rows::{Fresh, Remembered, Row, Rows};
use super::settings::{Resume, Settings};
use crate::http::Content;
use crate::{Kept, News, Place, PlaceError};

/// The server takes a run for crashed that says nothing for some minutes, as a long evaluation does.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// A run on the server.
#[derive(Debug)]
pub struct Live {
    settings: Settings,
    api: Api,
    /// When the server heard something last.
    pub(super) heard: Instant,
}

impl Live {
    /// On the server that the settings name.
    pub fn new(settings: Settings) -> Self {
        Self { api: Api::new(&settings), settings, heard: Instant::now() }
    }
}

/// What is known of the run there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LiveState {
    /// Whether the id was found to be free, or ours to go on with.
    claimed: bool,
    run: Option<RunPath>,
    url: Option<String>,
    /// Config that was there before, of which ours leaves what it does not say itself.
    config: Map<String, Value>,
    rows: Remembered<Rows>,
    /// Whether it was told that the run is over.
    ended: bool,
}

impl Place for Live {
    type State = LiveState;

    fn name(&self) -> &'static str {
        "wandb"
    }

    fn deliver(&mut self, news: &News<'_>, kept: &mut Kept<'_, LiveState>) -> Result<(), PlaceError> {
        let Some(first) = news.records.first() else { return Ok(()) };
        self.claim(news, kept)?;
        let mut rows = kept.state.rows.before(first.sequence).clone();
        let lines = (rows.history_lines, rows.event_lines);
        let fresh = rows.take(news);
        let run = match &kept.state.run {
            Some(run) if !fresh.begins => run.clone(),
            _ => self.upsert(news, kept)?,
        };
        self.stream(&run, lines, &rows, &fresh)?;
        kept.state.ended = false;
        let uploaded = self.put_files(news, &run, &rows, &fresh, &|| kept.alive());
        let uploaded = unless_refused(uploaded, "files", kept)?;
        let sent = self.put_artifacts(news, &run, &rows, &|| kept.alive());
        unless_refused(sent, "weights", kept)?;
        self.close(&run, &uploaded, &fresh)?;
        kept.state.ended = fresh.end.is_some();
        self.heard = Instant::now();
        kept.state.rows.advance(first.sequence, rows);
        Ok(())
    }

    fn idle(&mut self, state: &LiveState) {
        let Some(run) = state.run.as_ref().filter(|_| !state.ended) else { return };
        if self.heard.elapsed() >= HEARTBEAT {
            // Whether it was heard is of no matter: the next news will find out.
            let _ = self.api.stream(run, &json!({}));
            self.heard = Instant::now();
        }
    }

    fn url(&self, state: &LiveState) -> Option<String> {
        state.url.clone()
    }
}

impl Live {
    /// Looks, before anything is made, at what is there under the run's id, where the user has a wish about that.
    fn claim(&self, news: &News<'_>, kept: &mut Kept<'_, LiveState>) -> Result<(), PlaceError> {
        if kept.state.claimed {
            return Ok(());
        }
        if let Some(resume) = self.settings.resume {
            let (id, project) = (run_id(news.run, &self.settings), &self.settings.project);
            let there = self.api.existing(self.settings.entity.as_deref(), project, &id)?;
            match (resume, there) {
                (Resume::Never, Some(_)) => {
                    let message = format!("WANDB_RESUME is never, and project {project} has a run {id}");
                    return Err(PlaceError::refused(message));
                }
                (Resume::Must, None) => {
                    let message = format!("WANDB_RESUME is must, and project {project} has no run {id}");
                    return Err(PlaceError::refused(message));
                }
                (_, Some(there)) => adopt(&there, &mut kept.state),
                (_, None) => {}
            }
        }
        kept.state.claimed = true;
        kept.save()
    }

    /// Makes the run, or says what is new about it.
    fn upsert(&self, news: &News<'_>, kept: &mut Kept<'_, LiveState>) -> Result<RunPath, PlaceError> {
        let settings = &self.settings;
        let mut config = kept.state.config.clone();
        config.extend(describe::config(news.run));
        let run = self.api.upsert(&json!({
            "name": run_id(news.run, settings),
            "project": settings.project,
            "entity": settings.entity,
            "groupName": settings.group,
            "displayName": display_name(news.run, settings),
            "notes": settings.notes,
            "config": describe::wrapped(&config).to_string(),
            "host": settings.host,
            "program": "tunesmith",
            "jobType": settings.job_type,
            "tags": settings.tags,
        }))?;
        kept.state.url = Some(self.api.page(&run));
        kept.state.run = Some(run.clone());
        kept.save()?;
        Ok(run)
    }

    /// Sends lines to their places, of which `(history, events)` are the first.
    fn stream(&self, run: &RunPath, first: (u64, u64), rows: &Rows, fresh: &Fresh) -> Result<(), PlaceError> {
        let mut files = Map::new();
        let mut add = |name: &str, offset: u64, lines: Vec<String>| {
            if !lines.is_empty() {
                files.insert(name.to_owned(), json!({"offset": offset, "content": lines}));
            }
        };
        add("wandb-history.jsonl", first.0, fresh.history.iter().map(Row::to_json).collect());
        add("wandb-events.jsonl", first.1, fresh.events.iter().map(|(time, row)| event(rows, *time, row)).collect());
        if !fresh.summary.is_empty() {
            add("wandb-summary.json", 0, vec![rows.summary_json()]);
        }
        if files.is_empty() { Ok(()) } else { self.api.stream(run, &json!({"files": files})) }
    }

    /// Uploads the files that the news are about, and says under which names.
    fn put_files(
        &self,
        news: &News<'_>,
        run: &RunPath,
        rows: &Rows,
        fresh: &Fresh,
        alive: &dyn Fn(),
    ) -> Result<Vec<String>, PlaceError> {
        let begin = rows.begin.unwrap_or_default();
        let mut made: Vec<(&str, String)> = Vec::new();
        if fresh.begins {
            made.push((METADATA, describe::metadata(news.run, &self.settings, begin).to_string()));
        }
        if fresh.end.is_some() {
            made.push(("config.yaml", describe::config_yaml(&describe::config(news.run))));
            made.push(("wandb-summary.json", rows.summary_json()));
        }
        let found = run_files(news, &self.settings);
        let made = made.iter().map(|(name, text)| ((*name).to_owned(), Content::Bytes(text.as_bytes())));
        let found = found.iter().map(|(name, path)| (name.clone(), Content::File(path)));
        let all: Vec<_> = made.chain(found).collect();
        self.api.put_files(run, &all, alive)?;
        Ok(all.into_iter().map(|(name, _)| name).collect())
    }

    fn put_artifacts(&self, news: &News<'_>, run: &RunPath, rows: &Rows, alive: &dyn Fn()) -> Result<(), PlaceError> {
        for record in news.records {
            let Some(wanted) = Wanted::of(&record.event, news.folder, &self.settings, rows) else { continue };
            if let Some(artifact) = wanted.read(news.run, &self.settings, alive)? {
                self.api.put_artifact(run, &artifact, alive)?;
            }
        }
        Ok(())
    }

    /// Says what was uploaded, and that the run is over if it is.
    fn close(&self, run: &RunPath, uploaded: &[String], fresh: &Fresh) -> Result<(), PlaceError> {
        let mut body = json!({});
        if !uploaded.is_empty() {
            body["uploaded"] = json!(uploaded);
        }
        if let Some(status) = fresh.end {
            body["complete"] = true.into();
            body["exitcode"] = exit_code(status).into();
        }
        if body == json!({}) { Ok(()) } else { self.api.stream(run, &body) }
    }
}

/// Files that the server does not take cost no figures: the run goes on without them, and the user is told.
fn unless_refused<T: Default>(
    done: Result<T, PlaceError>,
    what: &str,
    kept: &Kept<'_, LiveState>,
) -> Result<T, PlaceError> {
    match done {
        Err(PlaceError::Refused { message }) => {
            kept.note(&format!("{what} were left out: {message}"));
            Ok(T::default())
        }
        done => done,
    }
}

/// Goes on after what a run of the same id has.
fn adopt(there: &Value, state: &mut LiveState) {
    let json =
        |value: &Value| value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
    let rows = &mut state.rows.now;
    rows.history_lines = there["historyLineCount"].as_u64().unwrap_or_default();
    rows.event_lines = there["eventsLineCount"].as_u64().unwrap_or_default();
    let tail = json(&there["historyTail"]);
    let last_step = tail.as_array().and_then(|lines| json(lines.last()?)["_step"].as_u64());
    rows.step = last_step.map_or(rows.history_lines, |step| step + 1);
    if let Some(summary) = json(&there["summaryMetrics"]).as_object() {
        rows.summary = summary.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    }
    if let Some(config) = json(&there["config"]).as_object() {
        let plain = config.iter().filter(|(name, _)| *name != "_wandb");
        state.config = plain.map(|(name, value)| (name.clone(), value["value"].clone())).collect();
    }
}

/// A line of the machine's figures.
fn event(rows: &Rows, time: f64, row: &Row) -> String {
    let figures = row.0.iter().map(|(name, value)| (format!("system.{name}"), value.clone()));
    let mut line = Row(figures.collect());
    line.0.push(("_wandb".to_owned(), "true".to_owned()));
    line.0.push(("_runtime".to_owned(), Value::from(rows.runtime(time)).to_string()));
    line.0.push(("_timestamp".to_owned(), Value::from(time).to_string()));
    line.to_json()
}
