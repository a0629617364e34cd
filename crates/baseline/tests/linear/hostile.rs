//! Rows that teach little or nothing.

use baseline::{Error, Settings, fit};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

const PLAIN: Settings = Settings { c: Some(1.0), sublinear: true };

#[test]
fn without_a_word_the_model_goes_by_how_frequent_the_classes_are() {
    for settings in [PLAIN, Settings::default()] {
        let model = fit(&texts(&["", "!", " \n", "a"]), &[1, 1, 1, 0], 2, &settings).unwrap();
        assert_eq!(model.n_features(), 0);
        let logits = model.logits(&texts(&["anything", ""]));
        for row in logits.chunks_exact(2) {
            assert!((f64::from(row[1] - row[0]) - 3f64.ln()).abs() < 1e-3, "{logits:?}");
        }
    }
}

#[test]
fn a_class_without_a_row_never_wins() {
    let rows = texts(&["good film", "good fun", "bad film", "bad bore"]);
    for settings in [PLAIN, Settings::default()] {
        let model = fit(&rows, &[3, 3, 1, 1], 5, &settings).unwrap();
        let logits = model.logits(&texts(&["good", "bad", "", "zebra"]));
        assert!(logits.iter().all(|logit| logit.is_finite()));
        for (row, expected) in logits.chunks_exact(5).zip([3, 1]) {
            assert!((0..5).all(|class| class == expected || row[class] < row[expected]), "{row:?}");
            assert!([0, 2, 4].iter().all(|&class| row[class] < row[1] - 29.0 && row[class] < row[3] - 29.0), "{row:?}");
        }
    }
}

#[test]
fn a_single_class_is_always_the_answer() {
    let model = fit(&texts(&["a word", "another word"]), &[1, 1], 3, &Settings::default()).unwrap();
    let logits = model.logits(&texts(&["a word", ""]));
    assert!(logits.chunks_exact(3).all(|row| row[1] > row[0] && row[1] > row[2]), "{logits:?}");
    let alone = fit(&texts(&["a word"]), &[0], 1, &Settings::default()).unwrap();
    assert_eq!(alone.logits(&texts(&["another"])).len(), 1);
}

#[test]
fn long_texts_and_one_word_a_million_times_are_read() {
    let long: String = (0..200_000).map(|word| format!("w{} ", word % 40_000)).collect();
    let same = "again ".repeat(200_000);
    let no_end = "x".repeat(1 << 20);
    let rows = vec![long, same, no_end, "short".to_owned()];
    assert!(rows[..3].iter().all(|text| text.len() >= 1 << 20));
    let model = fit(&rows, &[0, 1, 0, 1], 2, &Settings::default()).unwrap();
    let logits = model.logits(&rows);
    for (row, label) in logits.chunks_exact(2).zip([0, 1, 0, 1]) {
        assert!(row[label] > row[1 - label], "{logits:?}");
    }
}

#[test]
fn contradictions_come_out_even() {
    let model = fit(&texts(&["same text"; 6]), &[0, 1, 0, 1, 0, 1], 2, &PLAIN).unwrap();
    let logits = model.logits(&texts(&["same text"]));
    assert!((logits[0] - logits[1]).abs() < 1e-3, "{logits:?}");
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let rows = texts(&["one", "two"]);
    assert_eq!(fit(&[], &[], 2, &PLAIN).unwrap_err(), Error::Empty { texts: 0, classes: 2 });
    assert_eq!(fit(&rows, &[0, 0], 0, &PLAIN).unwrap_err(), Error::Empty { texts: 2, classes: 0 });
    assert_eq!(fit(&rows, &[0], 2, &PLAIN).unwrap_err(), Error::LabelCount { texts: 2, labels: 1 });
    let out = fit(&rows, &[0, 2], 2, &PLAIN).unwrap_err();
    assert_eq!(out, Error::LabelOutOfRange { row: 2, label: 2, classes: 2 });
    for c in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        assert!(
            fit(&rows, &[0, 1], 2, &Settings { c: Some(c), ..PLAIN }).unwrap_err().to_string().contains("C above 0")
        );
    }
}
