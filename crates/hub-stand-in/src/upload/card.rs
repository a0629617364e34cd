//! `validate-yaml`: whether the Hub would take a card. Of YAML as much as is needed to find a broken block.

use serde_json::{Value, json};

use crate::http::Response;

pub(super) fn check(body: &Value) -> Response {
    let content = body["content"].as_str().unwrap_or_default();
    let (errors, warnings) = match block(content) {
        None => (Vec::new(), vec![json!({ "message": "empty or missing yaml metadata in repo card" })]),
        Some(Ok(block)) => (faults(block).map(|message| json!({ "message": message })).collect(), Vec::new()),
        Some(Err(())) => (vec![json!({ "message": "the metadata block has no end" })], Vec::new()),
    };
    let status = if errors.is_empty() { 200 } else { 400 };
    Response::json(status, &json!({ "errors": errors, "warnings": warnings }))
}

/// What stands between the two lines of dashes.
fn block(content: &str) -> Option<Result<&str, ()>> {
    let rest = content.strip_prefix("---\n")?;
    Some(rest.find("\n---").map(|end| &rest[..end]).ok_or(()))
}

fn faults(block: &str) -> impl Iterator<Item = String> {
    block.lines().filter_map(|line| {
        let plain = line.trim_start();
        let is_entry =
            plain.is_empty() || plain.starts_with(['-', '#']) || plain.contains(": ") || plain.ends_with(':');
        let is_license = line.strip_prefix("license:").is_some_and(|license| license.trim().is_empty());
        if line.contains('\t') || !is_entry {
            return Some(format!("bad metadata: {line:?}"));
        }
        is_license.then(|| "\"license\" must be a string".to_owned())
    })
}
