//! Which files of a run's folder go there beside the figures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use journal::{ArtifactKind, Event};

use super::describe::RECIPE;
use super::settings::Settings;
use crate::News;

/// The files that the news are about, by their names there. The recipe is code; one that is gone is passed over.
pub(super) fn run_files(news: &News<'_>, settings: &Settings) -> BTreeMap<String, PathBuf> {
    let mut files = BTreeMap::new();
    for record in news.records {
        let (name, path) = match &record.event {
            Event::RunBegin(_) => (format!("code/{RECIPE}"), Path::new(RECIPE)),
            Event::Artifact { path, kind: ArtifactKind::Settings } => (format!("code/{RECIPE}"), path.as_path()),
            Event::Artifact { path, kind: ArtifactKind::Report | ArtifactKind::Results } => {
                (name_of(path), path.as_path())
            }
            _ => continue,
        };
        let path = news.folder.join(path);
        let is_code = name.starts_with("code/");
        if path.is_file() && (settings.save_code || !is_code) {
            files.insert(name, path);
        }
    }
    files
}

/// The name of a file of the run's folder there: its own, with slashes.
fn name_of(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
