//! The rows of a run as dataset inputs: what they are called, where they come from, what is in them.

use journal::{DataInfo, RunInfo, SplitInfo};
use serde_json::{Value, json};

use super::description::cut;

/// Longest values (`mlflow.utils.validation` of 3.17; a digest could have 36 characters).
const NAME: usize = 500;
const DIGEST: usize = 32;
const SCHEMA: usize = 1_048_575;

/// One entry of `log-inputs` for each split, and for MLflow each is a data set of its own: it tells them by name and digest.
pub(super) fn inputs(run: &RunInfo) -> Vec<Value> {
    run.data.splits.iter().map(|(split, rows)| input(&run.data, split, rows)).collect()
}

fn input(data: &DataInfo, split: &str, rows: &SplitInfo) -> Value {
    // The word that `mlflow.log_input` shows beside a data set.
    let context = match split {
        "train" => "training",
        "validation" => "eval",
        other => other,
    };
    let (source_type, source) = source(data);
    let schema = json!({ "mlflow_colspec": [
        { "type": "string", "name": data.text_column, "required": true },
        { "type": "string", "name": data.label_column, "required": true },
    ] });
    let counts: serde_json::Map<String, Value> =
        data.labels.iter().cloned().zip(rows.class_counts.iter().map(|count| json!(count))).collect();
    let profile = json!({
        "num_rows": rows.rows,
        "num_elements": 2 * rows.rows,
        "num_tokens": rows.tokens,
        "num_truncated": rows.truncated,
        "class_counts": counts,
    });
    let schema = schema.to_string();
    let mut dataset = json!({
        "name": name(data, split),
        "digest": digest(data, split, rows),
        "source_type": source_type,
        "source": source.to_string(),
        "profile": profile.to_string(),
    });
    if schema.len() <= SCHEMA {
        dataset["schema"] = schema.into();
    }
    json!({ "tags": [{ "key": "mlflow.data.context", "value": context }], "dataset": dataset })
}

/// Name and digest of the data set of a split, as metrics refer to it.
pub(super) fn reference(data: &DataInfo, split: &str) -> Option<(String, String)> {
    data.splits.get(split).map(|rows| (name(data, split), digest(data, split, rows)))
}

fn name(data: &DataInfo, split: &str) -> String {
    let file = data.files.first().map_or("rows", |file| file.path.as_str());
    let file = file.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(file);
    cut(&format!("{file} {split}"), NAME)
}

/// Of the files and of what the split took from them: the same rows have the same digest in every run.
fn digest(data: &DataInfo, split: &str, rows: &SplitInfo) -> String {
    let mut hasher = blake3::Hasher::new();
    for file in &data.files {
        hasher.update(file.digest.as_deref().unwrap_or(&file.path).as_bytes());
        hasher.update(b"\n");
    }
    hasher.update(format!("{split} {} {} {:?}", rows.rows, rows.tokens, rows.class_counts).as_bytes());
    hasher.finalize().to_hex()[..DIGEST].to_owned()
}

/// As `mlflow.data` reads sources back: `local` has a path, `http` an address. A run of several files names the first,
/// and all of them beside it.
fn source(data: &DataInfo) -> (&'static str, Value) {
    let first = data.files.first().map_or("", |file| file.path.as_str());
    let (kind, key) =
        if first.starts_with("http://") || first.starts_with("https://") { ("http", "url") } else { ("local", "uri") };
    let mut source = json!({ key: first });
    if data.files.len() > 1 {
        source["files"] = data.files.iter().map(|file| file.path.as_str()).collect();
    }
    (kind, source)
}

#[cfg(test)]
mod tests {
    use journal::DataFile;

    use super::*;

    #[test]
    fn each_split_is_a_data_set() {
        let mut run = RunInfo::default();
        let file = |path: &str| DataFile { path: path.into(), digest: Some("d".repeat(64)), size: Some(9) };
        run.data.files = vec![file("data/sms.tsv")];
        run.data.text_column = "text".into();
        run.data.label_column = "label".into();
        run.data.labels = vec!["ham".into(), "spam".into()];
        for (split, rows) in [("train", 8), ("validation", 2)] {
            let rows = SplitInfo { rows, class_counts: vec![rows - 1, 1], ..SplitInfo::default() };
            run.data.splits.insert(split.into(), rows);
        }
        let inputs = inputs(&run);
        assert_eq!(inputs[0]["tags"][0]["value"], "training");
        assert_eq!(inputs[1]["tags"][0]["value"], "eval");
        let dataset = &inputs[0]["dataset"];
        assert_eq!(dataset["name"], "sms.tsv train");
        assert_eq!(dataset["digest"].as_str().unwrap().len(), 32);
        assert_ne!(dataset["digest"], inputs[1]["dataset"]["digest"]);
        let inside = |key: &str| -> Value { serde_json::from_str(dataset[key].as_str().unwrap()).unwrap() };
        assert_eq!(inside("source"), json!({"uri": "data/sms.tsv"}));
        assert_eq!(inside("profile")["class_counts"], json!({"ham": 7, "spam": 1}));
        assert_eq!(inside("schema")["mlflow_colspec"][0]["name"], "text");
        run.data.files = vec![file("https://x/a.csv"), file("b.csv")];
        let (kind, source) = source(&run.data);
        assert_eq!((kind, source), ("http", json!({"url": "https://x/a.csv", "files": ["https://x/a.csv", "b.csv"]})));
    }
}
