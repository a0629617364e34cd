//! Repos in memory: branches, commits and their files.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::objects::{commit_id, git_blob_id, pointer, sha256};

/// What a repo holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A model.
    Model,
    /// A data set.
    Dataset,
}

impl Kind {
    /// The kind's part of an address below `/api/`.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::Dataset => "datasets",
        }
    }

    /// What stands before a repo's name in an address that a person sees.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Model => "",
            Self::Dataset => "datasets/",
        }
    }

    pub(crate) fn from_plural(plural: &str) -> Option<Self> {
        [Self::Model, Self::Dataset].into_iter().find(|kind| kind.plural() == plural)
    }
}

/// A file of a commit.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) bytes: Arc<[u8]>,
    /// The id that git has for it: of the pointer, where the file is large.
    pub(crate) oid: String,
    /// Of a large file.
    pub(crate) sha256: Option<String>,
}

impl File {
    pub(crate) fn new(bytes: Arc<[u8]>, large: usize) -> Self {
        if bytes.len() < large {
            return Self { oid: git_blob_id(&bytes), sha256: None, bytes };
        }
        let sha256 = sha256(&bytes);
        Self { oid: git_blob_id(pointer(&sha256, bytes.len()).as_bytes()), sha256: Some(sha256), bytes }
    }

    /// What the Hub's entity tag for it is.
    pub(crate) fn tag(&self) -> &str {
        self.sha256.as_deref().unwrap_or(&self.oid)
    }
}

pub(crate) type Tree = BTreeMap<String, File>;

/// A repo: branches are names of commits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repo {
    pub(crate) private: bool,
    pub(crate) gated: bool,
    pub(crate) branches: BTreeMap<String, String>,
    pub(crate) commits: BTreeMap<String, Tree>,
}

impl Repo {
    /// The commit that a branch or a commit's id means.
    pub(crate) fn commit(&self, revision: &str) -> Option<(&str, &Tree)> {
        let id = self.branches.get(revision).map_or(revision, String::as_str);
        self.commits.get_key_value(id).map(|(id, tree)| (id.as_str(), tree))
    }

    /// Puts a branch onto a new commit of these files.
    pub(crate) fn commit_to(&mut self, branch: &str, tree: Tree) -> String {
        let parent = self.branches.get(branch).cloned().unwrap_or_default();
        let files: Vec<_> = tree.iter().map(|(path, file)| format!("{path} {}", file.oid)).collect();
        let id = commit_id(&format!("{parent} {branch} {} {}", self.commits.len(), files.join("\n")));
        self.commits.insert(id.clone(), tree);
        self.branches.insert(branch.to_owned(), id.clone());
        id
    }
}

/// All that the hub has.
#[derive(Debug)]
pub(crate) struct Repos {
    large: usize,
    pub(crate) repos: BTreeMap<(Kind, String), Repo>,
    old_names: BTreeMap<(Kind, String), String>,
}

impl Repos {
    pub(crate) fn new(large: usize) -> Self {
        Self { large, repos: BTreeMap::new(), old_names: BTreeMap::new() }
    }

    pub(crate) fn put(&mut self, kind: Kind, name: &str, branch: &str, files: BTreeMap<String, Arc<[u8]>>) -> String {
        let tree = files.into_iter().map(|(path, bytes)| (path, File::new(bytes, self.large))).collect();
        self.repos.entry((kind, name.to_owned())).or_default().commit_to(branch, tree)
    }

    pub(crate) fn change(&mut self, kind: Kind, name: &str, change: impl FnOnce(&mut Repo)) {
        change(self.repos.entry((kind, name.to_owned())).or_default());
    }

    pub(crate) fn add_old_name(&mut self, kind: Kind, old: &str, new: &str) {
        self.old_names.insert((kind, old.to_owned()), new.to_owned());
    }

    pub(crate) fn get(&self, kind: Kind, name: &str) -> Option<&Repo> {
        self.repos.get(&(kind, name.to_owned()))
    }

    pub(crate) fn new_name(&self, kind: Kind, old: &str) -> Option<&str> {
        self.old_names.get(&(kind, old.to_owned())).map(String::as_str)
    }

    /// The large file of this digest, in whichever repo.
    pub(crate) fn large_file(&self, digest: &str) -> Option<Arc<[u8]>> {
        let files = self.repos.values().flat_map(|repo| repo.commits.values()).flat_map(BTreeMap::values);
        files.filter(|file| file.sha256.as_deref() == Some(digest)).map(|file| file.bytes.clone()).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_stays_when_its_branch_moves_on() {
        let mut repos = Repos::new(8);
        let files = |text: &str| BTreeMap::from([("a.txt".to_owned(), Arc::from(text.as_bytes()))]);
        let first = repos.put(Kind::Model, "org/name", "main", files("one"));
        let second = repos.put(Kind::Model, "org/name", "main", files("more than eight bytes"));
        assert_ne!(first, second);
        let repo = repos.get(Kind::Model, "org/name").unwrap();
        assert_eq!(repo.commit("main").unwrap().0, second);
        let (_, tree) = repo.commit(&first).unwrap();
        assert_eq!((&*tree["a.txt"].bytes, tree["a.txt"].sha256.as_deref()), (&b"one"[..], None));
        let (_, tree) = repo.commit(&second).unwrap();
        assert_eq!(tree["a.txt"].sha256.as_deref(), Some(sha256(b"more than eight bytes").as_str()));
        assert!(repo.commit("v1").is_none() && repos.get(Kind::Dataset, "org/name").is_none());
    }
}
