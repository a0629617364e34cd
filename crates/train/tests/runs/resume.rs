//! Stopped at any step and resumed, with whatever number of threads: the same weights and the same history.

use journal::{EndReason, Event};
use train::{ClassWeights, IntervalStrategy, SchedulerType, TrainingArguments, latest_checkpoint};

use crate::tiny::{Attempt, Ground, arguments, saved_steps, saving, timeless};

/// Runs without a stop, then stopped after each step and resumed; returns the reason and step of the end.
fn same_when_stopped_anywhere(what: &str, arguments: &TrainingArguments) -> (EndReason, u64) {
    same_when_stopped_on(&Ground::new(), what, arguments)
}

fn same_when_stopped_on(ground: &Ground, what: &str, arguments: &TrainingArguments) -> (EndReason, u64) {
    let output = tempfile::tempdir().unwrap();
    let whole = ground.run(ground.attempt(arguments, output.path()));
    let expected = whole.outcome();
    assert!(expected.state.global_step >= 4, "{what}: too short to be stopped");
    for step in 1..expected.state.global_step {
        let output = tempfile::tempdir().unwrap();
        let first = Attempt { stop_after: Some(step), threads: 1, ..ground.attempt(arguments, output.path()) };
        let first = ground.run(first);
        assert_eq!(first.outcome().reason, EndReason::Interrupted, "{what}, step {step}");
        let resume = latest_checkpoint(output.path());
        assert_eq!(resume, Some(output.path().join(format!("checkpoint-{step}"))), "{what}");

        let second = Attempt { resume, threads: 3, ..ground.attempt(arguments, output.path()) };
        let second = ground.run(second);
        let resumed = second.outcome();
        assert_eq!(resumed.reason, expected.reason, "{what}, stopped after {step}");
        assert_eq!(resumed.selected_step, expected.selected_step, "{what}, stopped after {step}");
        assert!(second.weights() == whole.weights(), "{what}, stopped after {step}: other weights");
        let histories = [resumed, expected].map(|outcome| timeless(&outcome.state.log_history));
        assert_eq!(histories[0], histories[1], "{what}, stopped after {step}");
        assert!(resumed.dynamics == expected.dynamics, "{what}, stopped after {step}: other dynamics");
        for key in ["tokens_seen", "total_loss", "best_metric", "evaluations_without_progress"] {
            let [resumed, expected] =
                [resumed, expected].map(|outcome| serde_json::to_value(&outcome.state).unwrap()[key].clone());
            assert_eq!(resumed, expected, "{what}, stopped after {step}: {key}");
        }
    }
    (expected.reason, expected.state.global_step)
}

#[test]
fn with_schedule_decay_and_logs() {
    let arguments = TrainingArguments {
        weight_decay: 0.01,
        lr_scheduler_type: SchedulerType::Cosine,
        warmup_steps: 3.0,
        logging_steps: 3.0,
        logging_first_step: true,
        ..arguments()
    };
    assert_eq!(same_when_stopped_anywhere("schedule", &arguments), (EndReason::Completed, 14));
}

/// Weight decay leaves rows of the word table behind that nobody reads: a checkpoint has them up to date.
#[test]
fn in_the_fastest_precision() {
    let arguments = TrainingArguments { weight_decay: 0.01, warmup_steps: 3.0, ..arguments() };
    let ground = Ground::new().at_its_fastest();
    assert_eq!(same_when_stopped_on(&ground, "fastest", &arguments), (EndReason::Completed, 14));
}

#[test]
fn with_accumulation_smoothing_and_class_weights() {
    let arguments = TrainingArguments {
        per_device_train_batch_size: 3,
        gradient_accumulation_steps: 2,
        num_train_epochs: 1.5,
        label_smoothing_factor: 0.1,
        class_weights: ClassWeights::Balanced,
        ..arguments()
    };
    assert_eq!(same_when_stopped_anywhere("accumulation", &arguments), (EndReason::Completed, 8));
}

#[test]
fn with_frozen_layers() {
    let arguments = TrainingArguments { freeze_layers: 1, freeze_embeddings: true, max_steps: Some(6), ..arguments() };
    assert_eq!(same_when_stopped_anywhere("frozen", &arguments), (EndReason::Completed, 6));
    let arguments = TrainingArguments { head_only: true, max_steps: Some(4), ..arguments };
    assert_eq!(same_when_stopped_anywhere("head only", &arguments), (EndReason::Completed, 4));
}

fn selecting() -> TrainingArguments {
    TrainingArguments {
        eval_strategy: IntervalStrategy::Steps,
        eval_steps: Some(2.0),
        load_best_model_at_end: true,
        metric_for_best_model: Some("f1".into()),
        save_strategy: IntervalStrategy::Steps,
        save_steps: 3.0,
        save_total_limit: Some(1),
        logging_steps: 5.0,
        ..arguments()
    }
}

#[test]
fn with_evaluation_and_the_best_model() {
    assert_eq!(same_when_stopped_anywhere("best", &selecting()), (EndReason::Completed, 14));
}

/// Only a gain of more than 10 counts, so that patience ends after the first evaluation and three more.
fn impatient() -> TrainingArguments {
    TrainingArguments {
        eval_steps: Some(1.0),
        early_stopping_patience: Some(3),
        early_stopping_threshold: 10.0,
        save_total_limit: None,
        save_steps: 1.0,
        ..selecting()
    }
}

#[test]
fn with_early_stopping() {
    assert_eq!(same_when_stopped_anywhere("early stopping", &impatient()), (EndReason::EarlyStopped, 4));
}

/// Killed after its last checkpoint and before its end, a run has no further step to take.
#[test]
fn from_the_last_checkpoint() {
    let completed = TrainingArguments { save_total_limit: None, save_steps: 1.0, ..selecting() };
    for (arguments, last) in [(impatient(), 4), (completed, 14)] {
        let ground = Ground::new();
        let output = tempfile::tempdir().unwrap();
        let whole = ground.run(ground.attempt(&arguments, output.path()));
        assert_eq!(saved_steps(output.path()), (1..=last).collect::<Vec<_>>());
        let resume = latest_checkpoint(output.path());
        let again = ground.run(Attempt { resume, ..ground.attempt(&arguments, output.path()) });
        assert_eq!(again.outcome().reason, whole.outcome().reason);
        assert_eq!(again.outcome().state.global_step, last);
        assert_eq!(again.outcome().selected_step, whole.outcome().selected_step);
        assert!(again.weights() == whole.weights());
        assert!(again.outcome().dynamics == whole.outcome().dynamics);
        let histories = [&again, &whole].map(|done| timeless(&done.outcome().state.log_history));
        assert_eq!(histories[0], histories[1]);
    }
}

/// The number of threads is free from the first step on.
#[test]
fn threads_do_not_matter() {
    let (ground, arguments) = (Ground::new(), saving());
    let weights = [1, 2, 5].map(|threads| {
        let output = tempfile::tempdir().unwrap();
        ground.run(Attempt { threads, ..ground.attempt(&arguments, output.path()) }).weights()
    });
    assert!(weights[0] == weights[1] && weights[0] == weights[2]);
}

/// The wish to stop is heard while a run measures: it leaves the evaluation pending, and the resumed run begins with it.
/// That the end is the same is what the tests above show, which stop at such steps too.
#[test]
fn while_it_measures() {
    let (ground, arguments) = (Ground::new(), selecting());
    let output = tempfile::tempdir().unwrap();
    let first = ground.run(Attempt { stop_after: Some(2), ..ground.attempt(&arguments, output.path()) });
    assert_eq!(first.outcome().reason, EndReason::Interrupted);
    assert!(first.outcome().state.evaluation_pending);
    assert!(!first.events.iter().any(|event| matches!(event, Event::Evaluate { .. })));
    let resume = latest_checkpoint(output.path());
    let second = ground.run(Attempt { resume, ..ground.attempt(&arguments, output.path()) });
    let heard = second.events.iter().find(|event| matches!(event, Event::Evaluate { .. } | Event::Step { .. }));
    assert!(matches!(heard, Some(Event::Evaluate { step: 2, .. })), "{heard:?}");
}
