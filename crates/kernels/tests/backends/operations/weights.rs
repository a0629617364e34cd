//! The optimiser's step.

use kernels::{AdamW, Backend, Part, Use};

use super::{On, Outcome};
use crate::numbers::Numbers;

/// Five steps of AdamW on a matrix, a vector and a table, with the gradients' norms.
pub(crate) fn adamw<B: Backend>(on: &On<'_, B>, (rows, cols): (usize, usize)) -> Outcome {
    let backend = on.backend;
    let mut outcome = Outcome::default();
    for usage in [Use::Matrix, Use::Vector, Use::Table] {
        let mut numbers = Numbers::new(5);
        let (rows, cols) = if usage == Use::Vector { (1, rows * cols) } else { (rows, cols) };
        let mut weight = backend.weight(usage, rows, cols, numbers.take(rows * cols));
        for step in 1..=5 {
            backend.set_part(&mut weight, Part::Gradient, &numbers.take(rows * cols));
            outcome.add_double(&format!("{usage:?} squared norm {step}"), backend.squared_gradient_norm(&weight));
            let step = AdamW {
                learning_rate: 1e-2,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.1,
                step,
                gradient_scale: 0.5,
            };
            backend.adamw(&mut weight, &step);
            assert!(backend.part(&weight, Part::Gradient).iter().all(|&g| g == 0.0), "a step clears the gradient");
            assert_eq!(backend.squared_gradient_norm(&weight), 0.0);
        }
        for part in [Part::Value, Part::FirstMoment, Part::SecondMoment] {
            outcome.add_part(backend, &format!("{usage:?} {part:?}"), &weight, part);
        }
    }
    outcome
}
