//! Delivers the run in a folder to MLflow, as `MLFLOW_TRACKING_URI` and its companions say: what `parity/` asks the real
//! server about.

use std::path::PathBuf;
use std::process::ExitCode;

use track::mlflow::{Mlflow, Options, Settings};

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: deliver FOLDER");
        return ExitCode::from(2);
    };
    let delivered =
        Settings::from_env(&Options::default()).and_then(|settings| track::sync(Mlflow::new(settings), &folder));
    match delivered {
        Ok(status) => {
            for note in &status.notes {
                eprintln!("{note}");
            }
            println!("{}", status.url.unwrap_or_default());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("failed to reach mlflow: {error}");
            ExitCode::FAILURE
        }
    }
}
