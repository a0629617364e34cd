//! A checkpoint goes on as the run that it is of, and as no other.

use classifier::{Classifier, ModelSource, Start};
use dataset::Labels;
use journal::{Event, Split};
use kernels::Cpu;
use train::{Error, IntervalStrategy, TrainingArguments, latest_checkpoint};

use crate::tiny::{Attempt, Done, Ground, arguments};

/// A run of `then`, stopped after two steps, and an attempt to go on with it as `now` changes it.
fn resumed(then: &TrainingArguments, now: &TrainingArguments, change: impl FnOnce(&Ground, &mut Attempt<'_>)) -> Done {
    let ground = Ground::new();
    let folder = tempfile::tempdir().unwrap();
    ground.run(Attempt { stop_after: Some(2), ..ground.attempt(then, folder.path()) }).outcome();
    let resume = latest_checkpoint(folder.path());
    let mut attempt = Attempt { resume, ..ground.attempt(now, folder.path()) };
    change(&ground, &mut attempt);
    ground.run(attempt)
}

#[track_caller]
fn refused(done: &Done, what: &str, then: &str, now: &str) {
    let Error::OtherRun { what: named, then: found, now: given, .. } = done.error() else {
        panic!("{}", done.error());
    };
    assert_eq!((named.as_str(), found.as_str(), given.as_str()), (what, then, now));
}

#[test]
fn a_setting_that_differs_is_named() {
    let then = arguments();
    let now = TrainingArguments { learning_rate: 1e-3, ..arguments() };
    refused(&resumed(&then, &now, |_, _| {}), "learning_rate", "0.005", "0.001");
    let now = TrainingArguments { max_steps: Some(9), ..arguments() };
    refused(&resumed(&then, &now, |_, _| {}), "max_steps", "null", "9");
    refused(&resumed(&now, &then, |_, _| {}), "max_steps", "9", "null");
}

#[test]
fn other_rows_are_refused() {
    let fewer = resumed(&arguments(), &arguments(), |ground, attempt| attempt.train = ground.examples(0..25));
    refused(&fewer, "training rows", "26", "25");
    let others = resumed(&arguments(), &arguments(), |ground, attempt| attempt.train = ground.examples(1..27));
    assert!(others.error().to_string().contains("content of the training rows"), "{}", others.error());
}

#[test]
fn other_labels_are_refused() {
    let ground = Ground::new();
    let folder = tempfile::tempdir().unwrap();
    let arguments = arguments();
    ground.run(Attempt { stop_after: Some(2), ..ground.attempt(&arguments, folder.path()) }).outcome();
    let labels = Labels::from_names(["bad", "so-so", "good"].map(str::to_owned).to_vec()).unwrap();
    let attempt = Attempt { resume: latest_checkpoint(folder.path()), ..ground.attempt(&arguments, folder.path()) };
    let done = ground.run_with(attempt, ground.classifier(1, &labels), |_| {});
    refused(&done, "labels", r#"["bad","fair","good"]"#, r#"["bad","so-so","good"]"#);
}

#[test]
fn another_model_is_refused() {
    let ground = Ground::new();
    let folder = tempfile::tempdir().unwrap();
    let arguments = TrainingArguments { max_steps: Some(3), ..arguments() };
    ground.run(Attempt { stop_after: Some(1), ..ground.attempt(&arguments, folder.path()) }).outcome();
    let (source, labels) = (ModelSource::Scratch("small".into()), Ground::labels());
    let texts = ["one text", "another one"];
    let start = Start { source: &source, labels: &labels, max_length: Some(16), seed: 5, texts: &texts };
    let (other, _) = Classifier::start(&start, Cpu::new(1).unwrap()).unwrap();
    let attempt = Attempt { resume: latest_checkpoint(folder.path()), ..ground.attempt(&arguments, folder.path()) };
    let done = ground.run_with(attempt, other, |_| {});
    assert!(done.error().to_string().contains("model configuration"), "{}", done.error());
}

/// What decides which weights are the best belongs to the run: which rows, and when.
#[test]
fn other_ways_to_select_are_refused() {
    let selecting = TrainingArguments {
        eval_strategy: IntervalStrategy::Steps,
        logging_steps: 2.0,
        load_best_model_at_end: true,
        ..arguments()
    };
    let rows = |ground: &Ground, attempt: &mut Attempt<'_>| {
        attempt.validation = Some((Split::Eval, ground.examples(27..40)));
    };
    let done = resumed(&selecting, &selecting, rows);
    assert!(done.error().to_string().contains("content of the validation rows"), "{}", done.error());
    let on_test = |ground: &Ground, attempt: &mut Attempt<'_>| {
        attempt.validation = Some((Split::Test, ground.examples(26..40)));
    };
    let done = resumed(&selecting, &selecting, on_test);
    assert!(done.error().to_string().contains("content of the validation rows"), "{}", done.error());

    let rarer = TrainingArguments { logging_steps: 3.0, ..selecting.clone() };
    refused(&resumed(&selecting, &rarer, |_, _| {}), "steps between evaluations", "2", "3");

    // Where nothing is selected, the rows to report on are free.
    let reporting = TrainingArguments { load_best_model_at_end: false, ..selecting };
    resumed(&reporting, &reporting, rows).outcome();
}

#[test]
fn what_is_only_shown_or_kept_may_change() {
    let changed = TrainingArguments {
        logging_steps: 1.0,
        logging_first_step: true,
        save_strategy: IntervalStrategy::Epoch,
        save_total_limit: Some(2),
        per_device_eval_batch_size: 3,
        ..arguments()
    };
    let same = resumed(&arguments(), &arguments(), |_, _| {});
    let done = resumed(&arguments(), &changed, |_, _| {});
    assert_eq!(done.outcome().state.global_step, 14);
    assert!(done.weights() == same.weights(), "and it makes no difference to the weights");
}

#[test]
fn another_arithmetic_is_said() {
    let notices = |done: &Done| {
        let message = |event: &Event| match event {
            Event::Notice { message } => Some(message.clone()),
            _ => None,
        };
        done.events.iter().filter_map(message).collect::<Vec<_>>()
    };
    assert_eq!(notices(&resumed(&arguments(), &arguments(), |_, _| {})), Vec::<String>::new());
    let other = resumed(&arguments(), &arguments(), |_, attempt| attempt.arithmetic = "bf16 by foot");
    other.outcome();
    let said = notices(&other);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("f32 by hand") && said[0].contains("bf16 by foot"), "{said:?}");
}
