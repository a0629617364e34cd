//! What a run says of itself: the events, the file that keeps them, and those who listen.
//!
//! `train` sends events; a progress bar or the [`JournalWriter`] listens. Everything that looks at a run later or from
//! beside it (trackers, reports, `tunesmith runs`) reads the journal's file and nothing else. See [`Event`] for what is
//! said, [`Listener`] for how it is heard, [`Record`] for a line of the file, [`Reader`] for reading it while it grows,
//! and [`history()`] for what holds after a run was resumed.

mod error;
mod event;
mod history;
mod listener;
mod lock;
mod reader;
mod record;
mod run;
mod writer;

pub use error::Error;
pub use event::{ArtifactKind, EndReason, Event, Metrics, RunStatus, Split};
pub use history::{history, superseded};
pub use listener::{Listener, Listeners};
pub use lock::is_written;
pub use reader::{Journal, Reader, read};
pub use record::Record;
pub use run::{DataFile, DataInfo, DataOrigin, Histogram, MachineInfo, ModelInfo, RunInfo, SplitInfo};
pub use writer::JournalWriter;

/// The journal's name in the folder of its run.
pub const FILE_NAME: &str = "journal.jsonl";
