//! `/NAME/resolve/REVISION/PATH`: files, and the redirects on the way to them.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::access::{may_have_files, refusal, seen, who};
use crate::http::Response;
use crate::info::no_revision;
use crate::repos::{File, Kind};
use crate::routes::Call;
use crate::state::State;

pub(crate) fn answer(state: &State, call: &Call<'_>) -> Option<Response> {
    if !call.reads() {
        return None;
    }
    let path = call.path();
    if let ["api", "resolve-cache", plural, rest @ ..] = path.as_slice() {
        let address = Address::read(Kind::from_plural(plural)?, rest, None)?;
        return Some(answer_for(state, call, &address, true));
    }
    let (kind, rest) = match path.as_slice() {
        ["datasets", rest @ ..] => (Kind::Dataset, rest),
        rest => (Kind::Model, rest),
    };
    let address = Address::read(kind, rest, Some("resolve"))?;
    Some(answer_for(state, call, &address, false))
}

/// Which file is meant.
struct Address {
    kind: Kind,
    name: String,
    revision: String,
    path: String,
}

impl Address {
    /// `NAME/[word/]REVISION/PATH`, where a name without an owner is found by the word that follows it.
    fn read(kind: Kind, steps: &[&str], word: Option<&str>) -> Option<Self> {
        let (name, rest) = match (word, steps) {
            (Some(word), [name, next, rest @ ..]) if *next == word => ((*name).to_owned(), rest),
            (Some(word), [owner, name, next, rest @ ..]) if *next == word => (format!("{owner}/{name}"), rest),
            (None, [owner, name, rest @ ..]) => (format!("{owner}/{name}"), rest),
            _ => return None,
        };
        let (revision, path) = match rest {
            // `refs/pr/1` and `refs/convert/parquet` also come with bare slashes.
            ["refs", kind, number, path @ ..] => (format!("refs/{kind}/{number}"), path),
            [revision, path @ ..] => ((*revision).to_owned(), path),
            [] => return None,
        };
        (!path.is_empty()).then(|| Self { kind, name, revision, path: path.join("/") })
    }
}

fn answer_for(state: &State, call: &Call<'_>, address: &Address, cached: bool) -> Response {
    let Address { kind, name, revision, path } = address;
    let repos = state.repos();
    if let Some(new) = repos.new_name(*kind, name) {
        let (old, new) = (format!("/{}{name}/", kind.prefix()), format!("/{}{new}/", kind.prefix()));
        return Response::redirect(307, &call.request.target.replacen(&old, &new, 1));
    }
    let access = state.access();
    let found = who(&access, call.request).and_then(|user| {
        let repo = seen(repos.get(*kind, name), name, user)?;
        let (commit, tree) = repo.commit(revision).ok_or_else(|| no_revision(revision))?;
        may_have_files(repo, *kind, name, user)?;
        let missing = || refusal(404, Some("EntryNotFound"), "Entry not found").with("X-Repo-Commit", commit);
        Ok((commit, tree.get(path).ok_or_else(|| Box::new(missing()))?))
    });
    match found {
        Err(refusal) => *refusal,
        Ok((commit, file)) if file.sha256.is_some() => to_store(state, commit, path, file),
        Ok((commit, file)) if cached => tagged(Response::file(file.bytes.clone()), commit, file, "ETag"),
        Ok((commit, file)) => {
            let steps: Vec<String> = path.split('/').map(encode).collect();
            let there = format!("/api/resolve-cache/{}/{name}/{commit}/{}", kind.plural(), steps.join("/"));
            let answer = Response::redirect(307, &format!("{there}?etag={}", encode(&quoted(file))));
            tagged(answer, commit, file, "X-Linked-Etag").with("X-Linked-Size", &file.bytes.len().to_string())
        }
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn quoted(file: &File) -> String {
    format!("\"{}\"", file.tag())
}

fn tagged(answer: Response, commit: &str, file: &File, header: &str) -> Response {
    answer.with("X-Repo-Commit", commit).with(header, &quoted(file))
}

/// A large file lies on another origin, at an address that is good for whoever holds it.
fn to_store(state: &State, commit: &str, path: &str, file: &File) -> Response {
    let shown = path.rsplit('/').next().unwrap_or(path);
    let there = format!("{}/store/{}?file={}&Signature=let-me-in", state.store_url, file.tag(), encode(shown));
    tagged(Response::redirect(302, &there), commit, file, "X-Linked-Etag")
        .with("X-Linked-Size", &file.bytes.len().to_string())
        .with("Accept-Ranges", "bytes")
}

/// The store's own answers: it asks for a signature and for nothing else, and refuses two proofs of who asks.
pub(crate) fn from_store(state: &State, call: &Call<'_>) -> Response {
    let path = call.path();
    let ["store", digest] = path.as_slice() else { return Response::new(404) };
    if call.request.query("Signature").as_deref() != Some("let-me-in") {
        return Response::new(403);
    }
    if call.request.header("authorization").is_some() {
        return Response::new(400);
    }
    let found: Option<Arc<[u8]>> = state.repos().large_file(digest);
    match found {
        Some(bytes) => {
            let tag = format!("\"{}\"", &digest[..digest.len().min(32)]);
            match call.request.header("if-none-match") == Some(&tag) {
                true => Response::new(304).with("ETag", &tag),
                false => Response::file(bytes).with("ETag", &tag),
            }
        }
        None => Response::new(404),
    }
}
