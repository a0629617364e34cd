//! The golden files, and predictions made from them.

use std::path::Path;

use metrics::Predictions;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/fixtures").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn list<T: DeserializeOwned>(value: &Value) -> Vec<T> {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

pub(crate) fn float(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} should be a number"))
}

/// The predictions of a case of `metrics.json`.
pub(crate) fn predictions(name: &str) -> Predictions {
    let cases = fixture("metrics.json");
    let case = cases["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap();
    let rows: Vec<Vec<f64>> = list(&case["probabilities"]);
    Predictions::from_probabilities(&list::<u32>(&case["y_true"]), &rows.concat(), rows[0].len()).unwrap()
}

/// Deterministic coarse noise from 0 to 1, for rows that are made and not read.
pub(crate) fn noise(at: u64) -> f64 {
    let bits = (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64 / (1u64 << 53) as f64
}

/// `rows` rows of two classes, of which the model gets about 85% right.
pub(crate) fn made(rows: u64) -> Predictions {
    let labels: Vec<u32> = (0..rows).map(|row| u32::from(noise(row) < 0.3)).collect();
    let logits: Vec<f32> = (0..rows)
        .zip(&labels)
        .flat_map(|(row, &label)| {
            let towards = if label == 1 { 1.0 } else { -1.0 };
            let score = towards + 2.4 * (noise(rows + row) + noise(2 * rows + row) - 1.0);
            [-score as f32, score as f32]
        })
        .collect();
    Predictions::from_logits(&labels, &logits, 2).unwrap()
}
