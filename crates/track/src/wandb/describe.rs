//! What a run is, in the words of Weights & Biases: its config, its metadata, and what is drawn over what.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use journal::RunInfo;
use serde_json::{Map, Value, json};

use super::rows::GLOBAL_STEP;
use super::settings::Settings;

/// The file of a run's metadata.
pub(super) const METADATA: &str = "wandb-metadata.json";

/// The recipe of a run, in its folder.
pub(super) const RECIPE: &str = "tunesmith.toml";

/// The config: every setting under its own name, and what the model, the rows and the machine are.
pub(super) fn config(run: &RunInfo) -> Map<String, Value> {
    let mut config: Map<String, Value> =
        run.settings.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut data = json!(run.data);
    if let Some(splits) = data.get_mut("splits").and_then(Value::as_object_mut) {
        // A histogram is no setting to compare runs by.
        splits.values_mut().filter_map(Value::as_object_mut).for_each(|split| _ = split.remove("lengths"));
    }
    config.insert("model/num_parameters".to_owned(), json!(run.model.parameters));
    config.insert("model_info".to_owned(), json!(run.model));
    config.insert("data_info".to_owned(), data);
    config.insert("machine_info".to_owned(), json!(run.machine));
    config.insert("tunesmith_version".to_owned(), json!(run.version));
    config
}

/// The config in the form of the server: each value in an object of its own, and what is drawn over what under `_wandb`.
pub(super) fn wrapped(config: &Map<String, Value>) -> Value {
    let wrapped = |value: &Value| json!({"value": value});
    let mut all: Map<String, Value> = config.iter().map(|(name, value)| (name.clone(), wrapped(value))).collect();
    // The numbers are those of the fields of a MetricRecord: name or pattern, place of its step in this list from 1, options,
    // summary. Everything is drawn over the first.
    let metrics = json!([{"1": GLOBAL_STEP, "6": [3], "7": []}, {"2": "*", "5": 1, "6": [1], "7": []}]);
    all.insert("_wandb".to_owned(), wrapped(&json!({"m": metrics})));
    Value::Object(all)
}

/// `config.yaml`. JSON is YAML, but for numbers such as `1e-12`, which readers of YAML 1.1 take for text.
pub(super) fn config_yaml(config: &Map<String, Value>) -> String {
    let mut text = String::new();
    for (name, value) in config {
        let value = match value {
            Value::Number(number) => yaml_number(&number.to_string()),
            other => other.to_string(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}:\n    value: {value}", Value::from(name.as_str()));
    }
    text
}

fn yaml_number(number: &str) -> String {
    match number.split_once('e') {
        Some((digits, exponent)) => {
            let dot = if digits.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
            format!("{digits}{dot}e{sign}{exponent}")
        }
        None => number.to_owned(),
    }
}

/// Where and how a run was started.
pub(super) fn metadata(run: &RunInfo, settings: &Settings, begin: f64) -> Value {
    let mut metadata = json!({
        "os": run.machine.system,
        "program": "tunesmith",
        "startedAt": time(begin),
        "cpu": run.machine.processor,
        "cpu_count": run.machine.threads,
        "memory": {"total": run.machine.memory_bytes.map(|bytes| bytes.to_string())},
    });
    if settings.save_code {
        metadata["codePath"] = RECIPE.into();
        metadata["args"] = json!(run.command.get(1..).unwrap_or_default());
    }
    if let Some(commit) = &run.git_commit {
        metadata["git"] = json!({"commit": commit});
    }
    if let Some(host) = &settings.host {
        metadata["host"] = host.as_str().into();
    }
    metadata
}

/// Seconds since 1970 as people read them.
fn time(seconds: f64) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::try_from_secs_f64(seconds).unwrap_or_default();
    humantime::format_rfc3339_seconds(time).to_string()
}

/// `20261122_041530`, in universal time.
pub(super) fn stamp(seconds: f64) -> String {
    let digits: String = time(seconds).chars().filter(char::is_ascii_digit).collect();
    match digits.split_at_checked(8) {
        Some((day, time)) => format!("{day}_{time}"),
        None => digits,
    }
}

/// The run's id there: the user's, or that of the journal, which is the same in all attempts.
pub(super) fn run_id(run: &RunInfo, settings: &Settings) -> String {
    settings.run_id.clone().unwrap_or_else(|| {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
        run.run_id.chars().map(plain).collect()
    })
}

/// What the run is called there.
pub(super) fn display_name<'a>(run: &'a RunInfo, settings: &'a Settings) -> &'a str {
    settings.name.as_deref().unwrap_or(&run.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_yaml_have_a_point() {
        let config = json!({"a": 1e-12, "b": 1.5e300, "c": 3, "f: #": null});
        let text = config_yaml(config.as_object().unwrap());
        assert!(text.contains("\"a\":\n    value: 1.0e-12\n"), "{text}");
        assert!(text.contains("\"b\":\n    value: 1.5e+300\n"), "{text}");
        assert!(text.contains("\"c\":\n    value: 3\n") && text.contains("\"f: #\":\n    value: null\n"), "{text}");
    }

    #[test]
    fn stamps_are_those_of_folders() {
        assert_eq!(stamp(1_795_320_930.25), "20261122_041530");
        assert_eq!(stamp(-1.0), "19700101_000000");
    }
}
