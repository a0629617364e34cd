//! What of a run goes where: figures, texts, settings and the confusion matrix.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use journal::{ArtifactKind, Event, Record, RunInfo, RunStatus, Split};
use serde::{Deserialize, Serialize};

use super::confusion::Confusion;
use super::event::{self, At};
use super::file::{EventFile, new_name};
use super::{Settings, hparams, matrix_image, record, tables};
use crate::{Kept, News, Place, PlaceError, Point, Series};

/// The files of predictions that a confusion matrix is drawn of.
const PREDICTIONS: [(Split, &str); 2] =
    [(Split::Eval, "validation_predictions.csv"), (Split::Test, "test_predictions.csv")];

/// A folder that TensorBoard looks at.
#[derive(Clone, Debug)]
pub struct TensorBoard {
    settings: Settings,
    /// The run's folder.
    run: PathBuf,
}

impl TensorBoard {
    /// A folder as the settings say, for the run in the folder `run`.
    pub fn new(settings: Settings, run: &Path) -> Self {
        Self { settings, run: run.to_owned() }
    }
}

/// What is known of the event file of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The file, seen from the run's folder.
    file: Option<PathBuf>,
    /// What holds of it.
    content: Content,
    /// What held before the last delivery, which began with the record of this number. Should the same news come again,
    /// because nobody could note that they had arrived, they are written over themselves.
    last: (u64, Content),
}

/// What an event file holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Content {
    /// Bytes that hold.
    length: u64,
    /// The last step that anything was said of.
    step: u64,
    /// The step of the last end of training.
    train_end: Option<u64>,
    /// Checksums of the last text of each name: a resumed run says the same again.
    texts: BTreeMap<String, u32>,
    /// Whether the settings stand in the tab of hyperparameters, which believes the first that it hears.
    hparams: bool,
    /// For each file of predictions the attempt whose matrix was drawn.
    drawn: BTreeMap<String, u32>,
}

impl Place for TensorBoard {
    type State = State;

    fn name(&self) -> &'static str {
        "tensorboard"
    }

    fn deliver(&mut self, news: &News<'_>, kept: &mut Kept<'_, State>) -> Result<(), PlaceError> {
        let Some(first) = news.records.first() else { return Ok(()) };
        let path = self.path(news, first.time, kept)?;
        let io = |source| PlaceError::Io { file: path.clone(), source };

        let before = if kept.state.last.0 == first.sequence { &kept.state.last.1 } else { &kept.state.content };
        let before = before.clone();
        let file = EventFile::open(&path, before.length, first.time).map_err(io)?;
        let mut delivery = Delivery { file, content: before.clone(), folder: news.folder };
        news.points.iter().for_each(|point| delivery.point(point));
        news.records.iter().for_each(|record| delivery.record(record));
        let Delivery { file, mut content, .. } = delivery;
        content.length = file.write().map_err(io)?;
        kept.state.content = content;
        kept.state.last = (first.sequence, before);
        Ok(())
    }

    fn url(&self, state: &State) -> Option<String> {
        Some(self.run.join(state.file.as_ref()?).parent()?.display().to_string())
    }
}

impl TensorBoard {
    /// The event file of the run. A new name is saved before there is a file of it: a crash leaves no second one.
    fn path(&self, news: &News<'_>, time: SystemTime, kept: &mut Kept<'_, State>) -> Result<PathBuf, PlaceError> {
        if let Some(file) = &kept.state.file {
            return Ok(news.folder.join(file));
        }
        let path = new_name(&news.folder.join(self.settings.folder()), time);
        kept.state.file = Some(path.strip_prefix(news.folder).unwrap_or(&path).to_owned());
        kept.save()?;
        Ok(path)
    }
}

/// News on their way into the file.
struct Delivery<'a> {
    file: EventFile,
    content: Content,
    folder: &'a Path,
}

impl Delivery<'_> {
    fn point(&mut self, point: &Point) {
        let at = At { time: point.time, step: point.step };
        let prefix = point.series.as_str();
        for (name, value) in &point.values {
            self.file.push(&event::scalar(at, &format!("{prefix}/{name}"), *value));
        }
        // Where the Trainer's log of a step has it.
        if let (Series::Train, Some(epoch)) = (point.series, point.epoch) {
            self.file.push(&event::scalar(at, "train/epoch", epoch));
        }
    }

    fn record(&mut self, record: &Record) {
        if let Some(step) = record.event.step() {
            self.content.step = step;
        }
        let at = At { time: record.time, step: self.content.step };
        match &record.event {
            Event::RunBegin(run) => self.begin(at, run),
            Event::TrainEnd { step, train_runtime, train_loss, .. }
                if self.content.train_end.is_none_or(|last| last < *step) =>
            {
                self.content.train_end = Some(*step);
                self.file.push(&event::scalar(at, "train/train_runtime", *train_runtime));
                self.file.push(&event::scalar(at, "train/train_loss", *train_loss));
            }
            Event::Results { results } => self.text(at, "results", &tables::results(results)),
            Event::Notice { message } => self.file.push(&event::text(at, "notices", message)),
            Event::Artifact { path, kind: ArtifactKind::Results } => {
                for (split, name) in PREDICTIONS {
                    if path.file_name().is_some_and(|found| found == name) {
                        self.matrix(at, record.attempt, split, name);
                    }
                }
            }
            Event::RunEnd { status: RunStatus::Finished, .. } => {
                for (split, name) in PREDICTIONS {
                    if self.folder.join(name).exists() {
                        self.matrix(at, record.attempt, split, name);
                    }
                }
                self.file.push(&hparams::end(at));
            }
            _ => {}
        }
    }

    fn begin(&mut self, at: At, run: &RunInfo) {
        self.text(at, "args", &tables::settings(run));
        self.text(at, "plan", &tables::plan(run));
        self.text(at, "command", &tables::command(run));
        if !self.content.hparams {
            self.content.hparams = true;
            self.file.push(&hparams::begin(at, run));
        }
    }

    /// Writes a text, unless it is what stands there already.
    fn text(&mut self, at: At, name: &str, text: &str) {
        let sum = record::crc32c(text.as_bytes());
        if self.content.texts.insert(name.to_owned(), sum) != Some(sum) {
            self.file.push(&event::text(at, name, text));
        }
    }

    /// Draws the matrix of a file of predictions, once in an attempt. A file that cannot be used is told among the
    /// notices: everything else of the run is still worth looking at.
    fn matrix(&mut self, at: At, attempt: u32, split: Split, name: &str) {
        if self.content.drawn.insert(name.to_owned(), attempt) == Some(attempt) {
            return;
        }
        let drawn = Confusion::read(&self.folder.join(name)).and_then(|confusion| {
            let canvas = matrix_image::draw(split.as_str(), &confusion);
            let png = canvas.png().map_err(|error| PlaceError::refused(error.to_string()))?;
            Ok((canvas.size(), png))
        });
        let event = match drawn {
            Ok((size, png)) => event::image(at, &format!("{split}/confusion_matrix"), size, &png),
            Err(error) => event::text(at, "notices", &format!("The confusion matrix is not drawn: {error}")),
        };
        self.file.push(&event);
    }
}
