//! Weights & Biases: a run on its server as it goes, or a folder that `wandb sync` uploads later.
//!
//! [`Settings::from_env`] decides which of the two, [`start`] and [`sync`] do it. `rows.rs` says what a line of the history
//! is, `describe.rs` what a run is; `live.rs` sends them and `offline.rs` writes them down. The two keep apart how far they
//! came: a run that was kept offline goes to the server whole as soon as there is a key.

mod api;
mod artifact;
mod describe;
mod files;
mod live;
mod log_file;
mod offline;
mod records;
mod rows;
mod settings;
mod stored;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use live::{Live, LiveState};
pub use offline::{Offline, OfflineState};
pub use settings::{LogModel, Mode, Options, Settings};

use crate::{Delivery, PlaceError, Status, Tell};

/// Begins to bring the run in `folder` where the settings say: nowhere if they say so.
pub fn start(settings: &Settings, folder: &Path, tell: Tell) -> Option<Delivery> {
    if let Some(note) = &settings.note {
        tell(note);
    }
    let tell: Tell = if settings.silent { std::sync::Arc::new(|_| ()) } else { tell };
    match settings.mode {
        Mode::Online => Some(Delivery::start(Live::new(settings.clone()), folder, tell)),
        Mode::Offline => Some(Delivery::start(Offline::new(settings.clone()), folder, tell)),
        Mode::Disabled => None,
    }
}

/// Brings everything that is missing of the run in `folder` where the settings say, now.
///
/// # Errors
/// As [`crate::sync`].
pub fn sync(settings: &Settings, folder: &Path) -> Result<Option<Status>, PlaceError> {
    match settings.mode {
        Mode::Online => crate::sync(Live::new(settings.clone()), folder).map(Some),
        Mode::Offline => crate::sync(Offline::new(settings.clone()), folder).map(Some),
        Mode::Disabled => Ok(None),
    }
}
