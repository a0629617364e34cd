//! Look-ups, dropout and the loss.

use kernels::{Backend, Dropout, Layout, Loss, Use};

use super::{On, Outcome, PLACES, Place};
use crate::numbers::{Numbers, ids_of, rows_of};

const VOCABULARY: u32 = 11;

/// The three embeddings in rows of `width`. Gradients come in f32, with id 0 as the padding, and as operands, without
/// padding or types.
pub(crate) fn embed<B: Backend>(on: &On<'_, B>, batches: &[Layout], width: usize) -> Outcome {
    let backend = on.backend;
    let mut numbers = Numbers::new(3);
    let mut table = |rows: usize| backend.weight(Use::Table, rows, width, numbers.take(rows * width));
    let longest = batches.iter().map(Layout::longest).max().unwrap_or(0);
    // The values of the tables must not depend on the batch: a longer one goes on where a shorter one ends.
    let (mut words, mut types, mut positions) = (table(VOCABULARY as usize), table(2), table(longest));
    let [mut other_words, mut other_positions] = [&words, &positions].map(|table| {
        let (rows, cols) = backend.shape(table);
        backend.weight(Use::Table, rows, cols, vec![0.0; rows * cols])
    });
    let mut outcome = Outcome::default();
    for layout in batches {
        let ids = ids_of(layout, VOCABULARY);
        for place in PLACES {
            let mut out = on.empty(place, layout.rows() * width);
            backend.embed(&ids, layout, &words, &positions, Some(&types), &mut out);
            outcome.add_rows(backend, "out", place, &out);
        }
        let mut without_types = backend.zeros(layout.rows() * width);
        backend.embed(&ids, layout, &words, &positions, None, &mut without_types);
        outcome.add_rows(backend, "out without types", Place::Single, &without_types);
        let [d, other] = [(Place::Single, 1), (Place::Operand, 2)]
            .map(|(place, salt)| on.buffer(place, &rows_of(layout, width, salt)));
        backend.embed_backward(&d, &ids, layout, &mut words, &mut positions, Some(&mut types), Some(0));
        backend.embed_backward(&other, &ids, layout, &mut other_words, &mut other_positions, None, None);
    }
    let tables = [("words", &words), ("positions", &positions), ("types", &types)];
    let others = [("words of operands", &other_words), ("positions of operands", &other_positions)];
    for (name, table) in tables.into_iter().chain(others) {
        outcome.add_gradient(backend, &format!("gradient of {name}"), table);
        outcome.add_double(&format!("squared norm of {name}"), backend.squared_gradient_norm(table));
    }
    outcome
}

/// Dropout of rows of `width`.
pub(crate) fn dropout<B: Backend>(on: &On<'_, B>, batches: &[Layout], width: usize, dropout: &Dropout) -> Outcome {
    let mut outcome = Outcome::default();
    for layout in batches {
        for place in PLACES {
            let mut x = on.buffer(place, &rows_of(layout, width, 1));
            on.backend.dropout(&mut x, width, layout, dropout);
            outcome.add_rows(on.backend, "x", place, &x);
        }
    }
    outcome
}

/// The first row of each text, and back.
pub(crate) fn first_rows<B: Backend>(on: &On<'_, B>, layout: &Layout, width: usize) -> Outcome {
    let backend = on.backend;
    let mut outcome = Outcome::default();
    for place in PLACES {
        let x = on.buffer(place, &rows_of(layout, width, 1));
        let mut first = on.empty(place, layout.texts() * width);
        backend.first_rows(&x, width, layout, &mut first);
        // What stood in the gradient before must not shine through.
        let mut d_x = on.buffer(place, &rows_of(layout, width, 2));
        backend.first_rows_backward(&first, width, layout, &mut d_x);
        outcome.add_texts(backend, "first", place, &first);
        outcome.add_rows(backend, "d_x", place, &d_x);
    }
    outcome
}

/// Cross-entropy of each text with class weights and smoothing over a fixed normaliser: gradients in either place, and
/// the sum of its terms over all batches.
pub(crate) fn cross_entropy<B: Backend>(on: &On<'_, B>, batches: &[Layout]) -> Outcome {
    let backend = on.backend;
    let loss = Loss { class_weights: vec![1.0, 2.0, 0.5], label_smoothing: 0.1, normalizer: 7.0 };
    let (mut sums, mut outcome) = ([0.0; 2], Outcome::default());
    for layout in batches {
        let layout = Layout::one_row_each(layout.examples());
        let logits = on.buffer(Place::Single, &rows_of(&layout, 3, 1));
        for (place, sum) in PLACES.into_iter().zip(&mut sums) {
            let mut d_logits = on.empty(place, layout.rows() * 3);
            backend.cross_entropy(&logits, 3, &ids_of(&layout, 3), &loss, &mut d_logits, sum);
            outcome.add_texts(backend, "d_logits", place, &d_logits);
        }
    }
    assert_eq!(sums[0].to_bits(), sums[1].to_bits(), "the loss depends on where its gradient goes");
    outcome.add_double("sum of terms", sums[0]);
    outcome.add_double("loss", loss.of_sum(sums[0]));
    outcome
}
