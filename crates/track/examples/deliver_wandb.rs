//! Brings the run in a folder to Weights & Biases as the environment says, once, and prints how it stands. The tests beside
//! the real client (`parity/test_wandb.py`) use it.

use std::path::PathBuf;

use track::wandb::{Options, Settings, sync};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("the folder of a run is missing")?.into();
    let settings = Settings::from_env(&Options::default())?;
    if let Some(note) = &settings.note {
        eprintln!("{note}");
    }
    match sync(&settings, &folder)? {
        Some(status) => println!("{}", status.url.unwrap_or_default()),
        None => println!("disabled"),
    }
    Ok(())
}
