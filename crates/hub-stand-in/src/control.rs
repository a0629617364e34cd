//! What tests in another language ask of the stand-in itself, below `/_stand-in/`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use crate::fault::{Fault, What};
use crate::http::Response;
use crate::repos::Kind;
use crate::routes::Call;
use crate::state::State;

pub(crate) const PREFIX: &str = "/_stand-in/";

/// A commit that a test makes.
#[derive(Deserialize)]
struct Commit {
    kind: Kind,
    name: String,
    #[serde(default = "main")]
    branch: String,
    files: BTreeMap<String, String>,
}

/// A fault that a test asks for.
#[derive(Deserialize)]
struct Wish {
    matching: String,
    #[serde(default)]
    after: usize,
    #[serde(default = "once")]
    times: usize,
    what: What,
}

fn main() -> String {
    "main".into()
}

fn once() -> usize {
    1
}

pub(crate) fn answer(state: &State, call: &Call<'_>) -> Response {
    let bad = |error: serde_json::Error| Response::json(400, &json!({ "error": error.to_string() }));
    let body = &call.request.body;
    match (call.request.method.as_str(), call.path().as_slice()) {
        ("GET", [_, "requests"]) => Response::json(200, &json!(*state.log())),
        ("DELETE", [_, "requests"]) => {
            state.log().clear();
            Response::json(200, &json!({}))
        }
        ("DELETE", [_, "faults"]) => {
            state.faults().clear();
            Response::json(200, &json!({}))
        }
        ("POST", [_, "faults"]) => match serde_json::from_slice(body) {
            Ok(Wish { matching, after, times, what }) => {
                state.faults().push(Fault { matching, after, times, what });
                Response::json(200, &json!({}))
            }
            Err(error) => bad(error),
        },
        ("POST", [_, "commits"]) => match serde_json::from_slice(body) {
            Ok(Commit { kind, name, branch, files }) => {
                let files = files.into_iter().map(|(path, text)| (path, Arc::from(text.into_bytes()))).collect();
                Response::json(200, &json!({ "commit": state.repos().put(kind, &name, &branch, files) }))
            }
            Err(error) => bad(error),
        },
        _ => Response::new(404),
    }
}
