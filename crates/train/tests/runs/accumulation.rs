//! Micro-batches add up to the batch.

use journal::Event;
use kernels::Part;
use train::{ClassWeights, TrainingArguments};

use crate::tiny::{Done, Ground, arguments, bits};

fn one_step(ground: &Ground, batch_size: usize, accumulation: usize, class_weights: &ClassWeights) -> Done {
    let arguments = TrainingArguments {
        per_device_train_batch_size: batch_size,
        gradient_accumulation_steps: accumulation,
        class_weights: class_weights.clone(),
        max_steps: Some(1),
        // Clipping would multiply all gradients.
        max_grad_norm: 0.0,
        ..arguments()
    };
    let folder = tempfile::tempdir().unwrap();
    let done = ground.run(ground.attempt(&arguments, folder.path()));
    done.outcome();
    done
}

/// The loss and gradient norm of the only step, and its gradients but for one factor: AdamW's first moment.
fn figures(done: &Done) -> (f64, f64, Vec<f32>) {
    let step = done.events.iter().find_map(|event| match event {
        Event::Step { loss, grad_norm, .. } => Some((*loss, *grad_norm)),
        _ => None,
    });
    let (loss, norm) = step.unwrap();
    let moments = bits(&done.classifier, Part::FirstMoment);
    (loss, norm, moments.into_values().flatten().map(f32::from_bits).collect())
}

/// Logits and dropout masks do not depend on how rows are cut, and losses are added in double precision, so what
/// differs is the order of a few additions: 1e-14 of the loss. Gradients are added in single precision in another
/// order: 1e-5 of the largest.
#[test]
fn of_two_by_four_and_of_eight() {
    let ground = Ground::new();
    for weights in [ClassWeights::None, ClassWeights::Balanced, ClassWeights::Given(vec![1.0, 5.0, 0.2])] {
        let (loss, norm, gradient) = figures(&one_step(&ground, 8, 1, &weights));
        let largest = gradient.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        assert!(largest > 0.0);
        for (batch_size, accumulation) in [(2, 4), (1, 8), (3, 3)] {
            let (same_loss, same_norm, same) = figures(&one_step(&ground, batch_size, accumulation, &weights));
            if batch_size * accumulation != 8 {
                // Nine rows: this comparison can fail.
                assert!((same_loss / loss - 1.0).abs() > 1e-4);
                continue;
            }
            assert!((same_loss / loss - 1.0).abs() < 1e-14, "{weights}, {batch_size}: {same_loss}, expected {loss}");
            assert!((same_norm / norm - 1.0).abs() < 1e-5, "{weights}, {batch_size}: {same_norm}, expected {norm}");
            for (same, expected) in same.iter().zip(&gradient) {
                let difference = (same - expected).abs() / largest;
                assert!(difference < 1e-5, "{weights}, {batch_size}: {same}, expected {expected}");
            }
        }
    }
}

/// The weighted mean by hand: each row's loss times its class's weight, divided by the weights of all rows. The logits
/// are the same to the bit; their distance from the highest is rounded to single precision, 6e-8 of it, by one side only.
#[test]
fn class_weights_divide_by_the_weights_of_the_whole_step() {
    let ground = Ground::with_dropout(0.0);
    let weights = [1.0, 5.0, 0.25];
    let fresh = ground.classifier(1, &Ground::labels());
    let rows = ground.examples(0..26);
    let mut activations = encoder::Activations::for_inference(fresh.network());
    let logits = fresh.logits(&rows.encoded, 4096, &mut activations, |_| std::ops::ControlFlow::Continue(())).unwrap();
    let (mut sum, mut divisor) = (0.0, 0.0);
    // A step of all rows, so that their order does not matter.
    for (logits, &label) in logits.chunks_exact(3).zip(&rows.labels) {
        let powers: f64 = logits.iter().map(|&x| f64::from(x).exp()).sum();
        let weight = weights[label as usize];
        sum += weight * (powers.ln() - f64::from(logits[label as usize]));
        divisor += weight;
    }
    for (batch_size, accumulation) in [(26, 1), (4, 7)] {
        let done = one_step(&ground, batch_size, accumulation, &ClassWeights::Given(weights.to_vec()));
        let (loss, ..) = figures(&done);
        assert!((loss / (sum / divisor) - 1.0).abs() < 6e-8, "{loss}, expected {}", sum / divisor);
    }
}
