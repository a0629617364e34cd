//! The metadata block of the card, by which the Hub finds and sorts models. Its keys are those of `modelcard.md` in the
//! Hub's documentation.

use metrics::Metric;

use super::yaml::{number, text};
use super::{base_model, datasets};
use crate::numbers::name;
use crate::visible::excerpt;
use crate::{Score, Story};

pub(super) fn block(story: &Story) -> String {
    let mut lines =
        vec!["---".to_owned(), "library_name: transformers".to_owned(), "pipeline_tag: text-classification".to_owned()];
    lines.extend(base_model(story).map(|name| format!("base_model: {}", text(name))));
    list(&mut lines, "datasets", datasets(story).into_iter().map(str::to_owned));
    list(&mut lines, "tags", ["text-classification", "tunesmith"].map(str::to_owned));
    let scores: Vec<&Score> = story.scores.iter().filter(|score| known(score.metric).is_some()).collect();
    let mut known: Vec<String> = scores.iter().filter_map(|score| known(score.metric)).map(str::to_owned).collect();
    known.dedup();
    list(&mut lines, "metrics", known);
    if !scores.is_empty() {
        results(story, &scores, &mut lines);
    }
    lines.push("---\n".to_owned());
    lines.join("\n")
}

fn list(lines: &mut Vec<String>, key: &str, values: impl IntoIterator<Item = String>) {
    let mut values = values.into_iter().peekable();
    if values.peek().is_some() {
        lines.push(format!("{key}:"));
        lines.extend(values.map(|value| format!("- {}", text(&value))));
    }
}

/// The metric as the Hub names it. Losses have no name there.
fn known(metric: Metric) -> Option<&'static str> {
    match metric {
        Metric::Accuracy => Some("accuracy"),
        Metric::F1 | Metric::F1Weighted => Some("f1"),
        Metric::Precision | Metric::PrecisionWeighted => Some("precision"),
        Metric::Recall | Metric::RecallWeighted => Some("recall"),
        Metric::MatthewsCorrelation => Some("matthews_correlation"),
        Metric::RocAuc => Some("roc_auc"),
        Metric::Loss | Metric::LogLoss => None,
    }
}

/// How a metric of classes is averaged, which its name does not tell.
fn average(metric: Metric) -> Option<&'static str> {
    match metric {
        Metric::F1 | Metric::Precision | Metric::Recall => Some("macro"),
        Metric::F1Weighted | Metric::PrecisionWeighted | Metric::RecallWeighted => Some("weighted"),
        _ => None,
    }
}

fn results(story: &Story, scores: &[&Score], lines: &mut Vec<String>) {
    let run = &story.course.run;
    let file = run.data.files.last().map_or("unnamed", |file| file.path.as_str());
    let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let origin = run.data.origin.as_ref();
    let dataset = excerpt(origin.map_or(file, |origin| origin.dataset.as_str()), 80);
    let dataset = if dataset.is_empty() { "unnamed".to_owned() } else { dataset };
    lines.push("model-index:".to_owned());
    lines.push(format!("- name: {}", text(&excerpt(&run.name, 90))));
    lines.push("  results:".to_owned());
    lines.push("  - task:".to_owned());
    lines.push("      type: text-classification".to_owned());
    lines.push("      name: Text Classification".to_owned());
    lines.push("    dataset:".to_owned());
    lines.push(format!("      type: {}", text(&dataset)));
    lines.push(format!("      name: {}", text(&dataset)));
    if let Some(origin) = origin {
        lines.push(format!("      config: {}", text(&excerpt(&origin.config, 80))));
        lines.push(format!("      revision: {}", text(&excerpt(&origin.commit, 40))));
    }
    let expression = |split: &str| origin.and_then(|origin| origin.splits.get(split)).cloned();
    let split = story.split().map(|split| expression(split).unwrap_or_else(|| split.to_owned()));
    lines.extend(split.map(|split| format!("      split: {}", text(&excerpt(&split, 120)))));
    lines.push("    metrics:".to_owned());
    for score in scores {
        let Some(kind) = known(score.metric) else { continue };
        lines.push(format!("    - type: {kind}"));
        lines.push(format!("      value: {}", number(score.value)));
        lines.push(format!("      name: {}", name(score.metric)));
        if let Some(average) = average(score.metric) {
            lines.push("      args:".to_owned());
            lines.push(format!("        average: {average}"));
        }
        lines.push("      verified: false".to_owned());
    }
}
