//! Bringing a model to the Hub: all files in one commit, or none.
//!
//! The order is that of what can go wrong early: who asks and whether the card is sound, then the repo, then large files
//! (which show to nobody before the commit), then the commit. It is made on top of the commit that was looked at; where
//! that is no longer the newest, or an answer was lost on its way, everything is looked at again. So a push may be repeated
//! at any time: what has arrived is not sent again, and a push of what is there already makes no commit.
//!
//! Requests and answers are those of `huggingface_hub` 2.4 (its `_commit_api.py`, `lfs.py` and `hf_api.py`) where it does
//! not use xet; `docs/design/push.md` says why we do not.

mod account;
mod card;
mod commit;
mod error;
mod lfs;
mod local;
mod place;
mod preupload;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use error::PushError;

use serde_json::Value;

use crate::http::{Answer, Http};
use crate::login::Account;
use crate::repo::{MAIN, encoded};
use crate::{Error, Hub, Repo};
use commit::Committed;
use preupload::Standing;

/// The file whose metadata the Hub checks.
const CARD: &str = "README.md";

/// How often everything is looked at again because others commit too. Each time somebody else was done.
const LOOKS: usize = 8;

/// A repo that files are brought to, and who brings them.
pub struct Destination<'a> {
    hub: &'a Hub,
    repo: Repo,
    account: Account,
}

/// What is to be brought.
#[derive(Clone, Debug)]
pub struct Push<'a> {
    /// The files by the paths that they get.
    pub files: BTreeMap<String, Content>,
    /// The branch; it is made if there is none. `main` where none is named.
    pub revision: Option<&'a str>,
    /// What the commit is called.
    pub message: &'a str,
    /// Who may see the repo.
    pub visibility: Visibility,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// What this file holds.
    File(PathBuf),
    /// This.
    Text(String),
}

/// Who may see a repo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// A new one: nobody else. One that is there: whoever may see it now.
    #[default]
    Usual,
    /// Nobody else; one that everybody sees is refused.
    Private,
    /// A new one: everybody. One that is there: whoever may see it now.
    Public,
}

/// What happens, for somebody who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pushing<'a> {
    /// The repo was made.
    Made {
        /// Whether nobody else sees it.
        private: bool,
    },
    /// Something that the user should read.
    Notice(&'a str),
    /// Large files that the Hub lacks are being sent.
    Sends {
        /// Bytes sent of them.
        done: u64,
        /// Bytes of them.
        total: u64,
    },
    /// The commit is being made.
    Commits,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Where.
    pub repo: Repo,
    /// The commit that has all the files.
    pub commit: String,
    /// Its address.
    pub url: String,
    /// Whether the repo was made for it.
    pub created: bool,
    /// Whether nobody else sees the repo.
    pub private: bool,
    /// The files that the commit changes; none where everything was there already.
    pub changed: Vec<String>,
    /// Bytes that went over the wire as large files.
    pub sent: u64,
    /// Files that the repo's `.gitignore` keeps out.
    pub ignored: Vec<String>,
}

/// Who is told.
type Watch<'a> = &'a dyn Fn(Pushing<'_>);

impl Hub {
    /// The repo that `name` means to this user, as a place to bring files to: `OWNER/NAME`, or `NAME` alone for one of
    /// their own. It need not be there yet.
    ///
    /// # Errors
    /// The network is forbidden or does not work; nobody is logged in, or with a token that may only read; what cannot be
    /// the name of a repo.
    pub fn destination(&self, name: &str) -> Result<Destination<'_>, PushError> {
        if self.settings().offline {
            return Err(PushError::Offline);
        }
        let account = account::ask(self)?;
        Ok(Destination { hub: self, repo: account.repo(name)?, account })
    }
}

impl Destination<'_> {
    /// Which repo.
    #[must_use]
    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// Whose token it is.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.account.name
    }

    /// Brings files into the repo, which is made if there is none, in one commit.
    ///
    /// # Errors
    /// A user who may not write there; a card that the Hub would not take; a file that cannot be read or changes meanwhile;
    /// a network or a Hub that fails for longer than is waited; others who commit all the time. What was there before the
    /// push is there as it was, unless the commit was made and its answer lost: the next push finds out.
    pub fn push(&self, push: &Push<'_>, watch: Watch<'_>) -> Result<Pushed, PushError> {
        let Self { hub, repo, account } = self;
        let files = local::look(&push.files)?;
        let to = To { http: hub.http(), repo, revision: push.revision.unwrap_or(MAIN), account };
        if let Some(card) = files.get(CARD) {
            card::check(to.http, card, watch)?;
        }
        let place = place::ready(&to, push.visibility, watch)?;
        let files = local::sum(files)?;
        let mut sent = 0;
        for _ in 0..LOOKS {
            let head = place::head(&to)?;
            let standing = preupload::compare(&to, &files)?;
            let done = |commit: String, url: String, changed, sent| Pushed {
                repo: repo.clone(),
                commit,
                url,
                created: place.created,
                private: place.private,
                changed,
                sent,
                ignored: paths(&standing, |file| file.ignored),
            };
            let changes: Vec<&Standing<'_>> = standing.iter().filter(|file| file.changes()).collect();
            let changed = paths(&standing, |file| file.changes());
            if changes.is_empty() {
                let url = to.page_of(&head);
                return Ok(done(head, url, Vec::new(), sent));
            }
            let uploaded = lfs::upload(&to, &changes, watch)?;
            changes.iter().try_for_each(|file| file.file.check_unchanged())?;
            watch(Pushing::Commits);
            match commit::commit(&to, &head, push.message, &changes)? {
                Committed::As { commit, url } => return Ok(done(commit, url, changed, sent + uploaded)),
                Committed::Outrun => sent += uploaded,
            }
        }
        Err(PushError::Outrun { repo: repo.clone(), revision: to.revision.to_owned() })
    }
}

fn paths(standing: &[Standing<'_>], which: impl Fn(&Standing<'_>) -> bool) -> Vec<String> {
    standing.iter().filter(|file| which(file)).map(|file| file.file.path.clone()).collect()
}

/// Where the files go, and who brings them.
struct To<'a> {
    http: &'a Http,
    repo: &'a Repo,
    revision: &'a str,
    account: &'a Account,
}

impl To<'_> {
    /// The address of something of the repo's metadata.
    fn api(&self, rest: &str) -> String {
        format!("{}{}{rest}", self.http.endpoint, self.repo.api())
    }

    /// The same about the branch.
    fn of_branch(&self, what: &str) -> String {
        self.api(&format!("/{what}/{}", encoded(self.revision)))
    }

    /// Where people see a commit.
    fn page_of(&self, commit: &str) -> String {
        format!("{}{}/commit/{commit}", self.http.endpoint, self.repo.page())
    }

    /// The JSON of a good answer.
    ///
    /// # Errors
    /// What a bad one means.
    fn json(&self, answer: &Answer) -> Result<Value, PushError> {
        match answer.status {
            403 => Err(self.account.forbidden(self.repo, answer.message())),
            413 => Err(PushError::TooLarge { what: "the list of files".to_owned(), message: answer.message() }),
            _ if !answer.is_good() => Err(answer.refused().into()),
            _ => Ok(answer.json()?),
        }
    }
}

/// What to make of an answer that does not say what it should.
fn malformed(what: &str, reason: impl Into<String>) -> PushError {
    Error::Malformed { what: what.to_owned(), reason: reason.into() }.into()
}
