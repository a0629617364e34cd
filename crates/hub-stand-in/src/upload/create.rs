//! New repos, which begin with one commit, and new branches.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::{Place, Refused, bad, body, no_repo, writer};
use crate::access::{refusal, who};
use crate::http::Response;
use crate::info::no_revision;
use crate::repos::Kind;
use crate::routes::Call;
use crate::state::State;

/// What the Hub puts into every new repo.
const ATTRIBUTES: &str =
    "*.bin filter=lfs diff=lfs merge=lfs -text\n*.safetensors filter=lfs diff=lfs merge=lfs -text\n";

pub(super) fn repo(state: &State, call: &Call<'_>) -> Result<Response, Refused> {
    let body = body(call);
    let name = body["name"].as_str().filter(|name| !name.is_empty() && !name.contains('/'));
    let name = name.ok_or_else(|| bad("expected a name"))?;
    let kind = match body["type"].as_str() {
        None | Some("model") => Kind::Model,
        Some("dataset") => Kind::Dataset,
        Some(other) => return Err(bad(&format!("there are no repos of the type {other}"))),
    };
    let owner = match body["organization"].as_str() {
        Some(owner) => owner.to_owned(),
        None => who(&state.access(), call.request)?.map(|user| user.name.clone()).unwrap_or_default(),
    };
    writer(state, call, &owner)?;
    let place = Place { kind, owner: &owner, name: format!("{owner}/{name}"), revision: "main" };
    let url = place.url(state);
    let mut repos = state.repos();
    if repos.get(kind, &place.name).is_some() {
        let message = format!("You already created this {} repo", kind.prefix());
        return Err(Box::new(
            Response::json(409, &json!({ "error": message, "url": url })).with("X-Error-Message", &message),
        ));
    }
    let is_private = body["visibility"].as_str().map_or(body["private"] == true, |visibility| visibility == "private");
    let files = BTreeMap::from([(".gitattributes".to_owned(), Arc::from(ATTRIBUTES.as_bytes()))]);
    repos.put(kind, &place.name, "main", files);
    repos.change(kind, &place.name, |repo| repo.private = is_private);
    Ok(Response::json(200, &json!({ "url": url, "name": place.name, "id": "000000000000000000000002" })))
}

pub(super) fn branch(state: &State, call: &Call<'_>, place: &Place<'_>) -> Result<Response, Refused> {
    writer(state, call, place.owner)?;
    let mut repos = state.repos();
    let repo = repos.get(place.kind, &place.name).ok_or_else(no_repo)?;
    if repo.branches.contains_key(place.revision) {
        return Err(Box::new(refusal(409, None, "Reference already exists")));
    }
    let body = body(call);
    let from = body["startingPoint"].as_str().unwrap_or("main");
    let start = repo.commit(from).ok_or_else(|| no_revision(from))?.0.to_owned();
    repos.change(place.kind, &place.name, |repo| {
        repo.branches.insert(place.revision.to_owned(), start);
    });
    Ok(Response::json(200, &json!({})))
}
