//! `hub-stand-in [FOLDER]`: serves a folder of repos, prints the address, and ends when its input does.

use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use hub_stand_in::{Options, StandIn};

fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1);
    match serve(folder.as_ref().map(Path::new)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to serve: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(folder: Option<&Path>) -> io::Result<()> {
    // Small pages, so that whoever lists more than a few files has to turn them.
    let hub = StandIn::start_with(Options { page: 5, ..Options::default() })?;
    if let Some(folder) = folder {
        hub.add_folder(folder)?;
    }
    println!("{}", hub.url());
    // The parent's end closes the pipe, however it came about.
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
