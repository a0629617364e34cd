//! From what the user typed to a model: a folder, a name on the Hub, or a new one.

use std::path::{Path, PathBuf};

use hub::{Repo, RepoKind};

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

/// What the name of a model means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelName {
    /// Something that can be started from as it is.
    Here(ModelSource),
    /// A repo of the Hub, and its revision where one is named.
    OnHub(Repo, Option<String>),
}

/// What `name` means: an existing path, a folder or a `tar.gz` of one, wins over everything, then `scratch:SIZE`, then a
/// name on the Hub. Nobody is asked.
///
/// # Errors
/// A path that is neither, an archive that cannot be trusted, an unknown size, a text that is neither a folder nor could be a name.
pub fn find_model(name: &str) -> Result<ModelName, Error> {
    let path = Path::new(name);
    if path.is_dir() {
        return Ok(ModelName::Here(ModelSource::Folder(path.to_owned())));
    }
    if archive::is_archive(path) {
        let folder = archive::open(path, archive::store_of_this_user().as_deref())?;
        return Ok(ModelName::Here(ModelSource::Folder(folder)));
    }
    if path.exists() {
        return Err(Error::NotAFolder { path: path.to_owned() });
    }
    if let Some(size) = name.strip_prefix("scratch:") {
        let known = || SCRATCH_SIZES.map(|(size, _)| format!("scratch:{size}")).join(", ");
        return match SCRATCH_SIZES.iter().any(|(known, _)| *known == size) {
            true => Ok(ModelName::Here(ModelSource::Scratch(size.to_owned()))),
            false => Err(Error::UnknownScratch { name: name.to_owned(), known: known() }),
        };
    }
    match Repo::parse(RepoKind::Model, name) {
        Ok((repo, revision)) => Ok(ModelName::OnHub(repo, revision)),
        Err(_) => Err(Error::NotFound { name: name.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_wins_over_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert_eq!(find_model(path).unwrap(), ModelName::Here(ModelSource::Folder(path.into())));
        assert_eq!(find_model("scratch:small").unwrap(), ModelName::Here(ModelSource::Scratch("small".into())));
        let error = find_model("scratch:huge").unwrap_err().to_string();
        assert!(error.contains("scratch:huge") && error.contains("scratch:small"), "{error}");
        let named = find_model("org/name@v1").unwrap();
        assert_eq!(named, ModelName::OnHub(Repo::model("org/name"), Some("v1".into())));
        let file = folder.path().join("file");
        std::fs::write(&file, "no archive").unwrap();
        let error = find_model(file.to_str().unwrap()).unwrap_err();
        assert!(matches!(error, Error::NotAFolder { .. }), "{error}");
        for lost in ["runs/that/is/not/there", "/no/such/folder", "./model", ""] {
            let error = find_model(lost).unwrap_err();
            assert!(matches!(error, Error::NotFound { .. }), "{lost}: {error}");
        }
    }
}
