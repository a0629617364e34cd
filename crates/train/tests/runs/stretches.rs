//! What the journal is told of training however seldom it logs.

use journal::Event;
use train::{TrainingArguments, latest_checkpoint};

use crate::tiny::{Attempt, Ground, arguments};

/// Step and mean loss of each stretch.
fn stretches(events: &[Event]) -> Vec<(u64, f64)> {
    let stretch = |event: &Event| match event {
        Event::Stretch { step, loss, .. } => Some((*step, *loss)),
        _ => None,
    };
    events.iter().filter_map(stretch).collect()
}

/// 217 steps are more than 200, so two make a stretch; the last one has one.
fn long() -> TrainingArguments {
    TrainingArguments { num_train_epochs: 31.0, ..arguments() }
}

#[test]
fn a_run_has_at_most_two_hundred_and_they_hold_every_step() {
    let (ground, output) = (Ground::new(), tempfile::tempdir().unwrap());
    let done = ground.run(ground.attempt(&long(), output.path()));
    assert_eq!(done.events.iter().filter(|event| matches!(event, Event::Log { .. })).count(), 0, "it logs too seldom");
    let losses: Vec<f64> = done
        .events
        .iter()
        .filter_map(|event| if let Event::Step { loss, .. } = event { Some(*loss) } else { None })
        .collect();
    let expected: Vec<(u64, f64)> = losses
        .chunks(2)
        .enumerate()
        .map(|(at, losses)| (2 * at as u64 + losses.len() as u64, losses.iter().sum::<f64>() / losses.len() as f64))
        .collect();
    assert_eq!((losses.len(), expected.len()), (217, 109));
    assert_eq!(stretches(&done.events), expected);
}

#[test]
fn a_resumed_run_ends_the_stretch_that_was_cut() {
    let ground = Ground::new();
    let (whole, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let arguments = TrainingArguments { max_steps: Some(203), ..long() };
    let whole = ground.run(ground.attempt(&arguments, whole.path()));
    let first = ground.run(Attempt { stop_after: Some(5), ..ground.attempt(&arguments, cut.path()) });
    let resume = latest_checkpoint(cut.path());
    let second = ground.run(Attempt { resume, ..ground.attempt(&arguments, cut.path()) });
    let both = [stretches(&first.events), stretches(&second.events)].concat();
    assert_eq!(both, stretches(&whole.events));
}
