//! `/api/models/...` and `/api/datasets/...`: what a repo is, which commit a revision means, which files it has.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::access::{refusal, seen, who};
use crate::http::{Request, Response};
use crate::objects::{commit_id, pointer};
use crate::repos::{File, Kind, Repo, Tree};
use crate::routes::Call;
use crate::state::State;

/// What follows a repo's name in an address.
const AFTER_NAME: [&str; 6] = ["revision", "tree", "paths-info", "refs", "resolve", "parquet"];

pub(crate) fn answer(state: &State, call: &Call<'_>) -> Option<Response> {
    let path = call.path();
    let ["api", plural, rest @ ..] = path.as_slice() else { return None };
    let kind = Kind::from_plural(plural)?;
    let (name, rest) = split_name(rest)?;
    let reads = call.reads() || (call.request.method == "POST" && rest.first() == Some(&"paths-info"));
    if !reads {
        return None;
    }
    let repos = state.repos();
    if let Some(new) = repos.new_name(kind, &name) {
        let (old, new) = (format!("/api/{plural}/{name}"), format!("/api/{plural}/{new}"));
        return Some(Response::redirect(307, &call.request.target.replacen(&old, &new, 1)));
    }
    let access = state.access();
    let user = match who(&access, call.request) {
        Ok(user) => user,
        Err(unknown) => return Some(*unknown),
    };
    let repo = match seen(repos.get(kind, &name), &name, user) {
        Ok(repo) => repo,
        Err(unseen) => return Some(*unseen),
    };
    let at = |revision: &str| repo.commit(revision).ok_or_else(|| no_revision(revision));
    let answered = match rest {
        [] => at("main").map(|(commit, tree)| Response::json(200, &about(kind, &name, repo, commit, tree))),
        ["revision", revision] => {
            at(revision).map(|(commit, tree)| Response::json(200, &about(kind, &name, repo, commit, tree)))
        }
        ["refs"] => Ok(Response::json(200, &refs(repo))),
        ["paths-info", revision] => at(revision).map(|(_, tree)| paths_info(tree, call.request)),
        ["tree", revision, folder @ ..] => {
            at(revision).and_then(|(commit, tree)| listing(state, call.request, commit, tree, &folder.join("/")))
        }
        _ => return None,
    };
    Some(answered.unwrap_or_else(|refusal| *refusal))
}

/// A name of one step or two, and what follows it.
fn split_name<'a, 'b>(steps: &'b [&'a str]) -> Option<(String, &'b [&'a str])> {
    match steps {
        [name] => Some(((*name).to_owned(), &[])),
        [name, next, ..] if AFTER_NAME.contains(next) => Some(((*name).to_owned(), &steps[1..])),
        [owner, name, ..] => Some((format!("{owner}/{name}"), &steps[2..])),
        [] => None,
    }
}

pub(crate) fn no_revision(revision: &str) -> Box<Response> {
    Box::new(refusal(404, Some("RevisionNotFound"), &format!("Invalid rev id: {revision}")))
}

fn about(kind: Kind, name: &str, repo: &Repo, commit: &str, tree: &Tree) -> Value {
    let siblings: Vec<_> = tree.keys().map(|path| json!({ "rfilename": path })).collect();
    let mut about = json!({
        "_id": "000000000000000000000002",
        "id": name,
        "author": name.split('/').next(),
        "sha": commit,
        "lastModified": "2026-01-02T03:04:05.000Z",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "private": repo.private,
        "gated": if repo.gated { json!("manual") } else { json!(false) },
        "disabled": false,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "siblings": siblings,
    });
    if kind == Kind::Model {
        about["modelId"] = json!(name);
    }
    about
}

fn refs(repo: &Repo) -> Value {
    let list = |converted: bool| -> Vec<Value> {
        let branches = repo.branches.iter().filter(|(branch, _)| branch.starts_with("refs/convert/") == converted);
        let entry = |(branch, commit): (&String, &String)| {
            let name = branch.strip_prefix("refs/convert/").unwrap_or(branch);
            let full = if converted { branch.clone() } else { format!("refs/heads/{branch}") };
            json!({ "name": name, "ref": full, "targetCommit": commit })
        };
        branches.map(entry).collect()
    };
    json!({ "branches": list(false), "converts": list(true), "tags": [] })
}

fn entry(path: &str, file: &File) -> Value {
    let mut entry = json!({ "type": "file", "oid": file.oid, "size": file.bytes.len(), "path": path });
    if let Some(sha256) = &file.sha256 {
        let size = file.bytes.len();
        entry["lfs"] = json!({ "oid": sha256, "size": size, "pointerSize": pointer(sha256, size).len() });
    }
    entry
}

fn folder_entry(path: &str) -> Value {
    json!({ "type": "directory", "oid": commit_id(path), "size": 0, "path": path })
}

/// One page of what lies in a folder, and where the next one is.
fn listing(
    state: &State,
    request: &Request,
    commit: &str,
    tree: &Tree,
    folder: &str,
) -> Result<Response, Box<Response>> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let recursive =
        request.query("recursive").is_some_and(|value| matches!(value.to_lowercase().as_str(), "true" | "1"));
    let mut entries = BTreeMap::new();
    for (path, file) in tree.iter().filter(|(path, _)| path.starts_with(&prefix)) {
        let below: Vec<&str> = path[prefix.len()..].split('/').collect();
        let depth = below.len() - 1;
        for folders in 1..=(if recursive { depth } else { depth.min(1) }) {
            let path = format!("{prefix}{}", below[..folders].join("/"));
            entries.insert(path.clone(), folder_entry(&path));
        }
        if recursive || depth == 0 {
            entries.insert(path.clone(), entry(path, file));
        }
    }
    if entries.is_empty() && !folder.is_empty() {
        return Err(Box::new(refusal(404, Some("EntryNotFound"), &format!("{folder} does not exist on \"{commit}\""))));
    }
    let after = request.query("cursor").unwrap_or_default();
    let mut rest = entries.iter().filter(|(path, _)| after.is_empty() || **path > after);
    let page: Vec<_> = rest.by_ref().take(state.options.page).collect();
    let values: Vec<&Value> = page.iter().map(|(_, value)| *value).collect();
    let answer = Response::json(200, &json!(values));
    let (Some((last, _)), Some(_)) = (page.last(), rest.next()) else { return Ok(answer) };
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let cursor = format!("cursor={}", utf8_percent_encode(last, NON_ALPHANUMERIC));
    let query: Vec<&str> = kept.chain([cursor.as_str()]).collect();
    Ok(answer.with("Link", &format!("<{}{path}?{}>; rel=\"next\"", state.hub_url, query.join("&"))))
}

/// What is known of the paths that a request's body names, as JSON or as a form.
fn paths_info(tree: &Tree, request: &Request) -> Response {
    let json: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let paths: Vec<String> = match &json["paths"] {
        Value::Array(paths) => paths.iter().filter_map(|path| path.as_str().map(str::to_owned)).collect(),
        Value::String(path) => vec![path.clone()],
        _ => {
            let form = Request { target: format!("?{}", String::from_utf8_lossy(&request.body)), ..Request::default() };
            form.query("paths").into_iter().collect()
        }
    };
    let known = paths.iter().filter_map(|path| match tree.get(path) {
        Some(file) => Some(entry(path, file)),
        None => tree.keys().any(|key| key.starts_with(&format!("{path}/"))).then(|| folder_entry(path)),
    });
    Response::json(200, &Value::Array(known.collect()))
}
