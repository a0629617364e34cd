//! What makes two runs the same run: everything that the final weights depend on.

use std::path::Path;

use classifier::Classifier;
use journal::Split;
use kernels::Backend;
use serde_json::{Map, Value, json};

use crate::{Error, Examples, IntervalStrategy, TrainingArguments};

/// Settings that say only when something is written or shown; a resumed run may change them.
pub const FREE_ON_RESUME: [&str; 7] = [
    "logging_strategy",
    "logging_steps",
    "logging_first_step",
    "save_strategy",
    "save_steps",
    "save_total_limit",
    "per_device_eval_batch_size",
];

/// The identity of a run, by name.
pub(crate) fn identity<B: Backend>(
    classifier: &Classifier<B>,
    arguments: &TrainingArguments,
    train: &Examples,
    evaluation: Option<(Split, &Examples)>,
) -> Map<String, Value> {
    let mut identity = match serde_json::to_value(arguments) {
        Ok(Value::Object(arguments)) => arguments,
        other => unreachable!("arguments are a JSON object, not {other:?}"),
    };
    identity.retain(|name, _| !FREE_ON_RESUME.contains(&name.as_str()));
    let config = Value::Object(classifier.network().config().to_json()).to_string();
    identity.insert("training rows".into(), json!(train.len()));
    identity.insert("content of the training rows".into(), json!(content(train)));
    // Measuring decides what the weights become where it selects: when, and on which rows.
    let selects = arguments.load_best_model_at_end || arguments.early_stopping_patience.is_some();
    if let (true, Some((Split::Eval, rows))) = (selects, evaluation) {
        identity.insert("content of the validation rows".into(), json!(content(rows)));
        if arguments.eval_strategy == IntervalStrategy::Steps {
            // Falls back on the steps of logging, which are free.
            let steps = arguments.eval_steps_of(arguments.total_steps(train.len() as u64));
            identity.insert("steps between evaluations".into(), json!(steps));
        }
    }
    identity.insert("labels".into(), json!(classifier.labels().names()));
    identity.insert("max_length".into(), json!(classifier.max_length()));
    identity.insert("model configuration".into(), json!(blake3::hash(config.as_bytes()).to_hex()[..16]));
    identity
}

/// Refuses a checkpoint of another run, naming the first thing that differs.
pub(crate) fn check(path: &Path, then: &Map<String, Value>, now: &Map<String, Value>) -> Result<(), Error> {
    // A setting that was given then may be absent now, and the other way round.
    let nothing = Value::Null;
    for what in now.keys().chain(then.keys()) {
        let (then, now) = (then.get(what).unwrap_or(&nothing), now.get(what).unwrap_or(&nothing));
        if then != now {
            let (what, then, now) = (what.clone(), then.to_string(), now.to_string());
            return Err(Error::OtherRun { path: path.to_owned(), what, then, now });
        }
    }
    Ok(())
}

fn content(examples: &Examples) -> String {
    let mut hasher = blake3::Hasher::new();
    // The hash of many short pieces is far slower than that of a long one.
    let mut gathered = Vec::with_capacity(1 << 17);
    for (row, (label, id)) in examples.labels.iter().zip(&examples.example_ids).enumerate() {
        gathered.extend_from_slice(&label.to_le_bytes());
        gathered.extend_from_slice(&id.to_le_bytes());
        gathered.extend(examples.encoded.input_ids(row).iter().flat_map(|token| token.to_le_bytes()));
        gathered.extend_from_slice(&u32::MAX.to_le_bytes());
        if gathered.len() >= 1 << 16 {
            hasher.update(&gathered);
            gathered.clear();
        }
    }
    hasher.update(&gathered);
    hasher.finalize().to_hex()[..16].to_owned()
}
