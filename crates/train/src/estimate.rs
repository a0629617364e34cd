//! How long a run will take and how much memory, from a few rows timed on this machine.

use std::time::Instant;

use classifier::Classifier;
use encoder::{Activations, Batch};
use kernels::{AdamW, Backend, Layout, Use};

use crate::step::Stepper;
use crate::{Error, Examples, IntervalStrategy, TrainingArguments};

/// Rows of tokens that are timed: enough for the steady rate, little enough to be done in seconds by any model.
const PROBE_TOKENS: usize = 512;

/// What a run will cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Optimiser steps.
    pub total_steps: u64,
    /// Seconds of training and of the evaluations along the way and at the end.
    pub seconds: f64,
    /// Bytes of weights, moments and activations at their largest.
    pub bytes: usize,
}

/// Times a forward and backward over some training rows and an optimiser step on numbers of its own; the model is as
/// before afterwards. `measured` are the tokens of all evaluations.
///
/// # Errors
/// None of its own yet; a model that cannot be run.
pub fn estimate<B: Backend>(
    classifier: &mut Classifier<B>,
    arguments: &TrainingArguments,
    train: &Examples,
    evaluation_tokens: usize,
    final_tokens: usize,
) -> Result<Estimate, Error> {
    let classes = classifier.labels().len();
    let max_length = classifier.max_length();
    let longest = train.encoded.longest();
    let mut stepper = Stepper::new(arguments, train, classes);
    let (total_steps, steps_per_epoch) = (stepper.total_steps, stepper.steps_per_epoch);

    let mut tokens = 0;
    let rows: Vec<usize> = stepper
        .rows(0)
        .into_iter()
        .take_while(|&row| {
            tokens += train.encoded.length(row);
            tokens <= PROBE_TOKENS.max(longest)
        })
        .collect();
    let tokens: usize = rows.iter().map(|&row| train.encoded.length(row)).sum();
    let network = classifier.network_mut();
    let mut activations = Activations::for_training(network);
    let mut training = f64::INFINITY;
    for _ in 0..2 {
        let started = Instant::now();
        stepper.forward_backward(network, &rows, 0, &mut activations, |_, _| {});
        training = training.min(started.elapsed().as_secs_f64());
    }
    let (backend, weights) = network.weights_mut();
    for (_, weight) in weights {
        backend.zero_gradient(weight);
    }
    drop(activations);

    let packed = train.pack(&rows);
    let layout = Layout::new(&packed.cu_seqlens, &packed.example_ids);
    let mut inference = Activations::for_inference(network);
    let mut measuring = f64::INFINITY;
    for _ in 0..2 {
        let started = Instant::now();
        network.logits(Batch { ids: &packed.input_ids, layout: &layout }, &mut inference);
        measuring = measuring.min(started.elapsed().as_secs_f64());
    }

    let (all, learning) = network.count_parameters();
    let optimizer = optimizer_seconds(network.backend(), learning);
    let epochs = total_steps as f64 / steps_per_epoch as f64;
    let trained_tokens = train.encoded.total_tokens() as f64 * epochs;
    let evaluations = match arguments.eval_strategy {
        IntervalStrategy::No => 0.0,
        IntervalStrategy::Steps => total_steps.div_ceil(arguments.eval_steps_of(total_steps)) as f64,
        IntervalStrategy::Epoch => epochs.ceil(),
    };
    let measured_tokens = evaluation_tokens as f64 * evaluations + final_tokens as f64;
    let each = tokens.max(1) as f64;
    let seconds =
        trained_tokens * training / each + total_steps as f64 * optimizer + measured_tokens * measuring / each;

    let matrices: usize = network.weights().filter(|(p, _)| p.usage == Use::Matrix).map(|(p, _)| p.rows * p.cols).sum();
    let texts = arguments.per_device_train_batch_size.min(train.len());
    let batch = (longest * texts).min(train.encoded.total_tokens());
    let measured_at_once =
        arguments.per_device_eval_batch_size.saturating_mul(max_length).min(evaluation_tokens.max(final_tokens));
    let activations = network.training_bytes(batch, texts) + network.inference_bytes(measured_at_once);
    let bytes = 4 * (all + 3 * learning + matrices) + activations;
    Ok(Estimate { total_steps, seconds, bytes })
}

/// Seconds of one AdamW step over `learning` values, from a step over a few of them.
fn optimizer_seconds<B: Backend>(backend: &B, learning: usize) -> f64 {
    const COLUMNS: usize = 1024;
    // More than the caches hold, as in the real step.
    let rows = (learning / COLUMNS).clamp(1, 8192);
    let mut weight = backend.weight(Use::Matrix, rows, COLUMNS, vec![0.0; rows * COLUMNS]);
    let step = AdamW {
        learning_rate: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.0,
        step: 1,
        gradient_scale: 1.0,
    };
    backend.adamw(&mut weight, &step);
    let started = Instant::now();
    backend.squared_gradient_norm(&weight);
    backend.adamw(&mut weight, &step);
    started.elapsed().as_secs_f64() * learning as f64 / (rows * COLUMNS) as f64
}
