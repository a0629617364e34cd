//! Texts with one word changed are found among real ones, and next to nothing else is.

use super::data::{Row, train_and_test};
use crate::check::{Likeness, Role, check};
use crate::permutation::Permutation;
use crate::{ReadOptions, read_from};

/// The messages of the example in the program: 4 to 29 words, written one by one.
fn messages() -> Vec<String> {
    let bytes: &[u8] = include_bytes!("../../../../../examples/support-desk/train.csv");
    let rows = read_from("train.csv", bytes, &ReadOptions::default()).unwrap();
    rows.map(|row| row.unwrap().values.swap_remove(0)).collect()
}

/// Texts of `messages` messages each, in an order of their own.
fn long_texts(count: usize, messages_each: usize) -> Vec<String> {
    let messages = messages();
    let text = |number: usize| {
        let order = Permutation::new(messages.len(), 7, number as u64);
        (0..messages_each).map(|at| messages[order.get(at)].as_str()).collect::<Vec<_>>().join(" ")
    };
    (0..count).map(text).collect()
}

/// A text with one word replaced, left out or put in, at a place that `number` decides.
fn with_one_edit(text: &str, number: usize) -> String {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let at = Permutation::new(words.len(), 3, number as u64).get(0);
    match number % 3 {
        0 => words[at] = "umbrella",
        1 => drop(words.remove(at)),
        _ => words.insert(at, "umbrella"),
    }
    words.join(" ")
}

/// Which share of planted edits is found, and how many rows are held to be near that were not planted.
fn recall_and_false_alarms(texts: &[String]) -> (f64, usize) {
    let (train, others) = texts.split_at(texts.len() * 4 / 5);
    let planted: Vec<String> = train.iter().step_by(3).enumerate().map(|(at, text)| with_one_edit(text, at)).collect();
    let train: Vec<Row<'_>> = train.iter().map(|text| (text.as_str(), "x")).collect();
    let test: Vec<Row<'_>> = planted.iter().chain(others).map(|text| (text.as_str(), "x")).collect();
    let found = check(&train_and_test(&train, &test));
    let leaks = &found.leaks_of(Role::Test).unwrap().leaks;
    let is_planted = |at: usize| at < planted.len();
    let right = leaks.iter().filter(|leak| is_planted(leak.position) && leak.seen_at == 3 * leak.position).count();
    let wrong = leaks.iter().filter(|leak| !is_planted(leak.position) || leak.seen_at != 3 * leak.position).count();
    assert!(leaks.iter().all(|leak| leak.likeness >= Likeness::Normalised));
    (right as f64 / planted.len() as f64, wrong)
}

#[test]
fn one_word_edits_of_short_messages_are_found() {
    let (recall, wrong) = recall_and_false_alarms(&messages());
    // Missed are messages of four words, which are another message with another word.
    assert!(recall > 0.95, "{recall}");
    assert!(wrong <= 3, "{wrong}");
}

#[test]
fn one_word_edits_of_texts_of_any_length_are_found() {
    for messages_each in [2, 3, 5, 17, 70] {
        let (recall, wrong) = recall_and_false_alarms(&long_texts(600, messages_each));
        assert!(recall > 0.99, "{recall} of texts of {} words", 14 * messages_each);
        assert_eq!(wrong, 0, "texts of {} words", 14 * messages_each);
    }
}

#[test]
fn a_few_words_of_a_hundred_may_differ() {
    let texts = long_texts(300, 7);
    let edited = |text: &str, at: usize, edits: usize| {
        (0..edits).fold(text.to_owned(), |text, edit| with_one_edit(&text, 3 * (11 * at + edit)))
    };
    let train: Vec<Row<'_>> = texts.iter().map(|text| (text.as_str(), "x")).collect();
    for (edits, least, most) in [(3, 0.98, 1.0), (6, 0.9, 1.0), (20, 0.0, 0.0)] {
        let edited: Vec<String> = texts.iter().enumerate().map(|(at, text)| edited(text, at, edits)).collect();
        let test: Vec<Row<'_>> = edited.iter().map(|text| (text.as_str(), "x")).collect();
        let found = check(&train_and_test(&train, &test)).leaked(Role::Test).len() as f64 / texts.len() as f64;
        assert!((least..=most).contains(&found), "{found} of texts with {edits} words of about 98 replaced");
    }
}
