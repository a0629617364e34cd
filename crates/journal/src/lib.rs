//! What a run says of itself: the events, and those who listen to them.
//!
//! `train` sends events; a progress bar, a report or a tracker listens. Nothing here formats a time, opens a file or
//! prints: that belongs to the listeners. See [`Event`] for what is said and [`Listener`] for how it is heard.

mod event;
mod listener;

pub use event::{EndReason, Event, Metrics, Split};
pub use listener::{Listener, Listeners};
