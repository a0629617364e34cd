//! What a fit to other texts says of each text.

use baseline::{Settings, fit};

use crate::golden::example;

fn highest(row: &[f32]) -> u32 {
    let best = (0..).zip(row).reduce(|best, other| if other.1 > best.1 { other } else { best });
    best.unwrap().0
}

#[test]
fn a_label_says_nothing_of_its_own_row() {
    let (texts, mut labels) = example("train.csv");
    let before = fit(&texts, &labels, 5, &Settings::default()).unwrap();
    let (held_out, known) = (before.held_out_logits().unwrap(), before.logits(&texts));
    assert_eq!(held_out.len(), 5 * texts.len());
    for row in [0, 7, 100] {
        let right = labels[row];
        labels[row] = (right + 1) % 5;
        let after = fit(&texts, &labels, 5, &Settings::default()).unwrap();
        assert_eq!(after.c(), before.c(), "one label of hundreds");
        let of = |logits: &[f32]| logits[row * 5..(row + 1) * 5].to_vec();
        assert_eq!(of(&after.held_out_logits().unwrap()), of(&held_out));
        assert_ne!(of(&after.logits(&texts)), of(&known), "the fit to all rows has learnt it");
        labels[row] = right;
    }
    let right =
        |logits: &[f32]| logits.chunks_exact(5).zip(&labels).filter(|(row, label)| highest(row) == **label).count();
    let (honest, learnt) = (right(&held_out), right(&known));
    println!("{honest} of {} right held out, {learnt} learnt", texts.len());
    assert!(honest < learnt && honest * 2 > texts.len(), "of five classes");
}

#[test]
fn equal_texts_are_left_out_together() {
    let texts: Vec<String> = (0..60).map(|row| format!("word{} and some others", row % 30)).collect();
    let labels: Vec<u32> = (0..60).map(|row| u32::from(row % 7 == 0)).collect();
    let held_out = fit(&texts, &labels, 2, &Settings::default()).unwrap().held_out_logits().unwrap();
    assert_eq!(held_out[..60], held_out[60..]);
}

#[test]
fn without_others_there_is_none() {
    let one = ["always the same".to_owned(), "always the same".to_owned()];
    assert_eq!(fit(&one, &[0, 1], 2, &Settings::default()).unwrap().held_out_logits(), None);
    let (texts, labels) = example("train.csv");
    let given = Settings { c: Some(1.0), ..Settings::default() };
    assert_eq!(fit(&texts, &labels, 5, &given).unwrap().held_out_logits(), None, "nothing was left out for a given C");
    // A class of its own, which a fit without it has never seen.
    let (texts, labels): (Vec<String>, Vec<u32>) = (0..20).map(|row| (format!("text {row}"), row / 19 * 2)).unzip();
    let logits = fit(&texts, &labels, 3, &Settings::default()).unwrap().held_out_logits().unwrap();
    assert!(logits.len() == 60 && logits.iter().all(|logit| logit.is_finite()), "{logits:?}");
}
