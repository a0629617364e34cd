//! The `MLmodel` file: what makes a folder with a checkpoint of `transformers` a model that MLflow loads and serves.
//!
//! It is what `mlflow.transformers.save_model` of MLflow 3.17 writes for a text-classification pipeline; `parity/` loads
//! it with the real package.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};

/// Weights and configuration, which MLflow looks for under `model/`.
const MODEL_FOLDER: &str = "model";
/// The tokeniser, which it looks for there.
const TOKENIZER_FOLDER: &str = "components/tokenizer";

const TOKENIZER_FILES: &[&str] = &[
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
];

/// A model of MLflow: its files and where they go.
#[derive(Debug)]
pub(super) struct Packed {
    /// Files that are there, and their paths in the model.
    pub(super) files: Vec<(PathBuf, String)>,
    /// Files that are made for MLflow, `MLmodel` the last: a model that has one is whole.
    pub(super) texts: Vec<(&'static str, String)>,
}

/// What the model is called there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    pub(super) run_id: &'a str,
    /// None on servers that keep models with their runs.
    pub(super) model_id: Option<&'a str>,
    pub(super) source: &'a str,
}

/// Packs the checkpoint in `folder`; `None` where there is none.
pub(super) fn pack(folder: &Path, names: Names<'_>, example: &str, made: SystemTime) -> Option<Packed> {
    let config: Value = serde_json::from_slice(&fs::read(folder.join("config.json")).ok()?).ok()?;
    let architecture = config["architectures"][0].as_str()?;
    let mut files = Vec::new();
    let mut size = 0;
    let mut present: Vec<_> = fs::read_dir(folder).ok()?.filter_map(Result::ok).collect();
    present.sort_by_key(fs::DirEntry::file_name);
    for entry in present {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Some(place) = place(&name) else { continue };
        size += entry.metadata().map_or(0, |data| data.len());
        files.push((entry.path(), if place.is_empty() { name } else { format!("{place}/{name}") }));
    }
    if !files.iter().any(|(_, path)| path.ends_with(".safetensors")) {
        return None;
    }
    let texts = vec![
        ("requirements.txt", "mlflow\ntransformers\ntorch\n".to_owned()),
        (
            "python_env.yaml",
            "python: '3.11'\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n".to_owned(),
        ),
        ("input_example.json", json!([example]).to_string()),
        ("serving_input_example.json", json!({ "inputs": [example] }).to_string()),
        ("MLmodel", mlmodel(architecture, names, size, made)),
    ];
    Some(Packed { files, texts })
}

/// In which folder of the model a file of the checkpoint goes; `None` for what is not the model's.
fn place(name: &str) -> Option<&'static str> {
    match name {
        "config.json" | "model.safetensors.index.json" => Some(MODEL_FOLDER),
        name if name.ends_with(".safetensors") => Some(MODEL_FOLDER),
        name if TOKENIZER_FILES.contains(&name) => Some(TOKENIZER_FOLDER),
        "README.md" | "calibration.json" => Some(""),
        _ => None,
    }
}

/// JSON strings are YAML strings too.
fn mlmodel(architecture: &str, names: Names<'_>, size: u64, made: SystemTime) -> String {
    let text = |value: &str| json!(value).to_string();
    let inputs = text(r#"[{"type": "string", "required": true}]"#);
    let outputs = text(
        r#"[{"type": "string", "name": "label", "required": true}, {"type": "double", "name": "score", "required": true}]"#,
    );
    let path = names.model_id.map_or_else(|| "model".to_owned(), |id| format!("models:/{id}"));
    let model_id = names.model_id.map_or_else(String::new, |id| format!("model_id: {}\n", text(id)));
    format!(
        "artifact_path: {path}
flavors:
  python_function:
    config:
      truncation: true
    env:
      virtualenv: python_env.yaml
    loader_module: mlflow.transformers
    model_binary: {MODEL_FOLDER}
    python_version: 3.11.0
  transformers:
    code: null
    components:
    - tokenizer
    framework: pt
    instance_type: TextClassificationPipeline
    model_binary: {MODEL_FOLDER}
    pipeline_model_type: {architecture}
    source_model_name: {source}
    task: text-classification
    tokenizer_type: AutoTokenizer
    torch_dtype: torch.float32
{model_id}model_size_bytes: {size}
run_id: {run_id}
saved_input_example_info:
  artifact_path: input_example.json
  serving_input_path: serving_input_example.json
  type: json_object
signature:
  inputs: {inputs}
  outputs: {outputs}
  params: null
utc_time_created: {created}
",
        path = text(&path),
        architecture = text(architecture),
        source = text(names.source),
        run_id = text(names.run_id),
        created = text(&utc(made)),
    )
}

/// As Python writes a time: `2026-11-22 03:44:43.123000`.
fn utc(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(time).to_string().replace('T', " ").replace('Z', "")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_checkpoint_is_packed_as_mlflow_looks_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let names = Names { run_id: "r1", model_id: Some("m-1"), source: "a \"b\": c" };
        let made = UNIX_EPOCH + Duration::from_millis(1_500);
        assert!(pack(folder.path(), names, "text", made).is_none());
        let config = json!({ "architectures": ["BertForSequenceClassification"] });
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        assert!(pack(folder.path(), names, "text", made).is_none(), "there are no weights");
        for name in ["model.safetensors", "tokenizer.json", "README.md", "journal.jsonl", "optimizer.bin"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let packed = pack(folder.path(), names, "an \"example\"", made).unwrap();
        let paths: Vec<&str> = packed.files.iter().map(|(_, path)| path.as_str()).collect();
        let expected =
            ["README.md", "model/config.json", "model/model.safetensors", "components/tokenizer/tokenizer.json"];
        assert_eq!(paths, expected);
        let (name, mlmodel) = packed.texts.last().unwrap();
        assert_eq!(*name, "MLmodel");
        for line in [
            "artifact_path: \"models:/m-1\"",
            "    pipeline_model_type: \"BertForSequenceClassification\"",
            "    source_model_name: \"a \\\"b\\\": c\"",
            "utc_time_created: \"1970-01-01 00:00:01.500000\"",
        ] {
            assert!(mlmodel.lines().any(|found| found == line), "{line}\n{mlmodel}");
        }
        let example = packed.texts.iter().find(|(name, _)| *name == "serving_input_example.json").unwrap();
        assert_eq!(example.1, r#"{"inputs":["an \"example\""]}"#);
    }
}
