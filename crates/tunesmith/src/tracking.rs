//! The places that a run is told to: started before training, waited for a little at its end, caught up with by `sync`.

use std::path::Path;
use std::time::Duration;

use track::mlflow::{self, Mlflow};
use track::tensorboard::{self, TensorBoard};
use track::{Delivery, PlaceError, Status, Tell, wandb};

use crate::flags::{TrackFlags, Tracker};

/// How long the end of a run waits for a place that shows no sign of life.
const PATIENCE: Duration = Duration::from_secs(15);

/// A place that does not take the run. Reads after "failed to ".
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrackingError {
    /// Nowhere to deliver to.
    #[error("deliver the run: it was trained without --track; name places with --track")]
    Nowhere,
    /// Settings that a place cannot be reached with.
    #[error("use --track {place}: {source}")]
    Settings {
        /// The place.
        place: &'static str,
        /// What is wrong with them.
        source: PlaceError,
    },
    /// What a place said.
    #[error("deliver the run to {place}: {source}")]
    Place {
        /// The place.
        place: &'static str,
        /// What it said.
        source: PlaceError,
    },
}

/// A place with its settings, which are known to be sound.
enum Ready {
    Mlflow(Box<Mlflow>),
    Wandb(Box<wandb::Settings>),
    Tensorboard(TensorBoard),
}

/// The places that a run is to be told to.
pub(crate) struct Places(Vec<Ready>);

impl Places {
    /// Reads the settings of every place that the flags name, for the run in `folder`.
    ///
    /// # Errors
    /// Settings of a place that cannot be used: told before anything is trained. What happens later stops nothing.
    pub(crate) fn ready(flags: &TrackFlags, folder: &Path) -> Result<Self, TrackingError> {
        let mut wanted = flags.track.clone().unwrap_or_default();
        wanted.sort_unstable();
        wanted.dedup();
        let ready = wanted.into_iter().filter_map(|place| {
            let told = |source| TrackingError::Settings { place: place.name(), source };
            ready(place, flags, folder).map_err(told).transpose()
        });
        Ok(Self(ready.collect::<Result<_, _>>()?))
    }

    /// Begins to deliver the journal in `folder` to every place.
    pub(crate) fn start(self, folder: &Path, tell: &Tell) -> Trackers {
        let start = |place| match place {
            Ready::Mlflow(place) => Some(Delivery::start(*place, folder, tell.clone())),
            Ready::Wandb(settings) => wandb::start(&settings, folder, tell.clone()),
            Ready::Tensorboard(place) => Some(Delivery::start(place, folder, tell.clone())),
        };
        Trackers { deliveries: self.0.into_iter().filter_map(start).collect() }
    }

    /// Delivers what the places lack of the run in `folder`, now, and says in lines what each has.
    ///
    /// # Errors
    /// No place to deliver to, or what the first that fails says; those before it have everything.
    pub(crate) fn sync(self, folder: &Path) -> Result<Vec<String>, TrackingError> {
        if self.0.is_empty() {
            return Err(TrackingError::Nowhere);
        }
        let mut lines = Vec::new();
        for place in self.0 {
            let (name, done) = match place {
                Ready::Mlflow(place) => ("mlflow", track::sync(*place, folder).map(Some)),
                Ready::Wandb(settings) => {
                    lines.extend(settings.note.clone());
                    ("wandb", wandb::sync(&settings, folder))
                }
                Ready::Tensorboard(place) => ("tensorboard", track::sync(place, folder).map(Some)),
            };
            let status = done.map_err(|source| TrackingError::Place { place: name, source })?;
            match status {
                Some(status) => {
                    lines.extend(status.notes.iter().map(|note| format!("{name}: {note}")));
                    lines.push(line(&status, folder));
                }
                None => lines.push(format!("{name} is disabled")),
            }
        }
        lines.extend(note_urls(folder).err());
        Ok(lines)
    }
}

fn ready(place: Tracker, flags: &TrackFlags, folder: &Path) -> Result<Option<Ready>, PlaceError> {
    Ok(Some(match place {
        Tracker::Mlflow => {
            let options = mlflow::Options {
                experiment: flags.project.clone(),
                run_name: flags.run_name.clone(),
                tags: flags.run_tags.iter().flatten().map(|tag| named(tag)).collect(),
            };
            Ready::Mlflow(Box::new(Mlflow::new(mlflow::Settings::from_env(&options)?)))
        }
        Tracker::Wandb => {
            let options = wandb::Options {
                project: flags.project.clone(),
                name: flags.run_name.clone(),
                tags: flags.run_tags.clone().unwrap_or_default(),
                ..wandb::Options::default()
            };
            Ready::Wandb(Box::new(wandb::Settings::from_env(&options)?))
        }
        Tracker::Tensorboard => {
            let settings = tensorboard::Settings::from_environment(flags.logging_dir.clone());
            Ready::Tensorboard(TensorBoard::new(settings, folder))
        }
        Tracker::None => return Ok(None),
    }))
}

/// `name=value`, or a name alone.
fn named(tag: &str) -> (String, String) {
    let (name, value) = tag.split_once('=').unwrap_or((tag, "true"));
    (name.to_owned(), value.to_owned())
}

/// The deliveries of a run.
pub(crate) struct Trackers {
    deliveries: Vec<Delivery>,
}

impl Trackers {
    /// Waits for what is under way, and says in a line for each place how it stands.
    pub(crate) fn finish(self, folder: &Path) -> Vec<String> {
        let finish = |delivery: Delivery| line(&delivery.finish(PATIENCE), folder);
        let mut lines: Vec<String> = self.deliveries.into_iter().map(finish).collect();
        lines.extend(note_urls(folder).err());
        lines
    }
}

/// Adds to the run's results where it is found, should that have become known after they were written.
fn note_urls(folder: &Path) -> Result<(), String> {
    train::add_urls(folder, track::urls(folder))
        .map_err(|error| format!("the results do not say where the run is found: failed to {error}"))
}

fn line(status: &Status, folder: &Path) -> String {
    let Status { name, url, waiting, trouble, .. } = status;
    let at = url.as_ref().map_or(String::new(), |url| format!(": {url}"));
    let sync = format!("`tunesmith sync {}`", folder.display());
    match (waiting, trouble) {
        (0, None) => format!("{name} has the whole run{at}"),
        (_, None) => format!("{name} is slow, {waiting} events wait: {sync} delivers them{at}"),
        (_, Some(trouble)) => format!("{name} lacks {waiting} events ({trouble}): {sync} delivers them{at}"),
    }
}
