//! Where the events of a run go. One file or folder per place: MLflow, Weights & Biases, TensorBoard.
//!
//! Nothing here hears training. A [`Delivery`] is a thread that reads the run's journal and hands what is new to a
//! [`Place`]; how far it came is kept in the run's folder, so that an outage, a crash or a restart neither loses nor
//! doubles anything, and `tunesmith sync` delivers what is still missing. Training never waits for a place and cannot be
//! failed by one.
//!
//! Read next: `place.rs` for what a place has to do, `delivery.rs` for how it is served.

mod cursor;
mod delivery;
mod http;
pub mod mlflow;
mod news;
mod place;
mod protobuf;
pub mod tensorboard;
pub mod wandb;

pub use cursor::urls;
pub use delivery::{Delivery, Status, Tell, sync};
pub use news::{News, Point, Series};
pub use place::{Kept, Place, PlaceError};
