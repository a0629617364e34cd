//! Texts in, probabilities out.

use classifier::{Error, softmax};
use encoder::Activations;
use kernels::Part;

use crate::ground::{TEXTS, answers, start, write_encoder};

#[test]
fn many_at_once_are_one_by_one_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    write_encoder(folder.path());
    let (classifier, _) = start(folder.path(), None).unwrap();
    let alone: Vec<_> = TEXTS.iter().flat_map(|text| answers(&classifier, &[text])).collect();
    assert_eq!(answers(&classifier, &TEXTS), alone);
    assert_eq!(alone[1], alone[7], "the same text, the same answer");
    assert!(alone[0] != alone[1] && alone[0] != alone[2], "texts must differ to mean anything");
    let mut backwards = TEXTS;
    backwards.reverse();
    assert_eq!(answers(&classifier, &backwards).into_iter().rev().collect::<Vec<_>>(), alone);
    // More than one batch of tokens.
    let many: Vec<&str> = TEXTS.iter().copied().cycle().take(1200).collect();
    for (text, answer) in answers(&classifier, &many).iter().enumerate() {
        assert_eq!(answer, &alone[text % TEXTS.len()], "text {text}");
    }
    assert_eq!(answers(&classifier, &[]), []);
}

/// What is beyond the length is not seen; what is within it is.
#[test]
fn long_texts_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    write_encoder(folder.path());
    let (classifier, _) = start(folder.path(), Some(8)).unwrap();
    let long = "the film was a joy and a story that is told well".to_owned();
    let longer = format!("{long} dull dull dull");
    let texts = [long.as_str(), &longer, "dull dull", "dull dull dull"];
    let [whole, cut, two, three] = answers(&classifier, &texts).try_into().unwrap();
    assert_eq!(whole, cut);
    assert_ne!(two, three);
}

#[test]
fn scores_are_probabilities_and_the_label_has_the_highest() {
    let folder = tempfile::tempdir().unwrap();
    write_encoder(folder.path());
    let (classifier, _) = start(folder.path(), None).unwrap();
    let mut activations = Activations::for_inference(classifier.network());
    for prediction in classifier.predict(&TEXTS, &mut activations).unwrap() {
        let sum: f32 = prediction.scores.iter().sum();
        assert!((sum - 1.0).abs() < 1e-6, "three roundings of at most 6e-8: {sum}");
        let best = prediction.scores[prediction.label as usize];
        assert!(prediction.scores.iter().all(|score| (0.0..=best).contains(score)));
    }
    assert_eq!(softmax(&[1000.0, 1000.0]), [0.5, 0.5]);
    assert_eq!(softmax(&[-1000.0, 1000.0]), [0.0, 1.0]);
    let third = softmax(&[2.0_f32.ln(), 0.0]);
    // A logarithm in single precision.
    assert!((third[0] - 2.0 / 3.0).abs() < 1e-7 && (third[1] - 1.0 / 3.0).abs() < 1e-7, "{third:?}");
}

#[test]
fn damaged_weights_are_said_with_the_text() {
    let folder = tempfile::tempdir().unwrap();
    write_encoder(folder.path());
    let (mut classifier, _) = start(folder.path(), None).unwrap();
    let dull = classifier.tokenizer().encode("dull", 8).unwrap().ids[1] as usize;
    let (backend, mut weights) = classifier.network_mut().weights_mut();
    let (words, weight) = weights.next().unwrap();
    assert!(words.names[0].ends_with("word_embeddings.weight"));
    let mut values = kernels::Backend::part(backend, weight, Part::Value).into_owned();
    values[dull * words.cols..][..words.cols].fill(f32::NAN);
    kernels::Backend::set_part(backend, weight, Part::Value, &values);
    drop(weights);
    let mut activations = Activations::for_inference(classifier.network());
    let error = classifier.predict(&["a story", "the film", "dull"], &mut activations).unwrap_err();
    assert!(matches!(error, Error::NotFinite { row: 3 }), "{error}");
    // The buffers that saw it are no worse for it.
    assert!(classifier.predict(&["a story", "the film"], &mut activations).is_ok());
}
