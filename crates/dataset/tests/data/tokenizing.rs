//! Tokenisers loaded, built and learnt.

use std::fs;

use dataset::{Error, Tokenizer, train_wordpiece};
use proptest::prelude::*;

const VOCABULARY: [&str; 14] =
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "movie", "was", "good", "##ly", ",", "é", "e", "The"];

fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("vocab.txt"), VOCABULARY.join("\n") + "\n").unwrap();
    if !config.is_empty() {
        fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
    }
    folder
}

fn tokens(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    tokenizer.pieces(text).unwrap().into_iter().map(|piece| piece.token).collect()
}

#[test]
fn an_older_checkpoint_has_only_a_vocabulary() {
    let tokenizer = Tokenizer::from_folder(folder("").path()).unwrap();
    assert_eq!(tokens(&tokenizer, "The movie, GOODly é"), ["[CLS]", "the", "movie", ",", "good", "##ly", "e", "[SEP]"]);
    assert_eq!(tokenizer.encode("The zebra", 512).unwrap().ids, [2, 5, 1, 3]);
    assert_eq!(tokenizer.vocab_size(), VOCABULARY.len());
    assert_eq!(tokenizer.model_max_length(), None);
}

#[test]
fn its_settings_are_followed() {
    let cased = folder(r#"{"do_lower_case": false, "model_max_length": 512, "cls_token": {"content": "[CLS]"}}"#);
    let tokenizer = Tokenizer::from_folder(cased.path()).unwrap();
    assert_eq!(tokens(&tokenizer, "The the é"), ["[CLS]", "The", "the", "é", "[SEP]"]);
    assert_eq!(tokenizer.model_max_length(), Some(512));
    let endless = folder(r#"{"model_max_length": 1000000000000000019884624838656}"#);
    assert_eq!(Tokenizer::from_folder(endless.path()).unwrap().model_max_length(), None);
}

#[test]
fn texts_are_cut_on_the_right_and_keep_their_special_tokens() {
    let tokenizer = Tokenizer::from_folder(folder("").path()).unwrap();
    let text = "the movie was good, the movie was good";
    let whole = tokenizer.encode(text, 11).unwrap();
    assert_eq!((whole.ids.len(), whole.full_len), (11, 11));
    let cut = tokenizer.encode(text, 5).unwrap();
    assert_eq!((cut.ids, cut.full_len), (vec![2, 5, 6, 7, 3], 11));
    assert_eq!(tokenizer.encode("", 5).unwrap().ids, [2, 3]);
    assert!(matches!(tokenizer.encode(text, 2), Err(Error::TooShort { special: 2, .. })));
}

#[test]
fn pieces_say_where_they_are() {
    let tokenizer = Tokenizer::from_folder(folder("").path()).unwrap();
    let text = "Thé movie";
    let pieces = tokenizer.pieces(text).unwrap();
    assert!(pieces[0].special && pieces[0].bytes.is_empty());
    assert_eq!(&text[pieces[1].bytes.clone()], "Thé");
    assert_eq!(&text[pieces[2].bytes.clone()], "movie");
}

#[test]
fn padding_and_truncation_of_the_file_are_ignored() {
    let source = folder("");
    let plain = Tokenizer::from_folder(source.path()).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(plain.json()).unwrap();
    json["truncation"] =
        serde_json::json!({"max_length": 4, "strategy": "LongestFirst", "stride": 0, "direction": "Right"});
    json["padding"] = serde_json::json!({"strategy": {"Fixed": 32}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"});
    fs::write(source.path().join("tokenizer.json"), json.to_string()).unwrap();
    let loaded = Tokenizer::from_folder(source.path()).unwrap();
    assert_eq!(loaded.encode("the movie was good", 512).unwrap().ids, [2, 5, 6, 7, 8, 3]);
    assert_eq!(loaded.json(), plain.json());
}

#[test]
fn what_is_saved_is_loaded() {
    let tokenizer = Tokenizer::from_folder(folder(r#"{"do_lower_case": true, "extra": [1]}"#).path()).unwrap();
    let target = tempfile::tempdir().unwrap();
    tokenizer.save(target.path(), 64).unwrap();
    let again = Tokenizer::from_folder(target.path()).unwrap();
    assert_eq!(again.json(), tokenizer.json());
    assert_eq!(again.model_max_length(), Some(64));
    let config = fs::read_to_string(target.path().join("tokenizer_config.json")).unwrap();
    assert!(config.contains("\"extra\""), "settings we do not know are kept");
    assert!(matches!(tokenizer.save(&target.path().join("absent"), 64), Err(Error::Write { .. })));
}

#[test]
fn unusable_folders_are_named() {
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(Tokenizer::from_folder(empty.path()), Err(Error::NoTokenizer { .. })));
    let failure = |folder: &tempfile::TempDir| Tokenizer::from_folder(folder.path()).map(drop).unwrap_err().to_string();
    fs::write(empty.path().join("tokenizer.json"), "{\"version\": ").unwrap();
    assert!(failure(&empty).contains("tokenizer.json: "));
    let other = folder(r#"{"tokenizer_class": "RobertaTokenizer"}"#);
    assert!(failure(&other).contains("expected a BertTokenizer, found RobertaTokenizer"));
    assert!(failure(&folder("[1]")).contains("tokenizer_config.json: "));
    let bare = folder("");
    fs::write(bare.path().join("vocab.txt"), "the\nmovie\n").unwrap();
    assert!(failure(&bare).contains("lacks the special token [PAD]"));
}

const TEXTS: [&str; 6] = [
    "The printer prints nothing, the printer printed yesterday.",
    "I was charged twice; please refund the second charge!",
    "Printing charges: charged for prints that never printed.",
    "Résumé für Zürich 東京",
    "",
    "refunds are refunded to the refunding card",
];

#[test]
fn a_vocabulary_is_learnt_the_same_way_every_time() {
    let learn = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train_wordpiece(&TEXTS, 80, true)).unwrap()
    };
    let first = learn(1);
    for threads in [1, 2, 5] {
        assert_eq!(learn(threads).json(), first.json());
    }
    assert_eq!(
        blake3::hash(first.json().as_bytes()).to_hex()[..16],
        *"77391c11c896b1c0",
        "other bytes make other models"
    );
}

#[test]
fn learnt_vocabularies_hold_what_is_frequent() {
    let tokenizer = train_wordpiece(&TEXTS, 80, true).unwrap();
    assert_eq!(tokenizer.vocab_size(), 80);
    for (id, token) in ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].iter().enumerate() {
        assert_eq!(tokenizer.token_to_id(token), Some(id as u32));
    }
    assert!(tokenizer.token_to_id("the").is_some() && tokenizer.token_to_id("refund").is_some());
    assert_eq!(tokens(&tokenizer, "The refund"), ["[CLS]", "the", "refund", "[SEP]"]);
    assert!(!tokens(&tokenizer, TEXTS[3]).contains(&"[UNK]".to_owned()), "every character is known");
    let cased = train_wordpiece(&TEXTS, 160, false).unwrap();
    assert!(cased.token_to_id("T").is_some() && cased.token_to_id("é").is_some());
    let target = tempfile::tempdir().unwrap();
    cased.save(target.path(), 64).unwrap();
    assert_eq!(Tokenizer::from_folder(target.path()).unwrap().json(), cased.json());
}

#[test]
fn vocabularies_that_cannot_be_are_errors() {
    assert!(matches!(train_wordpiece(&TEXTS, 20, true), Err(Error::Vocabulary { .. })));
    assert!(matches!(train_wordpiece(&["", " "], 100, true), Err(Error::Vocabulary { .. })));
    // Nothing is frequent: the characters are all there is.
    assert!(train_wordpiece(&["ab"], 100, true).unwrap().vocab_size() < 100);
}

/// What the library makes of a text by itself.
fn by_the_library(tokenizer: &Tokenizer, text: &str, max_length: usize) -> Vec<u32> {
    let mut library: tokenizers::Tokenizer = tokenizer.json().parse().unwrap();
    let cut = tokenizers::TruncationParams { max_length, ..Default::default() };
    library.with_truncation(Some(cut)).unwrap();
    library.encode(text, true).unwrap().get_ids().to_vec()
}

#[test]
fn words_that_are_remembered_have_the_ids_of_the_library() {
    let texts = [
        TEXTS[0],
        TEXTS[2],
        TEXTS[3],
        "charged\u{7}twice",
        "a\u{a0}b \u{b}c",
        "[CLS] the [MASK]ed card",
        "¿Qué? ≠ \u{37e}",
        "ΣΑΣ",
        "東京print京",
        "the the THE The",
        "x".repeat(120).leak(),
        "e\u{301}e \u{301}e",
        "\u{200b}the\u{ad}card",
        "UN[UNK]",
    ];
    for lowercase in [true, false] {
        let tokenizer = train_wordpiece(&TEXTS, 160, lowercase).unwrap();
        // The second time they are remembered.
        for text in texts.iter().chain(&texts) {
            for max_length in [4, 512] {
                let ids = tokenizer.encode(text, max_length).unwrap().ids;
                assert_eq!(ids, by_the_library(&tokenizer, text, max_length), "{text:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_has_the_ids_of_the_library(text in "(\\PC|[ -~]|[a-c' .\t\n\r]|[\\x00-\u{24f}]){0,40}", max_length in 3usize..30) {
        let tokenizer = train_wordpiece(&TEXTS, 160, true).unwrap();
        for _ in 0..2 {
            prop_assert_eq!(tokenizer.encode(&text, max_length).unwrap().ids, by_the_library(&tokenizer, &text, max_length));
        }
    }

    #[test]
    fn any_text_is_encoded_within_its_length(text in "\\PC{0,80}", max_length in 3usize..20) {
        let tokenizer = train_wordpiece(&TEXTS, 120, true).unwrap();
        let encoded = tokenizer.encode(&text, max_length).unwrap();
        prop_assert!(encoded.ids.len() >= 2 && encoded.ids.len() == encoded.full_len.min(max_length));
        prop_assert_eq!((encoded.ids[0], encoded.ids[encoded.ids.len() - 1]), (2, 3));
    }
}
