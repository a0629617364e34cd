//! What the run is, as params and tags.

use journal::RunInfo;
use serde_json::{Value, json};

use super::figures::valid;
use super::settings::as_text;

/// Longest values (`mlflow.utils.validation` of 3.17); older servers take less, see `place.rs`.
const PARAM: usize = 6000;
const TAG: usize = 5000;

/// What every version of MLflow takes as the value of a param.
pub(super) const SHORT_PARAM: usize = 250;

/// Every setting under its own name, the rest under `model.`, `data.` and `machine.`.
pub(super) fn params(run: &RunInfo) -> Vec<(String, String)> {
    let mut params: Vec<(String, String)> = Vec::new();
    let mut add = |name: String, value: String| {
        let name = valid(&name);
        // Two settings whose names differ only in what MLflow has no letters for: the first one stays.
        if !params.iter().any(|(other, _)| *other == name) {
            params.push((name, cut(&value, PARAM)));
        }
    };
    for (name, value) in &run.settings {
        add(name.clone(), as_text(value));
    }
    let model = &run.model;
    add("model.source".into(), model.source.clone());
    add("model.type".into(), model.model_type.clone());
    for (name, value) in [
        ("num_hidden_layers", model.num_hidden_layers),
        ("hidden_size", model.hidden_size),
        ("parameters", model.parameters),
        ("trainable_parameters", model.trainable_parameters),
        ("max_length", model.max_length),
    ] {
        add(format!("model.{name}"), value.to_string());
    }
    let data = &run.data;
    let files: Vec<&str> = data.files.iter().map(|file| file.path.as_str()).collect();
    add("data.files".into(), files.join(" "));
    if let Some(origin) = &data.origin {
        add("data.dataset".into(), origin.dataset.clone());
        add("data.config".into(), origin.config.clone());
        add("data.commit".into(), origin.commit.clone());
        for (role, split) in &origin.splits {
            add(format!("data.{role}.split"), split.clone());
        }
    }
    add("data.text_column".into(), data.text_column.clone());
    add("data.label_column".into(), data.label_column.clone());
    add("data.num_labels".into(), data.labels.len().to_string());
    add("data.labels".into(), json!(data.labels).to_string());
    for (split, rows) in &data.splits {
        add(format!("data.{split}.rows"), rows.rows.to_string());
        add(format!("data.{split}.tokens"), rows.tokens.to_string());
        add(format!("data.{split}.truncated"), rows.truncated.to_string());
    }
    let machine = &run.machine;
    add("machine.system".into(), machine.system.clone());
    if let Some(processor) = &machine.processor {
        add("machine.processor".into(), processor.clone());
    }
    add("machine.threads".into(), machine.threads.to_string());
    add("machine.arithmetic".into(), machine.arithmetic.clone());
    params
}

/// The tags with which the run is found again and told from others.
pub(super) fn tags(run: &RunInfo, user: Option<String>) -> Vec<(String, String)> {
    let mut tags = vec![
        (RUN_ID.to_owned(), run.run_id.clone()),
        ("tunesmith.version".to_owned(), run.version.clone()),
        ("tunesmith.command".to_owned(), cut(&run.command.join(" "), TAG)),
        ("mlflow.source.name".to_owned(), "tunesmith".to_owned()),
        ("mlflow.source.type".to_owned(), "LOCAL".to_owned()),
    ];
    tags.extend(run.git_commit.iter().map(|commit| ("mlflow.source.git.commit".to_owned(), commit.clone())));
    tags.extend(user.map(|user| ("mlflow.user".to_owned(), user)));
    tags
}

/// The tag by which a run is found whose id was never written down.
pub(super) const RUN_ID: &str = "tunesmith.run_id";

/// A param or tag as a batch has it.
pub(super) fn entry(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": value })
}

/// A tag that may be long.
pub(super) fn tag(key: &str, value: &str) -> Value {
    entry(&valid(key), &cut(value, TAG))
}

/// At most `most` characters, and a sign where there were more.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use journal::SplitInfo;

    use super::*;

    #[test]
    fn settings_stand_alone_and_long_values_are_cut() {
        let mut run =
            RunInfo { run_id: "abc".into(), command: vec!["tunesmith".into(), "train".into()], ..RunInfo::default() };
        run.git_commit = Some("0abc".into());
        run.settings.insert("learning_rate".into(), json!(5e-5));
        run.settings.insert("model".into(), json!("minilm"));
        run.settings.insert("label_names".into(), json!(["a", "b"]));
        run.data.labels = (0..5000).map(|class| format!("class {class}")).collect();
        run.data.splits.insert("train".into(), SplitInfo { rows: 7, ..SplitInfo::default() });
        let params = params(&run);
        let get = |name: &str| params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap();
        assert_eq!((get("learning_rate"), get("model"), get("label_names")), ("0.00005", "minilm", r#"["a","b"]"#));
        assert_eq!((get("data.train.rows"), get("data.num_labels")), ("7", "5000"));
        assert_eq!(get("data.labels").chars().count(), 6000);
        assert!(get("data.labels").ends_with('…'));
        let tags = tags(&run, Some("me".into()));
        assert!(tags.contains(&("tunesmith.run_id".into(), "abc".into())));
        assert!(tags.contains(&("tunesmith.command".into(), "tunesmith train".into())));
        assert!(tags.contains(&("mlflow.source.git.commit".into(), "0abc".into())));
        assert!(tags.contains(&("mlflow.user".into(), "me".into())));
    }

    #[test]
    fn no_param_comes_twice() {
        let mut run = RunInfo::default();
        run.settings.insert("a(b".into(), json!(1));
        run.settings.insert("a)b".into(), json!(2));
        assert_eq!(params(&run).iter().filter(|(name, _)| name == "a_b").count(), 1);
    }
}
