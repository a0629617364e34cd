//! The card for people.

use journal::{EndReason, RunStatus};
use serde_json::Value;

use super::base_model;
use super::markdown::{code, table, text};
use crate::numbers::{count, difference, duration, figure, name, percent, plural, points};
use crate::visible::excerpt;
use crate::{Severity, Story};

/// A card names so many classes, and gives the scores of so many.
const CLASSES: usize = 50;

/// What `train` was told that changes what comes out, in the order of the table.
const PROCEDURE: [&str; 18] = [
    "learning_rate",
    "num_train_epochs",
    "max_steps",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "max_length",
    "lr_scheduler_type",
    "warmup_steps",
    "warmup_ratio",
    "weight_decay",
    "max_grad_norm",
    "label_smoothing_factor",
    "class_weights",
    "freeze_layers",
    "freeze_embeddings",
    "head_only",
    "metric_for_best_model",
    "seed",
];

pub(super) fn title(story: &Story) -> String {
    let run = &story.course.run;
    let from = match base_model(story) {
        Some(name) => format!("[{}](https://huggingface.co/{name}{})", text(name), at_commit(story)),
        None => text(&excerpt(super::last_part(&run.model.source), 80)),
    };
    let from = if from.is_empty() { String::new() } else { format!(", fine-tuned from {from}") };
    let on = match files(story) {
        files if files.is_empty() => String::new(),
        files => format!(" on {files}"),
    };
    let deciding = story.deciding().map(|score| {
        let interval = score.interval.map(|(low, high)| {
            format!(" (95% interval {} to {})", figure(score.metric, low), figure(score.metric, high))
        });
        format!(
            " {} on its {} rows: **{}**{}.",
            name(score.metric),
            story.split().unwrap_or("measured"),
            figure(score.metric, score.value),
            interval.unwrap_or_default()
        )
    });
    format!(
        "# {}\n\nA text classifier of {}{from}{on} with [tunesmith](https://github.com/tunesmith/tunesmith).{}\n",
        text(&excerpt(&run.name, 120)),
        plural(story.labels().len() as u64, "class", "classes"),
        deciding.unwrap_or_default()
    )
}

/// Where the Hub shows the base model as it was.
fn at_commit(story: &Story) -> String {
    let commit = story.course.run.model.commit.as_deref().unwrap_or_default();
    let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit { format!("/tree/{commit}") } else { String::new() }
}

fn files(story: &Story) -> String {
    if let Some(origin) = &story.course.run.data.origin {
        return text(&excerpt(&origin.dataset, 120));
    }
    let files = story.course.run.data.files.iter();
    files.map(|file| text(&excerpt(super::last_part(&file.path), 80))).collect::<Vec<_>>().join(", ")
}

pub(super) fn intended_use(story: &Story) -> String {
    let labels = story.labels();
    let names: Vec<String> = labels.iter().take(CLASSES).map(|label| text(&excerpt(label, 60))).collect();
    let others = match labels.len() - names.len() {
        0 => String::new(),
        others => format!(" and {} more", count(others as u64)),
    };
    let names = if names.is_empty() { "its classes".to_owned() } else { names.join(", ") };
    format!(
        "## Intended use\n\nIt gives a text one label of: {names}{others}. It knows texts like those that it was trained on; \
         measure it on your own before you rely on it for others, and do not let it alone decide about people.\n"
    )
}

pub(super) fn training_data(story: &Story) -> String {
    let data = &story.course.run.data;
    if data.splits.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = data
        .splits
        .iter()
        .map(|(name, split)| {
            vec![
                text(&excerpt(name, 40)),
                count(split.rows),
                count(split.tokens),
                format!("{} ({})", count(split.truncated), percent(split.truncated, split.rows)),
            ]
        })
        .collect();
    let mut said = format!("## Training data\n\n{}", table(&["split", "rows", "tokens", "texts cut"], &rows));
    if let Some(train) = data.splits.get("train").filter(|_| data.labels.len() <= CLASSES) {
        let classes = data.labels.iter().zip(&train.class_counts);
        let classes: Vec<String> =
            classes.map(|(label, rows)| format!("{} {}", text(&excerpt(label, 60)), count(*rows))).collect();
        said += &format!("\nTraining rows by class: {}.\n", classes.join(", "));
    }
    said
}

pub(super) fn procedure(story: &Story) -> String {
    let (course, run) = (&story.course, &story.course.run);
    let mut rows: Vec<Vec<String>> = PROCEDURE
        .iter()
        .filter_map(|setting| {
            let value = run.settings.get(*setting).filter(|value| !value.is_null())?;
            let value = match value {
                Value::String(value) => value.clone(),
                other => other.to_string(),
            };
            Some(vec![text(setting), text(&excerpt(&value, 120))])
        })
        .collect();
    rows.push(vec!["optimizer".to_owned(), "AdamW".to_owned()]);
    if !run.machine.arithmetic.is_empty() {
        rows.push(vec!["arithmetic".to_owned(), text(&excerpt(&run.machine.arithmetic, 120))]);
    }
    let mut said =
        format!("## Procedure\n\n{}\n{}", table(&["setting", "value"], &rows), plural(course.steps, "step", "steps"));
    if let Some(seconds) = course.train_runtime {
        said += &format!(" in {}", duration(seconds));
    }
    if let Some(processor) = &run.machine.processor {
        said +=
            &format!(" on {} of {}", plural(run.machine.threads, "thread", "threads"), text(&excerpt(processor, 120)));
    }
    if let Some(best) = course.best_step {
        said += &format!("; the weights of step {} were kept", count(best));
    }
    said + &format!(". tunesmith {}.\n", text(&excerpt(&run.version, 40)))
}

pub(super) fn results(story: &Story) -> String {
    if story.scores.is_empty() {
        return "## Results\n\nNothing was measured.\n".to_owned();
    }
    let with_unseen = story.scores.iter().any(|score| score.unseen.is_some());
    let with_baseline = story.scores.iter().any(|score| score.baseline.is_some() || score.difference.is_some());
    let mut head = vec!["score", "model", "95% interval"];
    head.extend(with_unseen.then_some("without seen rows"));
    head.extend(with_baseline.then_some("linear baseline"));
    head.extend(with_baseline.then_some("over the baseline"));
    let rows: Vec<Vec<String>> = story
        .scores
        .iter()
        .map(|score| {
            let told = |value: f64| figure(score.metric, value);
            let mut row = vec![
                name(score.metric).to_owned(),
                told(score.value),
                score.interval.map(|(low, high)| format!("{} to {}", told(low), told(high))).unwrap_or_default(),
            ];
            if with_unseen {
                row.push(score.unseen.map(|(value, _)| told(value)).unwrap_or_default());
            }
            if with_baseline {
                row.push(score.baseline.map(told).unwrap_or_default());
                let over = score
                    .difference
                    .map(|found| format!("{} ± {}", difference(score.metric, found.value), told(found.half_width())));
                row.push(over.unwrap_or_default());
            }
            row
        })
        .collect();
    let of = match &story.measured {
        Some(measured) => format!("On {} {} rows", count(measured.metrics.rows()), measured.split),
        None => format!("On the {} rows", story.split().unwrap_or("measured")),
    };
    let mut said = format!(
        "## Results\n\n{of}; scores out of 100, log loss in nats. Intervals are those of the bootstrap.\n\n{}",
        table(&head, &rows)
    );
    said += &classes(story);
    said
}

fn classes(story: &Story) -> String {
    let Some(measured) = story.measured.as_ref().filter(|measured| measured.labels.len() <= CLASSES) else {
        return String::new();
    };
    let rows: Vec<Vec<String>> = measured
        .labels
        .iter()
        .zip(&measured.metrics.per_class)
        .map(|(label, scores)| {
            vec![
                text(&excerpt(label, 60)),
                points(scores.precision),
                points(scores.recall),
                points(scores.f1),
                count(scores.support),
            ]
        })
        .collect();
    format!("\n{}", table(&["class", "precision", "recall", "F1", "rows"], &rows))
}

pub(super) fn limits(story: &Story) -> String {
    let course = &story.course;
    let mut said = Vec::new();
    if course.status == Some(RunStatus::Failed) || (course.status.is_none() && course.reason.is_none()) {
        said.push(format!("The run did not come to its end; its last step was {}.", count(course.steps)));
    } else if course.reason == Some(EndReason::Interrupted) {
        said.push(format!("The run was interrupted after step {}.", count(course.steps)));
    }
    if story.split() == Some("validation") {
        let missing = if story.has_test_rows() { "The test rows were not measured" } else { "There were no test rows" };
        said.push(format!("{missing}: these scores are of the rows that chose the weights, and flatter."));
    }
    if let Some(measured) = &story.measured
        && let Some(unseen) = &measured.unseen
    {
        let all = measured.metrics.rows();
        said.push(format!(
            "{} of {} {} rows ({}) were seen before, exactly or nearly; the scores without them are the safer ones.",
            count(unseen.left_out),
            count(all),
            measured.split,
            percent(unseen.left_out, all)
        ));
    }
    match &story.check {
        Some(check) => {
            let serious = check.findings.iter().filter(|finding| finding.severity > Severity::Note);
            said.extend(serious.map(|finding| {
                let message = excerpt(&finding.message, 300);
                let mut letters = message.chars();
                let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
                format!("{}.", text(&(first + letters.as_str())))
            }));
        }
        None => said.push("The data was not checked for duplicates, leaks and damaged labels.".to_owned()),
    }
    if said.is_empty() {
        said.push("The data check found nothing that makes the scores doubtful.".to_owned());
    }
    let said: String = said.into_iter().map(|sentence| format!("- {sentence}\n")).collect();
    format!("## Limits\n\n{said}")
}

pub(super) fn how_to_use(story: &Story) -> String {
    let length = match story.course.run.model.max_length {
        0 => String::new(),
        tokens => format!(", max_length={tokens}"),
    };
    let python = format!(
        "from transformers import pipeline\n\n# \".\" is this folder; its name on the Hub does as well\n\
         classify = pipeline(\"text-classification\", model=\".\")\n\
         print(classify(\"a text\", truncation=True{length}))"
    );
    let shell = "tunesmith predict . \"a text\"\ntunesmith predict . --input new.csv --output labelled.csv";
    format!("## How to use\n\n{}\n{}", code("python", &python), code("sh", shell))
}
