//! Look-ups, dropout, first rows and the loss.

use kernels::{Backend, Dropout, Loss, Reference, Site, Use};

use super::{assert_gradient, functional, gradient, numbers, weight};
use crate::numbers::{ids_of, numbered, pack};

#[test]
fn embed() {
    const WIDTH: usize = 3;
    const PADDING: u32 = 2;
    let layout = pack(&numbered(&[2, 5, 4]));
    let ids = ids_of(&layout, 5);
    assert!(ids.contains(&PADDING), "the padding's row must be among those looked up");
    let (w, p, t) = (numbers(1, 5 * WIDTH), numbers(2, 6 * WIDTH), numbers(3, 2 * WIDTH));
    let c = numbers(4, layout.rows() * WIDTH);
    let [mut words, mut positions, mut types] = [&w, &p, &t].map(|values| weight(Use::Table, WIDTH, values));
    let loss = |w: &[f32], p: &[f32], t: Option<&[f32]>| {
        let [words, positions] = [w, p].map(|values| weight(Use::Table, WIDTH, values));
        let types = t.map(|t| weight(Use::Table, WIDTH, t));
        let mut out = vec![0.0; c.len()];
        Reference.embed(&ids, &layout, &words, &positions, types.as_ref(), &mut out);
        functional(&c, &out)
    };
    let tables = (&mut words, &mut positions, Some(&mut types));
    Reference.embed_backward(&c, &ids, &layout, tables.0, tables.1, tables.2, None);
    assert_gradient("embed d_words", &gradient(&words), &w, |w| loss(w, &p, Some(&t)));
    assert_gradient("embed d_positions", &gradient(&positions), &p, |p| loss(&w, p, Some(&t)));
    assert_gradient("embed d_types", &gradient(&types), &t, |t| loss(&w, &p, Some(t)));

    // Without types, and with a padding whose row takes no gradient.
    let [mut words, mut positions] = [&w, &p].map(|values| weight(Use::Table, WIDTH, values));
    Reference.embed_backward(&c, &ids, &layout, &mut words, &mut positions, None, Some(PADDING));
    let without_padding = |moved: &[f32]| {
        let mut moved = moved.to_vec();
        let row = PADDING as usize * WIDTH..(PADDING as usize + 1) * WIDTH;
        moved[row.clone()].copy_from_slice(&w[row]);
        loss(&moved, &p, None)
    };
    assert_gradient("embed d_words but for the padding", &gradient(&words), &w, without_padding);
    assert_gradient("embed d_positions without types", &gradient(&positions), &p, |p| loss(&w, p, None));
}

#[test]
fn dropout_and_first_rows() {
    const WIDTH: usize = 6;
    let layout = pack(&numbered(&[2, 1, 3]));
    let (x, c) = (numbers(1, layout.rows() * WIDTH), numbers(2, layout.rows() * WIDTH));
    let dropout = Dropout::new(0.4, 1, 2, 0, Site::Embeddings).unwrap();
    let dropped = |x: &[f32]| {
        let mut x = x.to_vec();
        Reference.dropout(&mut x, WIDTH, &layout, &dropout);
        x
    };
    assert!(dropped(&x).contains(&0.0), "something must be dropped");
    assert_gradient("dropout", &dropped(&c), &x, |x| functional(&c, &dropped(x)));

    let c = &c[..layout.texts() * WIDTH];
    let first = |x: &[f32]| {
        let mut out = vec![0.0; c.len()];
        Reference.first_rows(&x.to_vec(), WIDTH, &layout, &mut out);
        functional(c, &out)
    };
    let mut d_x = vec![f32::NAN; x.len()];
    Reference.first_rows_backward(&c.to_vec(), WIDTH, &layout, &mut d_x);
    assert_gradient("first rows", &d_x, &x, first);
}

#[test]
fn cross_entropy() {
    let labels = [0, 2, 1, 1, 2];
    let logits: Vec<f32> = numbers(1, labels.len() * 3).iter().map(|x| x * 4.0).collect();
    for class_weights in [&[][..], &[1.0, 2.0, 0.5]] {
        for smoothing in [0.0, 0.1] {
            let loss = Loss::mean_over(&labels, class_weights, smoothing);
            let value = |logits: &[f32], d: &mut Vec<f32>| {
                let mut sum = 0.0;
                Reference.cross_entropy(&logits.to_vec(), 3, &labels, &loss, d, &mut sum);
                loss.of_sum(sum)
            };
            let mut d_logits = vec![f32::NAN; logits.len()];
            value(&logits, &mut d_logits);
            let what = format!("cross-entropy, class weights {class_weights:?}, smoothing {smoothing}");
            assert_gradient(&what, &d_logits, &logits, |x| value(x, &mut vec![0.0; x.len()]));
        }
    }
}
