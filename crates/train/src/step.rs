//! One optimiser step: which rows, forward and backward, clip, AdamW.

use dataset::Permutation;
use encoder::{Activations, Batch, Moment, Network};
use kernels::{AdamW, Backend, Layout, Loss};

use crate::dynamics::Dynamics;
use crate::schedule::multiplier;
use crate::{ClassWeights, Examples, TrainingArguments};

/// What every step of a run has in common.
pub(crate) struct Stepper<'a> {
    arguments: &'a TrainingArguments,
    examples: &'a Examples,
    class_weights: Vec<f64>,
    pub(crate) total_steps: u64,
    pub(crate) steps_per_epoch: u64,
    warmup_steps: u64,
    /// The order of the rows in one epoch, for the steps that follow each other in it.
    order: (u64, Permutation),
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stepped {
    pub(crate) loss: f64,
    pub(crate) gradient_norm: f64,
    pub(crate) learning_rate: f64,
    pub(crate) tokens: usize,
    pub(crate) samples: usize,
}

impl<'a> Stepper<'a> {
    pub(crate) fn new(arguments: &'a TrainingArguments, examples: &'a Examples, classes: usize) -> Self {
        let rows = examples.len() as u64;
        let total_steps = arguments.total_steps(rows);
        Self {
            arguments,
            examples,
            class_weights: class_weights(&arguments.class_weights, &examples.class_counts(classes)),
            total_steps,
            steps_per_epoch: arguments.steps_per_epoch(rows),
            warmup_steps: arguments.warmup_steps_of(total_steps),
            order: (0, Permutation::new(examples.len(), arguments.seed, 0)),
        }
    }

    /// The rows of step `step`, counted from 0: a function of seed and step alone, so any step can be taken first.
    pub(crate) fn rows(&mut self, step: u64) -> Vec<usize> {
        let (epoch, step) = (step / self.steps_per_epoch, step % self.steps_per_epoch);
        if self.order.0 != epoch {
            self.order = (epoch, Permutation::new(self.examples.len(), self.arguments.seed, epoch));
        }
        let arguments = self.arguments;
        let at_once = arguments.per_device_train_batch_size.saturating_mul(arguments.gradient_accumulation_steps);
        let first = usize::try_from(step).unwrap_or(usize::MAX).saturating_mul(at_once);
        let last = first.saturating_add(at_once).min(self.examples.len());
        (first..last).map(|position| self.order.1.get(position)).collect()
    }

    /// Adds the gradients of these rows, in micro-batches, and returns their mean loss. Accumulation is exact: however
    /// the rows are cut, loss and gradient are those of all rows as one batch. `hear` gets each row and its logits.
    pub(crate) fn forward_backward<B: Backend>(
        &self,
        network: &mut Network<B>,
        rows: &[usize],
        step: u64,
        activations: &mut Activations<B>,
        mut hear: impl FnMut(usize, &[f32]),
    ) -> f64 {
        let classes = network.config().num_labels();
        let labels: Vec<u32> = rows.iter().map(|&row| self.examples.labels[row]).collect();
        let loss = Loss::mean_over(&labels, &self.class_weights, self.arguments.label_smoothing_factor);
        let moment = Some(Moment { seed: self.arguments.seed, step });
        let micro_batches = rows.chunks(self.arguments.per_device_train_batch_size);
        micro_batches
            .map(|rows| {
                let packed = self.examples.pack(rows);
                let layout = Layout::new(&packed.cu_seqlens, &packed.example_ids);
                let batch = Batch { ids: &packed.input_ids, layout: &layout };
                let loss = network.forward_backward(batch, &packed.labels, &loss, moment, activations);
                rows.iter()
                    .zip(activations.logits().chunks_exact(classes))
                    .for_each(|(&row, logits)| hear(row, logits));
                loss
            })
            .sum()
    }

    /// Takes step `step`, counted from 0, and notes what it saw of its rows. Where loss or gradient is not finite the
    /// weights are left as they are; the caller looks at the result.
    pub(crate) fn take<B: Backend>(
        &mut self,
        network: &mut Network<B>,
        step: u64,
        activations: &mut Activations<B>,
        dynamics: &mut Dynamics,
    ) -> Stepped {
        let rows = self.rows(step);
        let labels = &self.examples.labels;
        let note = |row: usize, logits: &[f32]| dynamics.note(row, labels[row], logits);
        let loss = self.forward_backward(network, &rows, step, activations, note);

        let arguments = self.arguments;
        let factor = multiplier(arguments.lr_scheduler_type, step, self.warmup_steps, self.total_steps);
        let learning_rate = arguments.learning_rate * factor;
        let tokens = rows.iter().map(|&row| self.examples.encoded.length(row)).sum();
        let gradient_norm = network.step(loss.is_finite(), |parameter, gradient_norm| AdamW {
            learning_rate,
            beta1: arguments.adam_beta1,
            beta2: arguments.adam_beta2,
            epsilon: arguments.adam_epsilon,
            weight_decay: if parameter.decays { arguments.weight_decay } else { 0.0 },
            step: step + 1,
            gradient_scale: clip(arguments.max_grad_norm, gradient_norm),
        });
        Stepped { loss, gradient_norm, learning_rate, tokens, samples: rows.len() }
    }
}

/// The factor of `torch.nn.utils.clip_grad_norm_`; a limit of 0 is none.
#[expect(clippy::cast_possible_truncation, reason = "gradients are single precision")]
fn clip(max_grad_norm: f64, norm: f64) -> f32 {
    if max_grad_norm > 0.0 { (max_grad_norm / (norm + 1e-6)).min(1.0) as f32 } else { 1.0 }
}

/// One weight for each class, or none. A class without training rows weighs nothing.
fn class_weights(asked: &ClassWeights, counts: &[usize]) -> Vec<f64> {
    match asked {
        ClassWeights::None => Vec::new(),
        ClassWeights::Given(weights) => weights.clone(),
        ClassWeights::Balanced => {
            let rows: usize = counts.iter().sum();
            let balanced = |&count: &usize| rows as f64 / (counts.len() * count) as f64;
            counts.iter().map(|count| if *count == 0 { 0.0 } else { balanced(count) }).collect()
        }
    }
}
