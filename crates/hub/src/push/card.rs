//! Asking the Hub whether it would take the card, before anything is sent: it refuses the whole commit otherwise.

use serde_json::{Value, json};

use super::local::LocalFile;
use super::{PushError, Pushing, Watch};
use crate::http::Http;

/// Checks the metadata of a card. A Hub that knows no such check says what it does not like at the commit.
///
/// # Errors
/// Metadata that the Hub does not take.
pub(super) fn check(http: &Http, card: &LocalFile<'_>, watch: Watch<'_>) -> Result<(), PushError> {
    let bytes = card.read()?;
    let asked = json!({ "content": String::from_utf8_lossy(&bytes), "repoType": "model" });
    let answer = http.post_json(&format!("{}/api/validate-yaml", http.endpoint), &asked)?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let messages = |of: &str| -> Vec<String> {
        let listed = said[of].as_array().into_iter().flatten();
        listed.filter_map(|one| one["message"].as_str()).map(str::to_owned).collect()
    };
    let faults = messages("errors");
    match answer.status {
        400 if !faults.is_empty() => Err(PushError::Card { faults }),
        404 | 405 | 501 => Ok(()),
        _ if !answer.is_good() => Err(answer.refused().into()),
        _ => {
            for warning in messages("warnings") {
                watch(Pushing::Notice(&format!("README.md: {warning}")));
            }
            Ok(())
        }
    }
}
