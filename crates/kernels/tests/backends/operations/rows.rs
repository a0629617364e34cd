//! Look-ups, dropout, the loss and the optimiser's step.

use kernels::{AdamW, Backend, Dropout, Layout, Loss, Part, Use};

use super::{Outcome, buffer, read};
use crate::numbers::{Numbers, ids_of, rows_of};

const VOCABULARY: u32 = 11;

/// The three embeddings in rows of `width`; id 0 is the padding.
pub(crate) fn embed<B: Backend>(backend: &B, batches: &[Layout], width: usize) -> Outcome {
    let mut numbers = Numbers::new(3);
    let mut table = |rows: usize| backend.weight(Use::Table, rows, width, numbers.take(rows * width));
    let longest = batches.iter().map(Layout::longest).max().unwrap_or(0);
    // The values of the tables must not depend on the batch: a longer one goes on where a shorter one ends.
    let (mut words, mut types, mut positions) = (table(VOCABULARY as usize), table(2), table(longest));
    let mut outcome = Outcome::default();
    for layout in batches {
        let ids = ids_of(layout, VOCABULARY);
        let mut out = backend.zeros(layout.rows() * width);
        backend.embed(&ids, layout, &words, &positions, Some(&types), &mut out);
        outcome.add_rows(backend, "out", &out);
        let d = buffer(backend, &rows_of(layout, width, 1));
        backend.embed_backward(&d, &ids, layout, &mut words, &mut positions, Some(&mut types), Some(0));
    }
    for (name, table) in [("d_words", &words), ("d_positions", &positions), ("d_types", &types)] {
        outcome.add_gradient(backend, name, table);
    }
    outcome
}

/// Dropout of rows of `width`.
pub(crate) fn dropout<B: Backend>(backend: &B, batches: &[Layout], width: usize, dropout: &Dropout) -> Outcome {
    let mut outcome = Outcome::default();
    for layout in batches {
        let mut x = buffer(backend, &rows_of(layout, width, 1));
        backend.dropout(&mut x, width, layout, dropout);
        outcome.add_rows(backend, "x", &x);
    }
    outcome
}

/// The first row of each text, and back.
pub(crate) fn first_rows<B: Backend>(backend: &B, layout: &Layout, width: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let x = buffer(backend, &rows_of(layout, width, 1));
    let mut first = backend.zeros(layout.texts() * width);
    backend.first_rows(&x, width, layout, &mut first);
    // What stood in the gradient before must not shine through.
    let mut d_x = buffer(backend, &rows_of(layout, width, 2));
    backend.first_rows_backward(&first, width, layout, &mut d_x);
    outcome.whole.push(("first", read(backend, &first)));
    outcome.add_rows(backend, "d_x", &d_x);
    outcome
}

/// Cross-entropy with class weights and smoothing on the first row of each text, over a fixed normaliser.
pub(crate) fn cross_entropy<B: Backend>(backend: &B, layout: &Layout) -> Outcome {
    let layout = Layout::one_row_each(layout.examples());
    let logits = buffer(backend, &rows_of(&layout, 3, 1));
    let mut d_logits = backend.zeros(layout.rows() * 3);
    let loss = Loss { class_weights: vec![1.0, 2.0, 0.5], label_smoothing: 0.1, normalizer: 7.0 };
    let value = backend.cross_entropy(&logits, 3, &ids_of(&layout, 3), &loss, &mut d_logits);
    let mut outcome = Outcome::default();
    outcome.add_rows(backend, "d_logits", &d_logits);
    outcome.whole.push(("loss", vec![value as f32]));
    outcome
}

/// Five steps of AdamW on a matrix, with the gradients' norms and a product after them, which shows that packed copies
/// follow the values.
pub(crate) fn adamw<B: Backend>(backend: &B, (rows, cols): (usize, usize)) -> Outcome {
    let mut numbers = Numbers::new(5);
    let mut weight = backend.weight(Use::Matrix, rows, cols, numbers.take(rows * cols));
    let mut norms = Vec::new();
    for step in 1..=5 {
        backend.set_part(&mut weight, Part::Gradient, &numbers.take(rows * cols));
        norms.push(backend.squared_gradient_norm(&weight) as f32);
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
    }
    let part = |part| backend.part(&weight, part).into_owned();
    assert!(part(Part::Gradient).iter().all(|&g| g == 0.0), "a step clears the gradient");
    let x = buffer(backend, &numbers.take(cols));
    let bias = backend.weight(Use::Vector, 1, rows, vec![0.0; rows]);
    let mut out = backend.zeros(rows);
    backend.linear(&x, 1, &weight, &bias, None, None, &mut out);
    let parts = [Part::Value, Part::FirstMoment, Part::SecondMoment].map(part);
    let names = ["value", "first_moment", "second_moment"];
    let mut outcome = Outcome { rows: Vec::new(), whole: names.into_iter().zip(parts).collect() };
    outcome.whole.extend([("squared_norms", norms), ("product", read(backend, &out))]);
    outcome
}
