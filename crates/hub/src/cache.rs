//! The cache folder of `huggingface_hub` 2: `models--ORG--NAME/{refs,snapshots}`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A Hub cache folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
}

/// Names of models that once stood without an organisation, and where they stand now. The cache of somebody who asked
/// under the old name has the old folder.
const MOVED: [(&str, &str); 8] = [
    ("distilbert-base-uncased", "distilbert/distilbert-base-uncased"),
    ("distilbert-base-cased", "distilbert/distilbert-base-cased"),
    ("distilbert-base-multilingual-cased", "distilbert/distilbert-base-multilingual-cased"),
    ("bert-base-uncased", "google-bert/bert-base-uncased"),
    ("bert-base-cased", "google-bert/bert-base-cased"),
    ("bert-base-multilingual-cased", "google-bert/bert-base-multilingual-cased"),
    ("bert-large-uncased", "google-bert/bert-large-uncased"),
    ("bert-large-cased", "google-bert/bert-large-cased"),
];

/// The full name that the Hub knows a model by.
#[must_use]
pub fn canonical(name: &str) -> &str {
    MOVED.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new)
}

impl Cache {
    /// The cache in `folder`.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The cache that this user's Python programs use: `HF_HUB_CACHE`, else `HF_HOME/hub`, else
    /// `XDG_CACHE_HOME/huggingface/hub`, else `~/.cache/huggingface/hub`. `None` where not even a home is known.
    #[must_use]
    pub fn of_this_user() -> Option<Self> {
        Self::from_variables(&|name| std::env::var_os(name).filter(|value| !value.is_empty()))
    }

    fn from_variables(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<Self> {
        let below = |name: &str, rest: &str| variable(name).map(|folder| Path::new(&folder).join(rest));
        variable("HF_HUB_CACHE")
            .map(PathBuf::from)
            .or_else(|| below("HF_HOME", "hub"))
            .or_else(|| below("XDG_CACHE_HOME", "huggingface/hub"))
            .or_else(|| below("HOME", ".cache/huggingface/hub"))
            .map(Self::at)
    }

    /// Where the cache lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a model would stand, under the name given.
    #[must_use]
    pub fn model_folder(&self, name: &str) -> PathBuf {
        self.folder.join(format!("models--{}", name.replace('/', "--")))
    }

    /// The snapshot of a model, `name` or `name@revision` (`main` by default; a branch, a tag or a commit), if this
    /// cache has it under the name given or the one it moved to.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<PathBuf> {
        let (name, revision) = name.split_once('@').unwrap_or((name, "main"));
        let is_plain = |part: &str| !part.is_empty() && !part.split('/').any(|step| matches!(step, "" | "." | ".."));
        if !is_plain(name) || !is_plain(revision) {
            return None;
        }
        [name, canonical(name)].into_iter().find_map(|name| {
            let folder = self.model_folder(name);
            let commit = std::fs::read_to_string(folder.join("refs").join(revision));
            let commit = commit.as_deref().map_or(revision, str::trim);
            let snapshot = is_plain(commit).then(|| folder.join("snapshots").join(commit))?;
            snapshot.join("config.json").is_file().then_some(snapshot)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(cache: &Cache, name: &str, commit: &str, branch: Option<&str>) -> PathBuf {
        let folder = cache.model_folder(name);
        let snapshot = folder.join("snapshots").join(commit);
        std::fs::create_dir_all(&snapshot).unwrap();
        std::fs::write(snapshot.join("config.json"), "{}").unwrap();
        if let Some(branch) = branch {
            std::fs::create_dir_all(folder.join("refs")).unwrap();
            std::fs::write(folder.join("refs").join(branch), commit).unwrap();
        }
        snapshot
    }

    #[test]
    fn finds_a_branch_a_commit_and_a_model_that_moved() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let main = put(&cache, "org/model", "abc123", Some("main"));
        let other = put(&cache, "org/model", "def456", None);
        let moved = put(&cache, "distilbert/distilbert-base-uncased", "aaa", Some("main"));
        assert_eq!(cache.model("org/model"), Some(main));
        assert_eq!(cache.model("org/model@def456"), Some(other));
        assert_eq!(cache.model("org/model@v1"), None);
        assert_eq!(cache.model("distilbert-base-uncased"), Some(moved.clone()));
        let old = put(&cache, "distilbert-base-uncased", "bbb", Some("main"));
        assert_eq!(cache.model("distilbert-base-uncased"), Some(old));
        assert_eq!(cache.model("distilbert/distilbert-base-uncased"), Some(moved));
    }

    #[test]
    fn names_cannot_lead_out_of_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("hub"));
        put(&cache, "org/model", "abc", Some("main"));
        for name in ["..", "org/../model", "org/model@..", "org/model@../../x", "", "/etc", "org/model@"] {
            assert_eq!(cache.model(name), None, "{name}");
        }
    }

    #[test]
    fn the_folder_is_where_python_looks() {
        let with = |pairs: &'static [(&str, &str)]| {
            let find = move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, v)| OsString::from(v));
            Cache::from_variables(&find).map(|cache| cache.folder)
        };
        assert_eq!(with(&[("HOME", "/h")]), Some("/h/.cache/huggingface/hub".into()));
        assert_eq!(with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]), Some("/x/huggingface/hub".into()));
        assert_eq!(with(&[("HOME", "/h"), ("HF_HOME", "/f")]), Some("/f/hub".into()));
        assert_eq!(with(&[("HF_HUB_CACHE", "/c"), ("HF_HOME", "/f")]), Some("/c".into()));
        assert_eq!(with(&[]), None);
    }
}
