//! What a run sees of its rows on the way, and which labels it suspects. That a resumed run has seen the same is in
//! `resume.rs`.

use std::ops::ControlFlow;

use dataset::Encoded;
use encoder::Activations;
use train::{Dynamics, Examples, LabelledRows, Network, RowDynamics, TrainingArguments, suspects};

use crate::tiny::{Attempt, Ground, arguments};

fn seen(arguments: &TrainingArguments, threads: usize) -> Dynamics {
    let (ground, output) = (Ground::new(), tempfile::tempdir().unwrap());
    let attempt = Attempt { threads, ..ground.attempt(arguments, output.path()) };
    ground.run(attempt).outcome().dynamics.clone()
}

fn learnt<'a>(labels: &'a [u32], dynamics: &'a Dynamics) -> LabelledRows<'a> {
    LabelledRows { labels, network: Network::Learnt(dynamics), linear: None }
}

/// A model that does not learn and drops nothing gives each row the same margin in each pass: that of its answer.
#[test]
fn margins_are_those_of_the_answers() {
    let (ground, output) = (Ground::with_dropout(0.0), tempfile::tempdir().unwrap());
    let arguments = TrainingArguments { learning_rate: 0.0, num_train_epochs: 3.0, ..arguments() };
    let done = ground.run(ground.attempt(&arguments, output.path()));
    let rows = ground.examples(0..26);
    let mut activations = Activations::for_inference(done.classifier.network());
    let logits = done.classifier.logits(&rows.encoded, 64, &mut activations, |_| ControlFlow::Continue(())).unwrap();
    let mut right = 0;
    for (at, row) in done.outcome().dynamics.rows().iter().enumerate() {
        let (label, logits) = (rows.labels[at] as usize, &logits[at * 3..][..3]);
        let others = (0..3).filter(|&class| class != label);
        let rival = others.reduce(|best, other| if logits[other] > logits[best] { other } else { best }).unwrap();
        let margin = logits[label] - logits[rival];
        let is_right = u32::from(margin > 0.0);
        let expected =
            RowDynamics { seen: 3, right: 3 * is_right, forgotten: 0, rival: rival as u32, last_margin: margin };
        assert_eq!(*row, expected, "row {at}: to the last bit");
        right += is_right;
    }
    assert!((1..26).contains(&right), "a case that shows nothing: {right} rows are right");
}

#[test]
fn each_row_is_seen_once_in_each_pass() {
    for (epochs, least, most) in [(1.0, 1, 1), (2.0, 2, 2), (1.5, 1, 2)] {
        let dynamics = seen(&TrainingArguments { num_train_epochs: epochs, ..arguments() }, 2);
        let counts: Vec<u32> = dynamics.rows().iter().map(|row| row.seen).collect();
        assert_eq!((counts.iter().min(), counts.iter().max()), (Some(&least), Some(&most)), "{epochs} epochs");
        assert_eq!(counts.len(), 26);
    }
    let one_step = seen(&TrainingArguments { max_steps: Some(1), ..arguments() }, 2);
    assert_eq!(one_step.rows().iter().map(|row| row.seen).sum::<u32>(), 4);
    assert_eq!(suspects(&[learnt(&[0; 26], &one_step)], 3).judged, 4);
}

/// Threads change no bit of what is seen; how a step's rows are cut into batches changes it as much as it changes sums.
#[test]
fn threads_and_micro_batches_do_not_matter() {
    let whole = TrainingArguments { per_device_train_batch_size: 6, ..arguments() };
    let one = seen(&whole, 1);
    assert!(one == seen(&whole, 3));
    let cut = TrainingArguments { per_device_train_batch_size: 2, gradient_accumulation_steps: 3, ..arguments() };
    let distance = |(one, other): (&RowDynamics, &RowDynamics)| (one.last_margin - other.last_margin).abs();
    let largest = one.rows().iter().zip(seen(&cut, 3).rows()).map(distance).fold(0.0, f32::max);
    println!("largest difference of a margin: {largest:e}");
    // f32 sums in another order, through ten steps.
    assert!(largest < 1e-3, "{largest}");
}

/// Of forty texts four times, eight labels of one copy are wrong: the list of eight holds nearly all of them. A single pass
/// over a single row is noisy, so one may be missed.
#[test]
fn planted_labels_are_found() {
    for shift in [0, 1, 2] {
        let (ground, output) = (Ground::new(), tempfile::tempdir().unwrap());
        let texts = ground.examples(0..40);
        let copies = (0..160).map(|row| (texts.encoded.input_ids(row % 40).to_vec(), texts.encoded.length(row % 40)));
        let right: Vec<u32> = (0..160).map(|row| texts.labels[row % 40]).collect();
        let mut train =
            Examples { encoded: Encoded::from_rows(copies), labels: right.clone(), example_ids: (0..160).collect() };
        let planted: Vec<usize> = (0..8).map(|at| at * 21 + shift).collect();
        planted.iter().for_each(|&row| train.labels[row] = (train.labels[row] + 1) % 3);
        let labels = train.labels.clone();

        let arguments = TrainingArguments { num_train_epochs: 10.0, learning_rate: 1e-2, ..arguments() };
        let done = ground.run(Attempt { train, validation: None, ..ground.attempt(&arguments, output.path()) });
        let found = suspects(&[learnt(&labels, &done.outcome().dynamics)], 3).listed;
        assert_eq!(found.len(), planted.len());
        let hits: Vec<_> = found.iter().filter(|suspect| planted.contains(&suspect.row)).collect();
        assert!(hits.len() + 1 >= planted.len(), "{found:?}");
        assert!(hits.iter().all(|suspect| suspect.suggested == right[suspect.row]), "{found:?}");
    }
}
