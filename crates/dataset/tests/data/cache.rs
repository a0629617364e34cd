//! The file of token ids: believed only when every byte of it is right.

use std::fs;

use dataset::{CacheOutcome, Encoded, Tokenizer, encode, encode_cached, train_wordpiece};

const TEXTS: [&str; 4] = ["the cat sat on the mat", "", "the cat", "a mat that sat on a cat that sat on a mat"];

fn tokenizer() -> Tokenizer {
    train_wordpiece(&TEXTS, 60, true).unwrap()
}

fn same(a: &Encoded, b: &Encoded) -> bool {
    let figures =
        |e: &Encoded| [e.len(), e.total_tokens(), e.longest(), e.truncated(), e.full_tokens(), e.full_longest()];
    figures(a) == figures(b) && (0..a.len()).all(|at| a.input_ids(at) == b.input_ids(at))
}

#[test]
fn figures_are_counted() {
    let encoded = encode(&tokenizer(), &TEXTS, 6).unwrap();
    assert_eq!(encoded.len(), 4);
    assert!(encoded.lengths().eq((0..4).map(|at| encoded.input_ids(at).len())));
    assert_eq!((encoded.length(1), encoded.longest(), encoded.truncated()), (2, 6, 2));
    assert_eq!(encoded.total_tokens(), encoded.lengths().sum::<usize>());
    assert!(encoded.full_longest() >= 13 && encoded.full_tokens() > encoded.total_tokens());
    assert_eq!(encoded.mean_tokens(), encoded.total_tokens() as f64 / 4.0);
    assert!(encode(&tokenizer(), &TEXTS[..0], 6).unwrap().is_empty());
}

#[test]
fn it_is_written_once_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("made/when/needed");
    let tokenizer = tokenizer();
    let (first, outcome) = encode_cached(&tokenizer, &TEXTS, 8, &place).unwrap();
    let CacheOutcome::Written(file) = outcome else { panic!("{outcome:?}") };
    let (second, outcome) = encode_cached(&tokenizer, &TEXTS, 8, &place).unwrap();
    assert_eq!(outcome, CacheOutcome::Reused(file));
    let memory = encode(&tokenizer, &TEXTS, 8).unwrap();
    assert!(same(&first, &memory) && same(&second, &memory));
}

#[test]
fn it_depends_on_texts_length_and_tokenizer() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer();
    let other = train_wordpiece(&TEXTS[..1], 60, true).unwrap();
    let written = |tokenizer: &Tokenizer, texts: &[&str], length| {
        matches!(encode_cached(tokenizer, texts, length, folder.path()).unwrap().1, CacheOutcome::Written(_))
    };
    assert!(written(&tokenizer, &TEXTS, 8));
    assert!(written(&tokenizer, &TEXTS, 9));
    assert!(written(&other, &TEXTS, 8));
    assert!(written(&tokenizer, &TEXTS[1..], 8));
    // The same characters, parted elsewhere.
    assert!(written(&tokenizer, &["ab", "c"], 8) && written(&tokenizer, &["a", "bc"], 8));
    assert!(!written(&tokenizer, &TEXTS, 8));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 6, "nothing else is left behind");
}

#[test]
fn any_damage_is_noticed_and_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer();
    let memory = encode(&tokenizer, &TEXTS, 8).unwrap();
    let (_, outcome) = encode_cached(&tokenizer, &TEXTS, 8, folder.path()).unwrap();
    let CacheOutcome::Written(file) = outcome else { panic!("{outcome:?}") };
    let good = fs::read(&file).unwrap();
    let mut damages: Vec<Vec<u8>> = (0..good.len())
        .map(|at| {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            bytes
        })
        .collect();
    damages.extend([0, 1, 20, good.len() / 2, good.len() - 1].map(|len| good[..len].to_vec()));
    damages.push([&good[..], b"more"].concat());
    for damage in damages {
        fs::write(&file, &damage).unwrap();
        let (encoded, outcome) = encode_cached(&tokenizer, &TEXTS, 8, folder.path()).unwrap();
        assert!(matches!(outcome, CacheOutcome::Rebuilt { .. }), "{outcome:?}");
        assert!(same(&encoded, &memory));
        assert!(fs::read(&file).unwrap() == good);
    }
}

#[test]
fn a_folder_that_cannot_be_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    fs::write(&file, "").unwrap();
    let (encoded, outcome) = encode_cached(&tokenizer(), &TEXTS, 8, &file.join("below")).unwrap();
    assert!(matches!(outcome, CacheOutcome::InMemory { .. }), "{outcome:?}");
    assert_eq!(encoded.len(), 4);
}
