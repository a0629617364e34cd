//! The commit: lines of JSON, of which the first says what it is about.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Place, Refused, bad, no_repo, writer};
use crate::access::refusal;
use crate::http::Response;
use crate::info::no_revision;
use crate::objects::{git_blob_id, pointer};
use crate::repos::{File, Tree};
use crate::routes::Call;
use crate::state::State;

pub(super) fn commit(state: &State, call: &Call<'_>, place: &Place<'_>) -> Result<Response, Refused> {
    writer(state, call, place.owner)?;
    let lines = call.request.body.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let lines: Result<Vec<Value>, _> = lines.map(serde_json::from_slice).collect();
    let lines = lines.map_err(|error| bad(&error.to_string()))?;
    let [header, operations @ ..] = lines.as_slice() else { return Err(bad("expected a header")) };
    let about = &header["value"];
    if header["key"] != "header" || about["summary"].as_str().is_none_or(str::is_empty) {
        return Err(bad("expected a header with a summary"));
    }
    let mut repos = state.repos();
    let repo = repos.get(place.kind, &place.name).ok_or_else(no_repo)?;
    let (head, tree) = repo.commit(place.revision).ok_or_else(|| no_revision(place.revision))?;
    if about["parentCommit"].as_str().is_some_and(|parent| parent != head) {
        return Err(Box::new(refusal(412, None, "A commit has happened since. Please refresh and try again.")));
    }
    let mut tree = tree.clone();
    for operation in operations {
        // What has been uploaded, or is in some commit.
        let large = |oid: &str| state.uploads().verified.get(oid).cloned().or_else(|| repos.large_file(oid));
        apply(operation, &mut tree, &large).map_err(|message| bad(&message))?;
    }
    let mut commit = String::new();
    repos.change(place.kind, &place.name, |repo| commit = repo.commit_to(place.revision, tree));
    let url = format!("{}/commit/{commit}", place.url(state));
    Ok(Response::json(200, &json!({ "success": true, "commitOid": commit, "commitUrl": url, "hookOutput": "" })))
}

fn apply(operation: &Value, tree: &mut Tree, large: &dyn Fn(&str) -> Option<Arc<[u8]>>) -> Result<(), String> {
    let value = &operation["value"];
    let path = value["path"].as_str().ok_or("expected a path")?.to_owned();
    if path.starts_with('/') || path.split('/').any(|part| matches!(part, "" | "." | ".." | ".git")) {
        return Err(format!("{path} is no path"));
    }
    match operation["key"].as_str() {
        Some("file") => {
            let content = value["content"].as_str().filter(|_| value["encoding"] == "base64");
            let bytes = content.and_then(|content| STANDARD.decode(content).ok()).ok_or("expected base64")?;
            let oid = git_blob_id(&bytes);
            tree.insert(path, File { bytes: Arc::from(bytes), oid, sha256: None });
        }
        Some("lfsFile") => {
            let oid = value["oid"].as_str().filter(|_| value["algo"] == "sha256").ok_or("expected a sha256")?;
            let bytes = large(oid).ok_or_else(|| format!("the large file of {path} was not uploaded"))?;
            let pointer = pointer(oid, bytes.len());
            tree.insert(path, File { oid: git_blob_id(pointer.as_bytes()), sha256: Some(oid.to_owned()), bytes });
        }
        Some("deletedFile") => {
            tree.remove(&path).ok_or_else(|| "A file with this name doesn't exist".to_owned())?;
        }
        Some("deletedFolder") => tree.retain(|file, _| !file.starts_with(&format!("{}/", path.trim_end_matches('/')))),
        _ => return Err(format!("there is no operation {}", operation["key"])),
    }
    Ok(())
}
