//! What is done with news: figures first, then record by record.
//!
//! Whatever is there already is known from the [`State`], which is saved with each delivery that came to its end and
//! each that did not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path};
use std::time::SystemTime;

use journal::{ArtifactKind, Event, Record, RunInfo, RunStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ureq::http::Method;

use super::artifacts::{Owner, Shelf, valid_path};
use super::batch::{self, Kind};
use super::client::{Client, Failure};
use super::dataset;
use super::description::{self, SHORT_PARAM, cut, entry, tag};
use super::figures::{self, Metric, millis};
use super::model::{self, Logged, Origin};
use super::run::{self, Run};
use super::settings::Settings;
use crate::http::Content;
use crate::{Kept, News, Place, PlaceError, Point, Series};

/// Points that go at once: few enough that an outage in the middle repeats little.
const POINTS: usize = 50;

/// MLflow.
#[derive(Debug)]
pub struct Mlflow {
    settings: Settings,
    client: Client,
    user: Option<String>,
}

/// What is remembered of a run there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    server: String,
    run: Option<Run>,
    /// The last record of the journal that is there, figures apart.
    done: u64,
    /// The last step of each series that is there.
    steps: BTreeMap<Series, u64>,
    /// The last value of each metric.
    latest: BTreeMap<String, Latest>,
    /// The last step of all.
    step: u64,
    model: Option<Logged>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Latest {
    value: f64,
    millis: u64,
    step: u64,
}

impl Mlflow {
    /// Nothing is asked of the server before there are news.
    pub fn new(settings: Settings) -> Self {
        let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        Self { client: Client::new(&settings), settings, user }
    }
}

impl Place for Mlflow {
    type State = State;

    fn name(&self) -> &'static str {
        "mlflow"
    }

    fn url(&self, state: &State) -> Option<String> {
        let run = state.run.as_ref()?;
        let before = if self.settings.databricks { "ml" } else { "#" };
        Some(format!("{}/{before}/experiments/{}/runs/{}", state.server, run.experiment_id, run.run_id))
    }

    fn deliver(&mut self, news: &News<'_>, kept: &mut Kept<'_, State>) -> Result<(), PlaceError> {
        let run = self.run(news, kept)?;
        self.send_points(news, &run, kept)?;
        let done = kept.state.done;
        for record in news.records.iter().filter(|record| record.sequence > done) {
            self.send_record(news, record, &run, kept)?;
            kept.state.done = record.sequence;
        }
        Ok(())
    }
}

impl Mlflow {
    fn run(&mut self, news: &News<'_>, kept: &mut Kept<'_, State>) -> Result<Run, PlaceError> {
        let here = &self.settings.host;
        match &kept.state.run {
            Some(_) if kept.state.server != *here => {
                return Err(PlaceError::refused(format!(
                    "this run is on {}, not on {here}; without track/mlflow.json in its folder it is delivered anew",
                    kept.state.server
                )));
            }
            Some(run) => return Ok(run.clone()),
            None => {}
        }
        let run = run::find_or_make(&mut self.client, &self.settings, news)?;
        kept.state.server.clone_from(&self.settings.host);
        kept.state.run = Some(run.clone());
        kept.save()?;
        Ok(run)
    }

    fn tags(&self, run: &RunInfo) -> Vec<(String, String)> {
        let mut tags = description::tags(run, self.user.clone());
        tags.extend(self.settings.tags.iter().map(|(key, value)| (key.clone(), value.clone())));
        tags
    }
}

// What the records say.
impl Mlflow {
    fn send_record(
        &mut self,
        news: &News<'_>,
        record: &Record,
        run: &Run,
        kept: &mut Kept<'_, State>,
    ) -> Result<(), PlaceError> {
        match &record.event {
            Event::RunBegin(info) => self.begin(info, record, run, kept),
            Event::TrainBegin { total_steps, num_train_epochs, train_samples, train_tokens_per_epoch, .. } => {
                let params = [
                    ("train.total_steps", total_steps.to_string()),
                    ("train.num_train_epochs", num_train_epochs.to_string()),
                    ("train.samples", train_samples.to_string()),
                    ("train.tokens_per_epoch", train_tokens_per_epoch.to_string()),
                ];
                let params = params.map(|(name, value)| (name.to_owned(), value));
                self.send_params(&params, record.attempt, run, kept)
            }
            Event::TrainEnd { reason, step, best_step, best_metric, .. } => {
                let mut tags = vec![tag("tunesmith.end_reason", json!(reason).as_str().unwrap_or_default())];
                tags.extend(best_step.map(|step| tag("tunesmith.best_step", &step.to_string())));
                tags.extend(best_metric.map(|metric| tag("tunesmith.best_metric", &metric.to_string())));
                kept.state.step = kept.state.step.max(*step);
                self.send_tags(&tags, run, kept)
            }
            Event::Results { results } => {
                let known = kept.state.latest.iter().map(|(name, latest)| (name.clone(), latest.value)).collect();
                let metrics = figures::results(results, &known, record.time, kept.state.step);
                self.send_metrics(&metrics, run, kept)
            }
            Event::Artifact { path, kind } => self.send_artifact(news, record, path, *kind, run, kept),
            Event::RunEnd { status, message } => self.end(news, record, *status, message.as_deref(), run, kept),
            // Figures went before; the rest is in the journal, which goes there as a file.
            Event::Log { .. }
            | Event::Stretch { .. }
            | Event::System { .. }
            | Event::Evaluate { .. }
            | Event::Notice { .. }
            | Event::Checkpoint { .. }
            | Event::Step { .. }
            | Event::EvaluateBegin { .. }
            | Event::EvaluateProgress { .. } => Ok(()),
        }
    }

    fn begin(
        &mut self,
        info: &RunInfo,
        record: &Record,
        run: &Run,
        kept: &mut Kept<'_, State>,
    ) -> Result<(), PlaceError> {
        if record.attempt > 1 || self.settings.run_id.is_some() {
            self.update(run, "RUNNING", None)?;
        }
        let mut tags: Vec<Value> = self.tags(info).iter().map(|(key, value)| tag(key, value)).collect();
        tags.push(tag("tunesmith.attempts", &record.attempt.to_string()));
        self.send_tags(&tags, run, kept)?;
        self.send_params(&description::params(info), record.attempt, run, kept)?;
        let inputs = dataset::inputs(info);
        if !inputs.is_empty() {
            let body = json!({ "run_id": run.run_id, "datasets": inputs });
            let sent = self.client.call(Method::POST, "runs/log-inputs", Some(&body));
            left_out(sent.map(drop), "the description of the data", kept)?;
        }
        // Whole, whatever had to be cut above.
        let name =
            if record.attempt == 1 { "run.json".to_owned() } else { format!("run-attempt-{}.json", record.attempt) };
        let text = format!("{:#}\n", json!(info));
        self.put(run, &name, Content::Bytes(text.as_bytes()), kept)
    }

    fn end(
        &mut self,
        news: &News<'_>,
        record: &Record,
        status: RunStatus,
        message: Option<&str>,
        run: &Run,
        kept: &mut Kept<'_, State>,
    ) -> Result<(), PlaceError> {
        if let Some(message) = message {
            self.send_tags(&[tag("tunesmith.message", message)], run, kept)?;
        }
        self.put(run, journal::FILE_NAME, Content::File(&news.folder.join(journal::FILE_NAME)), kept)?;
        let status = match status {
            RunStatus::Finished => "FINISHED",
            RunStatus::Interrupted => "KILLED",
            RunStatus::Failed => "FAILED",
        };
        self.update(run, status, Some(record.time))
    }

    fn update(&mut self, run: &Run, status: &str, end: Option<SystemTime>) -> Result<(), PlaceError> {
        let mut body = json!({ "run_id": run.run_id, "status": status });
        if let Some(end) = end {
            body["end_time"] = millis(end).into();
        }
        self.client.call(Method::POST, "runs/update", Some(&body))?;
        Ok(())
    }
}

// Metrics, params and tags.
impl Mlflow {
    fn send_points(&mut self, news: &News<'_>, run: &Run, kept: &mut Kept<'_, State>) -> Result<(), PlaceError> {
        let is_new = |point: &&Point| kept.state.steps.get(&point.series).is_none_or(|last| point.step > *last);
        let new: Vec<&Point> = news.points.iter().filter(is_new).collect();
        for points in new.chunks(POINTS) {
            let memory = news.run.machine.memory_bytes;
            let metrics: Vec<Metric> = points.iter().flat_map(|point| figures::metrics(point, memory)).collect();
            self.send_metrics(&metrics, run, kept)?;
            for point in points {
                kept.state.steps.insert(point.series, point.step);
            }
        }
        Ok(())
    }

    fn send_metrics(&mut self, metrics: &[Metric], run: &Run, kept: &mut Kept<'_, State>) -> Result<(), PlaceError> {
        let items: Vec<Value> = metrics.iter().map(Metric::to_json).collect();
        for (metric, why) in batch::send(&mut self.client, Kind::Metrics, &items, &run.run_id)? {
            kept.note(&format!("the metric {} is left out: {why}", metric["key"]));
        }
        for metric in metrics {
            kept.state.step = kept.state.step.max(metric.step);
            if metric.value.is_finite() {
                let latest = Latest { value: metric.value, millis: millis(metric.time), step: metric.step };
                kept.state.latest.insert(metric.name.clone(), latest);
            }
        }
        Ok(())
    }

    fn send_tags(&mut self, tags: &[Value], run: &Run, kept: &Kept<'_, State>) -> Result<(), PlaceError> {
        for (tag, why) in batch::send(&mut self.client, Kind::Tags, tags, &run.run_id)? {
            kept.note(&format!("the tag {} is left out: {why}", tag["key"]));
        }
        Ok(())
    }

    /// MLflow never changes a param. What a resumed run has otherwise goes into a tag.
    fn send_params(
        &mut self,
        params: &[(String, String)],
        attempt: u32,
        run: &Run,
        kept: &Kept<'_, State>,
    ) -> Result<(), PlaceError> {
        let items: Vec<Value> = params.iter().map(|(name, value)| entry(name, value)).collect();
        let mut changed = serde_json::Map::new();
        for (param, why) in batch::send(&mut self.client, Kind::Params, &items, &run.run_id)? {
            let (name, value) =
                (param["key"].as_str().unwrap_or_default(), param["value"].as_str().unwrap_or_default());
            let short = entry(name, &cut(value, SHORT_PARAM));
            if value.chars().count() > SHORT_PARAM
                && batch::send(&mut self.client, Kind::Params, &[short], &run.run_id)?.is_empty()
            {
                continue;
            }
            if attempt > 1 {
                changed.insert(name.to_owned(), value.into());
            } else {
                kept.note(&format!("the param {name} is left out: {why}"));
            }
        }
        if !changed.is_empty() {
            let key = format!("tunesmith.changed_params.attempt_{attempt}");
            self.send_tags(&[tag(&key, &Value::Object(changed).to_string())], run, kept)?;
        }
        Ok(())
    }
}

// Files.
impl Mlflow {
    fn put(&mut self, run: &Run, path: &str, content: Content<'_>, kept: &Kept<'_, State>) -> Result<(), PlaceError> {
        let shelf = Shelf { owner: Owner::Run(&run.run_id), root: &run.root, databricks: self.settings.databricks };
        let sent = shelf.put(&mut self.client, &valid_path(path), content, &|| kept.alive());
        left_out(sent, "a file", kept)
    }

    fn send_artifact(
        &mut self,
        news: &News<'_>,
        record: &Record,
        path: &Path,
        kind: ArtifactKind,
        run: &Run,
        kept: &mut Kept<'_, State>,
    ) -> Result<(), PlaceError> {
        let from = news.folder.join(path);
        if kind == ArtifactKind::Model {
            return self.send_model(news, record, &from, run, kept);
        }
        // A path out of the folder keeps its name alone.
        let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        let to = if inside { path } else { Path::new(path.file_name().unwrap_or_default()) };
        let to: Vec<_> = to.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        self.put_all(run, &from, &to.join("/"), kept)
    }

    /// A file, or a folder with all that is in it.
    fn put_all(&mut self, run: &Run, from: &Path, to: &str, kept: &Kept<'_, State>) -> Result<(), PlaceError> {
        if !from.is_dir() {
            return self.put(run, to, Content::File(from), kept);
        }
        let unreadable = |source| PlaceError::Io { file: from.to_owned(), source };
        let mut inside: Vec<_> =
            fs::read_dir(from).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
        inside.sort_by_key(fs::DirEntry::file_name);
        for entry in inside {
            self.put_all(run, &entry.path(), &format!("{to}/{}", entry.file_name().to_string_lossy()), kept)?;
        }
        Ok(())
    }

    fn send_model(
        &mut self,
        news: &News<'_>,
        record: &Record,
        folder: &Path,
        run: &Run,
        kept: &mut Kept<'_, State>,
    ) -> Result<(), PlaceError> {
        let origin = Origin {
            run: news.run,
            run_id: &run.run_id,
            experiment_id: &run.experiment_id,
            root: &run.root,
            databricks: self.settings.databricks,
            sequence: record.sequence,
            step: kept.state.step,
            made: record.time,
        };
        let known = kept.state.model.clone().filter(|model| model.sequence == record.sequence);
        let logged = match known {
            Some(model) => Some(model),
            None => model::find_or_make(&mut self.client, &origin)?,
        };
        kept.state.model.clone_from(&logged);
        kept.save()?;
        let sent = model::send(&mut self.client, &origin, logged.as_ref(), folder, &|| kept.alive());
        left_out(sent, "the model", kept)?;
        match logged {
            Some(model) => self.link_figures(news.run, &model, run, kept),
            None => Ok(()),
        }
    }

    /// Says once more, and of this model, what came out on which rows: MLflow shows it beside the model then.
    fn link_figures(
        &mut self,
        info: &RunInfo,
        model: &Logged,
        run: &Run,
        kept: &Kept<'_, State>,
    ) -> Result<(), PlaceError> {
        let mut items = Vec::new();
        for (prefix, split) in [("eval_", "validation"), ("test_", "test")] {
            let Some((dataset_name, dataset_digest)) = dataset::reference(&info.data, split) else { continue };
            for (name, latest) in kept.state.latest.iter().filter(|(name, _)| name.starts_with(prefix)) {
                items.push(json!({
                    "key": name,
                    "value": latest.value,
                    "timestamp": latest.millis,
                    "step": latest.step,
                    "model_id": model.id,
                    "dataset_name": dataset_name,
                    "dataset_digest": dataset_digest,
                }));
            }
        }
        // The run has them; a server that does not link them loses nothing.
        batch::send(&mut self.client, Kind::Metrics, &items, &run.run_id).map(drop)
    }
}

/// What is refused is left out and said; an outage is an outage.
fn left_out(sent: Result<(), Failure>, what: &str, kept: &Kept<'_, State>) -> Result<(), PlaceError> {
    match sent {
        Ok(()) => Ok(()),
        Err(Failure { error: error @ PlaceError::Outage { .. }, .. }) => Err(error),
        Err(failure) => {
            kept.note(&format!("{what} is left out: {}", failure.error));
            Ok(())
        }
    }
}
