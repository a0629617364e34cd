//! What a repo is called.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Error;

/// All but what [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-2.3) leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The branch that is meant where none is named.
pub(crate) const MAIN: &str = "main";

/// What a repo holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RepoKind {
    /// A model.
    Model,
    /// A data set.
    Dataset,
}

impl fmt::Display for RepoKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl RepoKind {
    fn words(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "data set",
        }
    }

    /// `models` or `datasets`: in addresses below `/api/`, and in names of cache folders.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::Dataset => "datasets",
        }
    }
}

/// A repo of the Hub.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repo {
    /// What it holds.
    pub kind: RepoKind,
    /// `owner/name`, or a name alone for those that are older than owners.
    pub name: String,
}

impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

impl Repo {
    /// A model.
    #[must_use]
    pub fn model(name: impl Into<String>) -> Self {
        Self { kind: RepoKind::Model, name: name.into() }
    }

    /// A data set.
    #[must_use]
    pub fn dataset(name: impl Into<String>) -> Self {
        Self { kind: RepoKind::Dataset, name: name.into() }
    }

    /// The repo and the revision that `NAME` or `NAME@REVISION` mean.
    ///
    /// # Errors
    /// When it cannot be the name of a repo, or the revision could lead out of the cache.
    pub fn parse(kind: RepoKind, text: &str) -> Result<(Self, Option<String>), Error> {
        let (name, revision) = match text.split_once('@') {
            Some((name, revision)) => (name, Some(revision)),
            None => (text, None),
        };
        let good = is_name(name) && revision.is_none_or(is_revision);
        let bad = || Error::Name { text: text.to_owned(), kind: kind.words() };
        good.then(|| (Self { kind, name: name.to_owned() }, revision.map(str::to_owned))).ok_or_else(bad)
    }

    /// The repo's folder in a cache: `models--OWNER--NAME`.
    pub(crate) fn folder(&self) -> String {
        format!("{}--{}", self.kind.plural(), self.name.replace('/', "--"))
    }

    /// Where its metadata is, below the endpoint.
    pub(crate) fn api(&self) -> String {
        format!("/api/{}/{}", self.kind.plural(), self.name)
    }

    /// Where people see it, below the endpoint.
    pub(crate) fn page(&self) -> String {
        match self.kind {
            RepoKind::Model => format!("/{}", self.name),
            RepoKind::Dataset => format!("/datasets/{}", self.name),
        }
    }

    /// Where a file of a commit is, below the endpoint.
    pub(crate) fn resolve(&self, commit: &str, path: &str) -> String {
        let steps: Vec<_> = path.split('/').map(encoded).collect();
        format!("{}/resolve/{}/{}", self.page(), encoded(commit), steps.join("/"))
    }
}

/// A text as one step of an address.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// What the Hub lets a repo be called: up to 96 letters, digits, `-`, `_` and `.` in each of one or two parts, without
/// `--` and `..`, and without `-` or `.` at the ends.
fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        (1..=96).contains(&part.len())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            && !part.starts_with(['-', '.'])
            && !part.ends_with(['-', '.'])
            && !part.contains("--")
            && !part.contains("..")
    };
    let parts: Vec<&str> = name.split('/').collect();
    matches!(parts.len(), 1 | 2) && parts.iter().all(|it| part(it))
}

/// What git lets a branch be called, and what can be a file below `refs/`.
pub(crate) fn is_revision(revision: &str) -> bool {
    !revision.is_empty()
        && revision.split('/').all(|step| !step.is_empty() && !step.starts_with('.') && !step.ends_with(".lock"))
        && !revision.contains("..")
        && !revision.contains(['\\', ':', '~', '^', '?', '*', '[', ' '])
        && !revision.chars().any(char::is_control)
}

/// Whether a revision is a commit, which stands for the same files for ever.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && is_hex(revision)
}

pub(crate) fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_a_revision() {
        let parse = |text: &str| Repo::parse(RepoKind::Model, text).ok().map(|(repo, revision)| (repo.name, revision));
        assert_eq!(parse("distilbert-base-uncased"), Some(("distilbert-base-uncased".into(), None)));
        assert_eq!(parse("org/a.b_c@refs/pr/1"), Some(("org/a.b_c".into(), Some("refs/pr/1".into()))));
        for bad in [
            "",
            "@",
            "a/b/c",
            "../x",
            "a/..",
            "a@",
            "a@..",
            "a@../../x",
            "a@/x",
            "/a",
            "a/",
            "a b",
            "a--b",
            "-a",
            "é",
            "C:\\a",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_and_folders_are_those_of_the_hub() {
        let model = Repo::model("org/name");
        assert_eq!(model.folder(), "models--org--name");
        assert_eq!(model.resolve("abc", "a b/c#.json"), "/org/name/resolve/abc/a%20b/c%23.json");
        let data = Repo::dataset("imdb");
        assert_eq!((data.folder(), data.api()), ("datasets--imdb".into(), "/api/datasets/imdb".into()));
        assert_eq!(data.resolve("refs/convert/parquet", "x"), "/datasets/imdb/resolve/refs%2Fconvert%2Fparquet/x");
    }
}
