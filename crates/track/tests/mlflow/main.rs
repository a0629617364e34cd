//! MLflow against a server on loopback that keeps MLflow's rules and fails as servers do. The real server is asked by
//! `parity/test_mlflow.py`.

mod databricks;
mod faults;
mod http;
mod refusals;
mod run;
mod stub;
mod whole;

use std::path::Path;

use track::mlflow::{Mlflow, Options, Settings};
use track::{PlaceError, Status};

/// Settings as an environment would give them.
fn settings(variables: &[(&str, &str)]) -> Settings {
    let variable = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Settings::from_variables(&Options::default(), &variable, None).unwrap()
}

/// Brings the run in `folder` to the server at `url`.
fn deliver(folder: &Path, url: &str) -> Result<Status, PlaceError> {
    track::sync(Mlflow::new(settings(&[("MLFLOW_TRACKING_URI", url)])), folder)
}
