//! `tunesmith unpack`: the folder of an archive.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use archive::Limits;

use crate::render::{bytes, count};

/// The flags of `unpack`.
#[derive(clap::Args, Debug)]
pub(crate) struct UnpackFlags {
    /// A tar.gz with a model, made by `pack` or by others
    file: PathBuf,

    /// The folder, absent or empty [default: the archive's name without .tar.gz, in this folder]
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Unpacks as the flags say.
///
/// # Errors
/// When the archive is not whole or wants to do what it should not, or something is in the way.
pub(crate) fn run(flags: &UnpackFlags) -> anyhow::Result<()> {
    let folder = flags.output.clone().unwrap_or_else(|| named(&flags.file));
    let unpacked = archive::unpack(&flags.file, &folder, &Limits::default())?;
    eprintln!("unpacked {} files of {}", count(unpacked.files as u64), bytes(unpacked.content));
    writeln!(io::stdout(), "{}", folder.display())?;
    Ok(())
}

/// The folder that is meant where none is said.
fn named(file: &Path) -> PathBuf {
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let ends = [".tar.gz", ".tgz", ".gz"];
    let plain = ends.iter().find_map(|end| name.strip_suffix(end)).filter(|plain| !plain.is_empty());
    plain.map_or_else(|| PathBuf::from(format!("{name}-unpacked")), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_called_as_the_archive_is() {
        let of = |file: &str| named(Path::new(file)).display().to_string();
        assert_eq!(of("/a/model.tar.gz"), "model");
        assert_eq!(of("model.tgz"), "model");
        assert_eq!(of("model"), "model-unpacked", "not the archive itself");
        assert_eq!(of(".tar.gz"), ".tar.gz-unpacked");
    }
}
