//! What a place has to do, and what it may keep.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::News;

/// Somewhere that the events of a run go.
pub trait Place: Send + 'static {
    /// What it remembers of the run from one delivery to the next, also in other processes: the run's id there, its URL,
    /// which files it has.
    type State: Serialize + DeserializeOwned + Default + Clone + Send;

    /// Its name, as `--track` has it; also that of its file in the run's folder.
    fn name(&self) -> &'static str;

    /// Brings news there. The first news of a run begin it there, [`journal::Event::RunEnd`] ends it, and a
    /// [`journal::Event::RunBegin`] after that means that it was resumed and goes on under the same id.
    ///
    /// The same news come again when this failed half way, or the process died before it returned: what has been done
    /// already must not be done twice. Whatever tells that is put into `kept`, which can be saved at any moment, such as
    /// right after the run was made there.
    ///
    /// # Errors
    /// [`PlaceError::Outage`] to be asked again later, [`PlaceError::Refused`] where that would not help.
    fn deliver(&mut self, news: &News<'_>, kept: &mut Kept<'_, Self::State>) -> Result<(), PlaceError>;

    /// Nothing is new. It is asked again and again while the run goes on, for places that want signs of life; what fails here
    /// is of no matter.
    fn idle(&mut self, state: &Self::State) {
        let _ = state;
    }

    /// Where people find the run, once it is known.
    fn url(&self, state: &Self::State) -> Option<String>;
}

/// What a place remembers of a run.
pub struct Kept<'a, S> {
    /// The place's own state.
    pub state: S,
    pub(crate) write: &'a mut dyn FnMut(&S) -> Result<(), PlaceError>,
    pub(crate) alive: &'a dyn Fn(),
    pub(crate) note: &'a dyn Fn(&str),
}

impl<S> Kept<'_, S> {
    /// Saves the state now, before the delivery is over.
    ///
    /// # Errors
    /// When it cannot be written, which is an outage like any other.
    pub fn save(&mut self) -> Result<(), PlaceError> {
        (self.write)(&self.state)
    }

    /// Says that a long delivery, such as the upload of a model, goes forward: nobody loses patience meanwhile.
    pub fn alive(&self) {
        (self.alive)();
    }

    /// Says what the place does not take, and that the delivery goes on without it. The user reads each sentence once.
    pub fn note(&self, sentence: &str) {
        (self.note)(sentence);
    }
}

/// Why news did not arrive. Reads after "failed to reach NAME: ".
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// It may work later: no connection, a server in trouble, a limit on requests.
    #[error("{message}")]
    Outage {
        /// What happened.
        message: String,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// It will not work later either: no permission, something that the place does not take.
    #[error("{message}")]
    Refused {
        /// What happened, and what to do about it.
        message: String,
    },
    /// A file of the run cannot be read or written.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl PlaceError {
    /// An outage that says nothing of when it ends.
    pub fn outage(message: impl Into<String>) -> Self {
        Self::Outage { message: message.into(), retry_after: None }
    }

    /// A refusal.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused { message: message.into() }
    }
}
