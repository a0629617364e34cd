//! Jobs: found by path, or by name inside the program.

use std::path::Path;

use steps::{JobFile, Override};

use crate::settings_error::SettingsError;

/// The jobs inside the program.
pub(crate) const BUILT_IN: [(&str, &str); 5] = [
    ("imdb-wandb", include_str!("../../../recipes/jobs/imdb-wandb.toml")),
    ("amazon-polarity", include_str!("../../../recipes/jobs/amazon-polarity.toml")),
    ("imdb-workshop", include_str!("../../../recipes/jobs/imdb-workshop.toml")),
    ("sms-spam-mlflow", include_str!("../../../recipes/jobs/sms-spam-mlflow.toml")),
    ("imdb-full", include_str!("../../../recipes/jobs/imdb-full.toml")),
];

/// Finds a job by path or name; a file that exists wins over a name. The relative paths of one inside the program begin
/// in the current folder.
///
/// # Errors
/// When there is none, or it says what cannot be said.
pub(crate) fn find(name_or_file: &str, overrides: &[Override]) -> anyhow::Result<JobFile> {
    let path = Path::new(name_or_file);
    if path.is_file() {
        return Ok(JobFile::load(path, overrides)?);
    }
    match BUILT_IN.iter().find(|(name, _)| *name == name_or_file) {
        Some((name, text)) => Ok(JobFile::parse(text, name, name, Path::new("."), overrides)?),
        None => Err(SettingsError::NoSuchJob {
            name: name_or_file.to_owned(),
            known: BUILT_IN.map(|(name, _)| name).join(", "),
        }
        .into()),
    }
}
