//! How fast something went, as the Trainer says it.

use serde_json::{Value, json};

/// `{prefix}_runtime`, `{prefix}_samples_per_second` and `{prefix}_steps_per_second`, rounded to four, three and three
/// digits (`transformers` 5.23 `trainer_utils.py`, `speed_metrics`).
pub(crate) fn speed(prefix: &str, runtime: f64, samples: u64, steps: u64) -> [(String, Value); 3] {
    let rounded =
        |name: &str, value: f64, scale: f64| (format!("{prefix}_{name}"), json!((value * scale).round() / scale));
    [
        rounded("runtime", runtime, 1e4),
        rounded("samples_per_second", samples as f64 / runtime, 1e3),
        rounded("steps_per_second", steps as f64 / runtime, 1e3),
    ]
}
