//! `preupload`: which files go by LFS, which are ignored, and what stands there now.

use serde_json::{Value, json};

use super::{Place, Refused, bad, body, no_repo, writer};
use crate::http::Response;
use crate::info::no_revision;
use crate::repos::Tree;
use crate::routes::Call;
use crate::state::State;

pub(super) fn modes(state: &State, call: &Call<'_>, place: &Place<'_>) -> Result<Response, Refused> {
    writer(state, call, place.owner)?;
    let repos = state.repos();
    let repo = repos.get(place.kind, &place.name).ok_or_else(no_repo)?;
    let (commit, tree) = repo.commit(place.revision).ok_or_else(|| no_revision(place.revision))?;
    let body = body(call);
    let asked = body["files"].as_array().ok_or_else(|| bad("expected files"))?;
    let files: Option<Vec<Value>> = asked
        .iter()
        .map(|file| {
            let (path, size) = (file["path"].as_str()?, file["size"].as_u64()?);
            file["sample"].as_str()?;
            let is_large = size >= state.options.large as u64 || is_attributed(tree, path);
            Some(json!({
                "path": path,
                "uploadMode": if is_large { "lfs" } else { "regular" },
                "shouldIgnore": is_ignored(tree, path),
                "oid": tree.get(path).map(|file| file.tag()),
            }))
        })
        .collect();
    let files = files.ok_or_else(|| bad("expected path, sample and size of each file"))?;
    Ok(Response::json(200, &json!({ "files": files, "commitOid": commit })))
}

/// Whether `.gitattributes` gives the file to LFS.
fn is_attributed(tree: &Tree, path: &str) -> bool {
    lines(tree, ".gitattributes").any(|line| line.contains("filter=lfs") && matches(line, path))
}

fn is_ignored(tree: &Tree, path: &str) -> bool {
    lines(tree, ".gitignore").any(|line| matches(line, path))
}

fn lines<'a>(tree: &'a Tree, file: &str) -> impl Iterator<Item = &'a str> {
    let text = tree.get(file).and_then(|file| str::from_utf8(&file.bytes).ok()).unwrap_or_default();
    text.lines()
}

/// Names as they are, and `*.ending`.
fn matches(line: &str, path: &str) -> bool {
    let pattern = line.split_whitespace().next().unwrap_or_default();
    pattern.strip_prefix('*').map_or(pattern == path, |end| !end.is_empty() && path.ends_with(end))
}
