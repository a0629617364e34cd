//! Metrics, params and tags in batches: as large as MLflow takes them, and without what it does not take.

use serde_json::{Value, json};
use ureq::http::Method;

use super::client::{Client, Failure};
use crate::PlaceError;

/// A batch holds this many at most, and is this long at most, with some room left
/// (`mlflow.utils.validation` of 3.17: 1000, 100 and a million bytes).
const METRICS: usize = 1000;
const PARAMS_OR_TAGS: usize = 100;
const BYTES: usize = 900_000;

/// What a batch is of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Metrics,
    Params,
    Tags,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Params => "params",
            Self::Tags => "tags",
        }
    }

    fn most(self) -> usize {
        if self == Self::Metrics { METRICS } else { PARAMS_OR_TAGS }
    }
}

/// Something that the server does not take, and why.
pub(super) type Refused = (Value, PlaceError);

/// Sends all of it in batches and gives back what the server does not take.
///
/// # Errors
/// An outage, or a refusal that is not about single values.
pub(super) fn send(client: &mut Client, kind: Kind, items: &[Value], run_id: &str) -> Result<Vec<Refused>, PlaceError> {
    let mut refused = Vec::new();
    let mut rest = items;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take(kind.most()).take_while(|item| {
            bytes += item.to_string().len() + 1;
            bytes <= BYTES
        });
        let (batch, after) = rest.split_at(fits.count().max(1));
        send_batch(client, kind, batch, run_id, &mut refused)?;
        rest = after;
    }
    Ok(refused)
}

/// One that is not taken spoils its whole batch: halves are tried until it stands alone.
fn send_batch(
    client: &mut Client,
    kind: Kind,
    batch: &[Value],
    run_id: &str,
    refused: &mut Vec<Refused>,
) -> Result<(), PlaceError> {
    let body = json!({ "run_id": run_id, kind.as_str(): batch });
    match client.call(Method::POST, "runs/log-batch", Some(&body)) {
        Ok(_) => Ok(()),
        Err(failure) if failure.is_about_values() && !is_about_the_run(&failure) => match batch {
            [] => Ok(()),
            [one] => {
                refused.push((one.clone(), failure.error));
                Ok(())
            }
            _ => {
                let (first, second) = batch.split_at(batch.len() / 2);
                send_batch(client, kind, first, run_id, refused)?;
                send_batch(client, kind, second, run_id, refused)
            }
        },
        Err(failure) => Err(failure.error),
    }
}

/// A run that somebody deleted takes nothing at all.
fn is_about_the_run(failure: &Failure) -> bool {
    failure.error.to_string().contains("must be in the 'active'")
}
