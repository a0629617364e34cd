//! Makes the page and the card of a run: `cargo run -p tunesmith-report --example report -- RUN`.

use std::path::PathBuf;

use report::Story;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("expected the folder of a run")?);
    let written = report::write(&folder, &Story::read(&folder)?)?;
    println!("{written:?}");
    Ok(())
}
