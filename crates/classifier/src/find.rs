//! From what the user typed to a model: a folder, a name in the Hub's cache, or a new one.

use std::path::{Path, PathBuf};

use hub::{Cache, Repo, RepoKind};

use crate::Error;
use crate::scratch::SCRATCH_SIZES;

/// The model that is taken where none is named.
pub const DEFAULT_MODEL: &str = "distilbert-base-uncased";

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSource {
    /// A folder with `config.json`, weights and tokeniser; that of an archive is in this user's cache.
    Folder(PathBuf),
    /// Random weights of this size, and a vocabulary learnt from the training texts.
    Scratch(String),
}

/// Finds the model that `name` means: an existing path, a folder or a `tar.gz` of one, wins over everything, then
/// `scratch:SIZE`, then the Hub's cache.
///
/// # Errors
/// A path that is neither, an archive that cannot be trusted, an unknown size, a name that the cache does not have.
pub fn find_model(name: &str) -> Result<ModelSource, Error> {
    find_model_in(name, Cache::of_this_user().as_ref())
}

fn find_model_in(name: &str, cache: Option<&Cache>) -> Result<ModelSource, Error> {
    let path = Path::new(name);
    if path.is_dir() {
        return Ok(ModelSource::Folder(path.to_owned()));
    }
    if archive::is_archive(path) {
        let folder = archive::open(path, archive::store_of_this_user().as_deref())?;
        return Ok(ModelSource::Folder(folder));
    }
    if path.exists() {
        return Err(Error::NotAFolder { path: path.to_owned() });
    }
    if let Some(size) = name.strip_prefix("scratch:") {
        let known = || SCRATCH_SIZES.map(|(size, _)| format!("scratch:{size}")).join(", ");
        return match SCRATCH_SIZES.iter().any(|(known, _)| *known == size) {
            true => Ok(ModelSource::Scratch(size.to_owned())),
            false => Err(Error::UnknownScratch { name: name.to_owned(), known: known() }),
        };
    }
    let named = Repo::parse(RepoKind::Model, name).ok();
    let in_cache = || {
        let (repo, revision) = named.as_ref()?;
        let (_, folder) = cache?.snapshot(repo, revision.as_deref())?;
        folder.join("config.json").is_file().then_some(folder)
    };
    let canonical = Repo::model(hub::canonical(RepoKind::Model, name));
    in_cache().map(ModelSource::Folder).ok_or_else(|| Error::NotFound {
        name: name.to_owned(),
        cache: cache.map_or("the Hub's cache".to_owned(), |cache| cache.folder().display().to_string()),
        folder: Cache::at("").repo_folder(&canonical).display().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_wins_over_a_name_and_a_missing_name_says_where_it_was_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("hub"));
        let path = folder.path().to_str().unwrap();
        assert_eq!(find_model_in(path, Some(&cache)).unwrap(), ModelSource::Folder(path.into()));
        assert_eq!(find_model_in("scratch:small", None).unwrap(), ModelSource::Scratch("small".into()));
        let error = find_model_in("scratch:huge", None).unwrap_err().to_string();
        assert!(error.contains("scratch:huge") && error.contains("scratch:small"), "{error}");
        let error = find_model_in(DEFAULT_MODEL, Some(&cache)).unwrap_err().to_string();
        assert!(error.contains("models--distilbert--distilbert-base-uncased"), "{error}");
        assert!(error.contains(cache.folder().to_str().unwrap()), "{error}");
        let file = folder.path().join("file");
        std::fs::write(&file, "no archive").unwrap();
        let error = find_model_in(file.to_str().unwrap(), None).unwrap_err();
        assert!(matches!(error, Error::NotAFolder { .. }), "{error}");
    }
}
