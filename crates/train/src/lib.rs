//! Learning and measuring.
//!
//! Owns: how to train ([`TrainingArguments`]), the loop ([`train`]), its checkpoints and result files. What it measures
//! by is [`metrics`]. A run says what it does as events of `journal`; who shows or keeps them is no business of this
//! room. It never reads the user's files nor flags.
//!
//! Read next: `training.rs`, which is the loop; `step.rs` for one step; `checkpoint.rs` for what survives a crash.

mod arguments;
mod checkpoint;
mod dynamics;
mod error;
mod estimate;
mod evaluate;
mod examples;
mod identity;
mod results;
mod schedule;
mod selection;
mod speed;
mod state;
mod step;
mod suspects;
mod training;

pub use arguments::*;
pub use checkpoint::{latest_checkpoint, remove_leftovers};
pub use dynamics::{Dynamics, RowDynamics};
pub use error::Error;
pub use estimate::{Estimate, estimate};
pub use evaluate::{Evaluation, evaluate};
pub use examples::Examples;
pub use identity::FREE_ON_RESUME;
pub use metrics;
pub use results::{Results, add_urls};
pub use schedule::multiplier;
pub use state::TrainerState;
pub use suspects::{Evidence, LabelledRows, Network, Suspect, Suspects, Testimony, suspects};
pub use training::{Outcome, Run, freeze, train};
