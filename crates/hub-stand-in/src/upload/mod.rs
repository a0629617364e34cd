//! What the Hub answers to those who write to it: new repos and branches, checks of a card, large files by LFS, commits.
//!
//! As on the Hub, nothing of an upload shows before its commit, and a commit is there as a whole or not at all.

mod card;
mod commit;
mod create;
mod lfs;
mod preupload;

pub(crate) use lfs::{Uploads, to_store};

use serde_json::Value;

use crate::access::{User, refusal, who};
use crate::http::Response;
use crate::repos::Kind;
use crate::routes::Call;
use crate::state::State;

pub(crate) fn answer(state: &State, call: &Call<'_>) -> Option<Response> {
    if call.request.method != "POST" {
        return None;
    }
    let path = call.path();
    let answered = match path.as_slice() {
        ["api", "repos", "create"] => create::repo(state, call),
        ["api", "validate-yaml"] => Ok(card::check(&body(call))),
        ["api", "lfs", "complete", oid] => lfs::complete(state, oid, &body(call)),
        ["api", "lfs", "verify"] => lfs::verify(state, &body(call)),
        ["api", plural, owner, name, what @ ("preupload" | "commit" | "branch"), revision] => {
            let place = Place { kind: Kind::from_plural(plural)?, owner, name: format!("{owner}/{name}"), revision };
            match *what {
                "preupload" => preupload::modes(state, call, &place),
                "commit" => commit::commit(state, call, &place),
                _ => create::branch(state, call, &place),
            }
        }
        [kind @ .., owner, git, "info", "lfs", "objects", "batch"] => {
            let kind = match kind {
                [] => Kind::Model,
                ["datasets"] => Kind::Dataset,
                _ => return None,
            };
            let name = format!("{owner}/{}", git.strip_suffix(".git")?);
            lfs::batch(state, call, &Place { kind, owner, name, revision: "main" })
        }
        _ => return None,
    };
    Some(answered.unwrap_or_else(|refusal| *refusal))
}

/// A request that is not carried out.
type Refused = Box<Response>;

/// What is written to.
struct Place<'a> {
    kind: Kind,
    owner: &'a str,
    name: String,
    revision: &'a str,
}

impl Place<'_> {
    /// The repo's address for people.
    fn url(&self, state: &State) -> String {
        format!("{}/{}{}", state.hub_url, self.kind.prefix(), self.name)
    }
}

/// Who writes to `owner`'s repos.
fn writer(state: &State, call: &Call<'_>, owner: &str) -> Result<User, Refused> {
    let access = state.access();
    let Some(user) = who(&access, call.request)? else {
        return Err(Box::new(refusal(401, None, "Invalid username or password.")));
    };
    if user.role == "read" || !user.is(owner) {
        let message = format!("You don't have the rights to write to a repo under the namespace \"{owner}\"");
        return Err(Box::new(refusal(403, None, &message)));
    }
    Ok(user.clone())
}

fn body(call: &Call<'_>) -> Value {
    serde_json::from_slice(&call.request.body).unwrap_or_default()
}

fn bad(message: &str) -> Refused {
    Box::new(refusal(400, None, message))
}

fn no_repo() -> Refused {
    Box::new(refusal(404, Some("RepoNotFound"), "Repository not found"))
}
