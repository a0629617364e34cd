//! Who may read what, and how the Hub says no.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{Request, Response};
use crate::repos::{Kind, Repo};

/// Who a token belongs to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct User {
    /// The name of the account; `NAME/...` is theirs.
    pub name: String,
    /// What the token is called, where its owner sees it.
    pub token_name: String,
    /// `read` or `write`.
    pub role: String,
    /// Names of repos that others opened to them.
    pub may_read: Vec<String>,
    /// Organisations that they belong to, whose repos are theirs too.
    pub orgs: Vec<String>,
}

impl User {
    /// Somebody with a token that may read and write.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.into(), token_name: format!("{name}'s laptop"), role: "write".into(), ..Self::default() }
    }

    /// The same, let into one more repo.
    #[must_use]
    pub fn may_read(mut self, repo: &str) -> Self {
        self.may_read.push(repo.to_owned());
        self
    }

    /// The same, in one more organisation.
    #[must_use]
    pub fn in_org(mut self, org: &str) -> Self {
        self.orgs.push(org.to_owned());
        self
    }

    /// Whether the repos of `owner` are theirs.
    pub(crate) fn is(&self, owner: &str) -> bool {
        self.name == owner || self.orgs.iter().any(|org| org == owner)
    }

    fn is_let_into(&self, repo: &str) -> bool {
        repo.split_once('/').is_some_and(|(owner, _)| self.is(owner)) || self.may_read.iter().any(|may| may == repo)
    }
}

/// Tokens and their owners.
pub(crate) type Access = BTreeMap<String, User>;

/// Who asks; nobody, where no token came along.
///
/// # Errors
/// The answer to a token that nobody has.
pub(crate) fn who<'a>(access: &'a Access, request: &Request) -> Result<Option<&'a User>, Box<Response>> {
    let Some(token) = request.token() else { return Ok(None) };
    let unknown = || Box::new(refusal(401, None, "Invalid credentials in Authorization header"));
    access.get(token).map(Some).ok_or_else(unknown)
}

/// The repo, where `user` may know of it. To those who may not, it is as if it was not there.
///
/// # Errors
/// The Hub's answer that there is none: 401 to those it does not know, 404 to others.
pub(crate) fn seen<'a>(repo: Option<&'a Repo>, name: &str, user: Option<&User>) -> Result<&'a Repo, Box<Response>> {
    let seen = repo.filter(|repo| !repo.private || user.is_some_and(|user| user.is_let_into(name)));
    seen.ok_or_else(|| {
        Box::new(refusal(if user.is_none() { 401 } else { 404 }, Some("RepoNotFound"), "Repository not found"))
    })
}

/// Whether `user` may have a gated repo's files.
///
/// # Errors
/// The answer that says where to ask for access.
pub(crate) fn may_have_files(repo: &Repo, kind: Kind, name: &str, user: Option<&User>) -> Result<(), Box<Response>> {
    let place = format!("{}{name}", kind.prefix());
    match user {
        _ if !repo.gated => Ok(()),
        Some(user) if user.is_let_into(name) => Ok(()),
        Some(_) => Err(Box::new(refusal(
            403,
            Some("GatedRepo"),
            &format!(
                "Access to {place} is restricted and you are not in the authorized list. \
                 Visit https://huggingface.co/{place} to ask for access."
            ),
        ))),
        None => Err(Box::new(refusal(
            401,
            Some("GatedRepo"),
            &format!("Access to {place} is restricted. You must have access to it and be authenticated to access it."),
        ))),
    }
}

/// An error as the Hub words it: in headers, for those who asked by `HEAD`, and in the body.
pub(crate) fn refusal(status: u16, code: Option<&str>, message: &str) -> Response {
    let answer = Response::json(status, &json!({ "error": message })).with("X-Error-Message", message);
    match code {
        Some(code) => answer.with("X-Error-Code", code),
        None => answer,
    }
}

/// What `whoami-v2` says.
pub(crate) fn portrait(user: &User) -> Value {
    json!({
        "type": "user",
        "id": "000000000000000000000001",
        "name": user.name,
        "fullname": user.name,
        "isPro": false,
        "orgs": user.orgs.iter().map(|org| json!({ "type": "org", "name": org, "roleInOrg": "write" })).collect::<Vec<_>>(),
        "auth": {
            "type": "access_token",
            "accessToken": { "displayName": user.token_name, "role": user.role, "createdAt": "2026-01-01T00:00:00.000Z" },
        },
    })
}
