//! MLflow: a run of its tracking server, or of Databricks, through the REST interface.
//!
//! `settings.rs` says where and as whom, `client.rs` how a call is made and what a refusal means, `run.rs` finds or makes
//! the run, and `place.rs` is what is done with news. What is sent is in `description.rs` (params, tags), `dataset.rs`,
//! `figures.rs` (metrics; all three go by `batch.rs`), `artifacts.rs` (files) and `model.rs` (the logged model, whose
//! `MLmodel` file is in `flavor.rs`).

mod artifacts;
mod batch;
mod client;
mod databricks;
mod dataset;
mod description;
mod figures;
mod flavor;
mod ini;
mod model;
mod place;
mod run;
mod settings;

pub use place::{Mlflow, State};
pub use settings::{Options, Settings};
