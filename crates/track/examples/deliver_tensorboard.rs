//! Delivers the journal of a run to a folder of event files: `deliver_tensorboard RUN [LOGGING_DIR]`.

use std::path::PathBuf;

use track::tensorboard::{Settings, TensorBoard};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let run = arguments.next().ok_or("which run? deliver_tensorboard RUN [LOGGING_DIR]")?;
    let settings = Settings::from_environment(arguments.next());
    let status = track::sync(TensorBoard::new(settings, &run), &run)?;
    println!("{}", status.url.unwrap_or_default());
    Ok(())
}
