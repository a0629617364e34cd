//! Which checkpoints there are after a crash, after many saves, and after going back.

use std::fs;
use std::path::Path;

use journal::{EndReason, Event, Split};
use train::{Error, IntervalStrategy, TrainingArguments, latest_checkpoint, remove_leftovers};

use crate::tiny::{Attempt, Ground, arguments, hidden, saved_steps, saving};

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let file = entry.unwrap().path();
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_checkpoint_that_is_not_whole_is_none() {
    let (ground, arguments) = (Ground::new(), saving());
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path();
    assert_eq!(latest_checkpoint(output), None);
    ground.run(Attempt { stop_after: Some(2), ..ground.attempt(&arguments, output) }).outcome();

    // Killed while the third was written: all of it but the last bytes of a file.
    let beside = output.join(".checkpoint-3.tmp");
    copy(&output.join("checkpoint-2"), &beside);
    fs::write(beside.join("run.json"), "{").unwrap();
    // Killed while the weights were written on their own.
    fs::write(output.join(".model.safetensors.x1.tmp"), "half").unwrap();
    // Killed while an earlier one was removed.
    let gone = output.join(".checkpoint-1.gone");
    copy(&output.join("checkpoint-1"), &gone);
    fs::remove_file(gone.join("trainer_state.json")).unwrap();
    // No business of ours.
    fs::write(output.join(".gitignore"), "*").unwrap();

    assert_eq!(latest_checkpoint(output), Some(output.join("checkpoint-2")));
    remove_leftovers(output).unwrap();
    assert_eq!(hidden(output), [".gitignore"]);
    assert_eq!(saved_steps(output), [1, 2]);
    remove_leftovers(&output.join("nowhere")).unwrap();
}

/// A run that went back writes steps anew that have a checkpoint already. Killed when the old one had made room and the
/// new one was not in its place, it has the old one back.
#[test]
fn what_was_to_be_replaced_comes_back() {
    let (ground, arguments) = (Ground::new(), saving());
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path();
    let last = ground.run(Attempt { stop_after: Some(3), ..ground.attempt(&arguments, output) });
    let (place, old) = (output.join("checkpoint-3"), output.join(".checkpoint-3.old"));
    copy(&place, &output.join(".checkpoint-3.tmp"));
    fs::rename(&place, &old).unwrap();

    remove_leftovers(output).unwrap();
    assert_eq!(latest_checkpoint(output), Some(place.clone()));
    assert_eq!(hidden(output), Vec::<String>::new());
    let resumed = Attempt { resume: Some(place.clone()), stop_after: Some(4), ..ground.attempt(&arguments, output) };
    assert_eq!(ground.run(resumed).outcome().state.global_step, last.outcome().state.global_step + 1);

    // And where the new one is in its place, the old one goes.
    copy(&place, &old);
    fs::remove_file(old.join("trainer_state.json")).unwrap();
    remove_leftovers(output).unwrap();
    assert_eq!(hidden(output), Vec::<String>::new());
    assert!(place.join("trainer_state.json").is_file());
}

fn selecting(limit: usize) -> TrainingArguments {
    TrainingArguments {
        eval_strategy: IntervalStrategy::Steps,
        eval_steps: Some(1.0),
        load_best_model_at_end: true,
        save_total_limit: Some(limit),
        // So high that the loss goes up and down, and the best stays behind.
        learning_rate: 0.06,
        ..saving()
    }
}

#[test]
fn a_limit_never_removes_the_best_nor_the_last() {
    for limit in [1, 2, 4] {
        let (ground, arguments) = (Ground::new(), selecting(limit));
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path();
        let mut losses: Vec<f64> = Vec::new();
        let mut seen = 0;
        let hears = |event: &Event| match event {
            Event::Evaluate { metrics, .. } => losses.push(metrics["loss"]),
            // What the previous checkpoint left: its own step, the best until then, and the latest before it.
            Event::Step { step, .. } if *step > 1 => {
                let done = step - 1;
                let best = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap() as u64 + 1;
                let others = (1..done).rev().filter(|step| *step != best);
                let besides = limit.saturating_sub(if best == done { 1 } else { 2 });
                let mut expected: Vec<u64> = others.take(besides).chain([best, done]).collect();
                expected.sort_unstable();
                expected.dedup();
                assert_eq!(saved_steps(output), expected, "limit {limit} after step {done}, losses {losses:?}");
                seen += 1;
            }
            _ => {}
        };
        let classifier = ground.classifier(1, &Ground::labels());
        let validation = Some((Split::Eval, ground.examples(0..26)));
        let attempt = Attempt { validation, ..ground.attempt(&arguments, output) };
        let done = ground.run_with(attempt, classifier, hears);
        let (outcome, best) = (done.outcome(), done.outcome().state.best_global_step.unwrap());
        assert!((2..outcome.state.global_step).contains(&best), "the best must be in between, not {best}: {losses:?}");
        assert_eq!(seen, outcome.state.global_step - 1);
        assert_eq!(outcome.selected_step, best);
        let saved = encoder::tensors::TensorFile::open(output.join(format!("checkpoint-{best}/model.safetensors")));
        let saved = saved.unwrap();
        for (name, bits) in done.weights() {
            let expected: Vec<u32> = saved.read_f32(&name).unwrap().iter().map(|x| x.to_bits()).collect();
            assert!(bits == expected, "{name} must be that of the best step");
        }
    }
}

/// Killed between the last checkpoint and the removal of the first, a run has one too many; it goes on resuming.
#[test]
fn a_limit_is_kept_after_a_crash() {
    let (ground, arguments) = (Ground::new(), TrainingArguments { save_total_limit: Some(2), ..saving() });
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path();
    ground.run(Attempt { stop_after: Some(5), ..ground.attempt(&arguments, output) }).outcome();
    assert_eq!(saved_steps(output), [4, 5]);
    copy(&output.join("checkpoint-4"), &output.join("checkpoint-3"));
    let mut at_begin = Vec::new();
    let hears = |event: &Event| {
        if matches!(event, Event::TrainBegin { .. }) {
            at_begin = saved_steps(output);
        }
    };
    let attempt = Attempt { resume: latest_checkpoint(output), ..ground.attempt(&arguments, output) };
    ground.run_with(attempt, ground.classifier(1, &Ground::labels()), hears).outcome();
    assert_eq!(at_begin, [4, 5]);
}

/// Going back to an earlier checkpoint must not take from later ones what they need to go on.
#[test]
fn later_checkpoints_survive_going_back() {
    let (ground, arguments) = (Ground::new(), TrainingArguments { learning_rate: 1e-2, ..selecting(2) });
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path();
    let early = output.join("early");
    // Measured on what it learns from, it gets better to the end.
    let attempt =
        || Attempt { validation: Some((Split::Eval, ground.examples(0..26))), ..ground.attempt(&arguments, output) };
    ground.run(Attempt { stop_after: Some(3), ..attempt() }).outcome();
    copy(&output.join("checkpoint-3"), &early);
    let whole = ground.run(Attempt { resume: latest_checkpoint(output), ..attempt() });
    let kept = saved_steps(output);
    assert!(kept.iter().all(|step| *step > 6), "all kept must be later than the steps taken again, not {kept:?}");

    let back = Attempt { resume: Some(early), stop_after: Some(6), ..attempt() };
    assert_eq!(ground.run(back).outcome().reason, EndReason::Interrupted);
    let now = saved_steps(output);
    assert!(kept.iter().all(|step| now.contains(step)), "{kept:?} must still be among {now:?}");
    let again = ground.run(Attempt { resume: latest_checkpoint(output), ..attempt() });
    assert!(again.weights() == whole.weights());
}

/// Where the folder of a checkpoint cannot be made, the error names it and what was there stays.
#[test]
fn something_in_the_way_of_a_checkpoint() {
    let (ground, arguments) = (Ground::new(), saving());
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path();
    let obstacle = output.join(".checkpoint-3.tmp");
    let classifier = ground.classifier(1, &Ground::labels());
    let put = |event: &Event| {
        if matches!(event, Event::Step { step: 3, .. }) {
            fs::write(&obstacle, "a file").unwrap();
        }
    };
    let done = ground.run_with(ground.attempt(&arguments, output), classifier, put);
    let Error::Io { path, .. } = done.error() else { panic!("{}", done.error()) };
    assert_eq!(path, &obstacle);
    assert_eq!(latest_checkpoint(output), Some(output.join("checkpoint-2")));

    let done = ground.run(ground.attempt(&arguments, &output.join("absent")));
    assert!(done.error().to_string().contains("absent/.checkpoint-1.tmp"), "{}", done.error());
}

#[test]
fn a_damaged_checkpoint_is_refused_by_name() {
    let (ground, arguments) = (Ground::new(), TrainingArguments { max_steps: Some(4), ..arguments() });
    for (file, damage) in [
        ("trainer_state.json", &b"{\"global_step\": 2}"[..]),
        ("run.json", b"{"),
        ("optimizer.safetensors", b"12345678"),
        ("model.safetensors", b""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        ground.run(Attempt { stop_after: Some(2), ..ground.attempt(&arguments, folder.path()) }).outcome();
        let checkpoint = latest_checkpoint(folder.path()).unwrap();
        fs::write(checkpoint.join(file), damage).unwrap();
        let again = ground.run(Attempt { resume: Some(checkpoint), ..ground.attempt(&arguments, folder.path()) });
        assert!(again.error().to_string().contains(file), "{file}: {}", again.error());
    }
}
