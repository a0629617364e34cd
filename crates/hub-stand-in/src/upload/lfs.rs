//! Large files: where they are to be put, and whether what was put there is what was announced.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Place, Refused, bad, body, no_repo, writer};
use crate::access::refusal;
use crate::http::Response;
use crate::objects::sha256;
use crate::routes::Call;
use crate::state::State;

/// What was put into the store and is in no commit yet.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    /// By the digest that they were announced under, which is not believed.
    put: BTreeMap<String, Arc<[u8]>>,
    parts: BTreeMap<(String, usize), Vec<u8>>,
    /// Those that are what was announced.
    pub(super) verified: BTreeMap<String, Arc<[u8]>>,
}

/// Where to put which object, and nothing for those that are there.
pub(super) fn batch(state: &State, call: &Call<'_>, place: &Place<'_>) -> Result<Response, Refused> {
    writer(state, call, place.owner)?;
    let repos = state.repos();
    repos.get(place.kind, &place.name).ok_or_else(no_repo)?;
    let body = body(call);
    if body["operation"] != "upload" || body["hash_algo"] != "sha256" {
        return Err(bad("expected the operation upload and the hash_algo sha256"));
    }
    let transfers = body["transfers"].as_array().ok_or_else(|| bad("expected transfers"))?;
    let in_parts = transfers.iter().any(|transfer| transfer == "multipart");
    let mut multipart = false;
    let mut objects = Vec::new();
    for object in body["objects"].as_array().ok_or_else(|| bad("expected objects"))? {
        let (Some(oid), Some(size)) = (object["oid"].as_str(), object["size"].as_u64()) else {
            return Err(bad("expected oid and size of each object"));
        };
        let is_there = repos.large_file(oid).is_some() || state.uploads().verified.contains_key(oid);
        let part = state.options.part as u64;
        objects.push(if size == 0 {
            json!({ "oid": oid, "size": size, "error": { "code": 422, "message": "empty files are no large files" } })
        } else if is_there {
            json!({ "oid": oid, "size": size })
        } else if size > part && in_parts {
            multipart = true;
            json!({ "oid": oid, "size": size, "authenticated": true, "actions": {
                "upload": { "href": format!("{}/api/lfs/complete/{oid}", state.hub_url), "header": parts(state, oid, size, part) },
                "verify": { "href": format!("{}/api/lfs/verify", state.hub_url) },
            }})
        } else {
            json!({ "oid": oid, "size": size, "authenticated": true, "actions": {
                "upload": { "href": format!("{}/upload/{oid}?Signature=let-me-in", state.store_url) },
                "verify": { "href": format!("{}/api/lfs/verify", state.hub_url) },
            }})
        });
    }
    let transfer = if multipart { "multipart" } else { "basic" };
    let answer = Response::json(200, &json!({ "transfer": transfer, "objects": objects }));
    Ok(answer.with("Content-Type", "application/vnd.git-lfs+json"))
}

/// The size of a part, and an address for each.
fn parts(state: &State, oid: &str, size: u64, part: u64) -> Value {
    let mut header = serde_json::Map::from_iter([("chunk_size".to_owned(), json!(part.to_string()))]);
    for number in 1..=size.div_ceil(part) {
        let there = format!("{}/upload/{oid}/{number}?Signature=let-me-in", state.store_url);
        // With leading zeros, as the Hub has them.
        header.insert(format!("{number:05}"), json!(there));
    }
    Value::Object(header)
}

/// `PUT` to the store. As the Hub's own it wants a length, and no proof beside the signature.
pub(crate) fn to_store(state: &State, call: &Call<'_>) -> Response {
    if call.request.query("Signature").as_deref() != Some("let-me-in") {
        return Response::new(403);
    }
    if call.request.header("authorization").is_some() {
        return Response::new(400);
    }
    if call.request.header("content-length").is_none() {
        return Response::new(411);
    }
    let tag = format!("\"{}\"", &sha256(&call.request.body)[..32]);
    match call.path().as_slice() {
        ["upload", oid] => {
            state.uploads().put.insert((*oid).to_owned(), Arc::from(call.request.body.as_slice()));
        }
        ["upload", oid, number] => {
            let Ok(number) = number.parse() else { return Response::new(400) };
            state.uploads().parts.insert(((*oid).to_owned(), number), call.request.body.clone());
        }
        _ => return Response::new(404),
    }
    Response::new(200).with("ETag", &tag)
}

/// Puts parts together, where they are those that were put there.
pub(super) fn complete(state: &State, oid: &str, body: &Value) -> Result<Response, Refused> {
    let mut uploads = state.uploads();
    let mut whole = Vec::new();
    for (at, part) in body["parts"].as_array().ok_or_else(|| bad("expected parts"))?.iter().enumerate() {
        let number = at + 1;
        let put = uploads.parts.get(&(oid.to_owned(), number)).ok_or_else(|| bad("a part is missing"))?;
        let tag = format!("\"{}\"", &sha256(put)[..32]);
        if part["partNumber"] != number || part["etag"] != tag {
            return Err(bad("a part is not the one that was put there"));
        }
        whole.extend(put);
    }
    uploads.parts.retain(|(of, _), _| of != oid);
    uploads.put.insert(oid.to_owned(), Arc::from(whole));
    Ok(Response::json(200, &json!({})))
}

/// Whether what was put there is what was announced.
pub(super) fn verify(state: &State, body: &Value) -> Result<Response, Refused> {
    let oid = body["oid"].as_str().ok_or_else(|| bad("expected oid"))?;
    let mut uploads = state.uploads();
    let Some(put) = uploads.put.get(oid).cloned() else {
        return Err(Box::new(refusal(404, None, "the object is not there")));
    };
    if sha256(&put) != oid || body["size"] != put.len() {
        return Err(Box::new(refusal(422, None, "the object is not what was announced")));
    }
    uploads.verified.insert(oid.to_owned(), put);
    Ok(Response::json(200, &json!({})))
}
