//! Each fault is found, counted and shown; what is sound is not.

use super::data::{Row, dataset_of, sound_rows, train_and_test};
use crate::check::{Findings, Leak, Likeness, Role, Seen, Severity, Tokens, check};
use crate::{Dataset, encode, train_wordpiece};

fn names(findings: &Findings) -> Vec<&str> {
    findings.findings.iter().map(|finding| finding.name).collect()
}

/// Sound rows to learn from, these in addition, and these to test on.
fn with(more: &[Row<'_>], test: &[Row<'_>]) -> Findings {
    check(&train_and_test(&[&sound_rows()[..], more].concat(), test))
}

fn count(findings: &Findings, name: &str) -> usize {
    findings.find(name).map_or(0, |finding| finding.count)
}

#[test]
fn nothing_is_found_in_sound_rows() {
    let found = with(&[], &[]);
    assert_eq!(names(&found), [""; 0]);
    assert_eq!((found.rows, found.classes, found.duplicates, found.different_texts), (24, 2, 0, 24));
    assert_eq!(found.tally(), "nothing was found");
    assert_eq!(found.summary(), ["nothing was found"]);
}

#[test]
fn duplicates_are_rows_less_different_texts() {
    let found = with(&[("again", "billing"), ("again", "billing"), ("again", "billing"), ("AGAIN ", "billing")], &[]);
    assert_eq!((found.duplicates, found.normalised_duplicates, found.different_texts), (2, 1, 25));
    let finding = found.find("duplicates").unwrap();
    assert_eq!((finding.count, finding.severity), (2, Severity::Note));
    assert_eq!(finding.message, "2 of 28 rows (7.1%) repeat the text of an earlier row");
    assert_eq!((finding.examples.len(), finding.examples[0].note.as_str()), (1, "3 times"));
    assert_eq!((finding.examples[0].rows[0].row, finding.examples[0].rows[0].file.as_str()), (25, "train.csv"));
    let spellings = &found.find("normalised_duplicates").unwrap().examples;
    assert_eq!(spellings[0].rows.iter().map(|spot| spot.text.as_str()).collect::<Vec<_>>(), ["again", "AGAIN "]);
}

#[test]
fn test_rows_that_were_learnt_from_are_listed() {
    let test = [
        ("a new one about a late parcel from abroad", "delivery"),
        ("can I pay with two cards at once", "billing"),
        ("Can I  pay with two cards at once", "billing"),
        ("can I pay with three cards at once", "billing"),
        ("can we pay with three cards at checkout", "billing"),
    ];
    let found = with(&[], &test);
    assert_eq!(found.leaked(Role::Test), [1, 2, 3]);
    assert_eq!(found.leaked(Role::Validation), [0; 0]);
    let leaks = found.leaks_of(Role::Test).unwrap();
    assert_eq!(leaks.seen, [Seen { r#in: Role::Train, exact: 1, normalised: 1, near: 1 }]);
    assert_eq!(leaks.rows, [2, 3, 4]);
    let leak = |position, likeness| Leak { position, likeness, seen_in: Role::Train, seen_at: 1 };
    let likenesses = [Likeness::Exact, Likeness::Normalised, Likeness::Near];
    assert_eq!(leaks.leaks, [1, 2, 3].into_iter().zip(likenesses).map(|(at, like)| leak(at, like)).collect::<Vec<_>>());
    let finding = found.find("test_in_train").unwrap();
    assert_eq!((finding.severity, finding.count), (Severity::Problem, 2));
    let message =
        "2 of 5 test rows (40.0%) have the text of a training row, 1 of them but for case, blanks or Unicode form";
    assert_eq!(finding.message, message);
    let near = found.find("test_nearly_in_train").unwrap();
    assert_eq!((near.severity, near.count), (Severity::Warning, 1));
    assert_eq!(near.examples[0].note, "1 of 8 words differs");
    assert!(found.find("duplicates").unwrap().message.ends_with(", and 1 text stands in more than one split"));
}

#[test]
fn train_is_told_before_validation() {
    let rows = sound_rows();
    let found =
        check(&dataset_of(&rows, &[rows[3], ("only here", "billing")], &[rows[3], ("only here", "billing")], &[]));
    assert_eq!(found.leaked(Role::Validation), [0]);
    assert_eq!(found.leaked(Role::Test), [0, 1]);
    let test = found.leaks_of(Role::Test).unwrap();
    assert_eq!(test.leaks.iter().map(|leak| leak.seen_in).collect::<Vec<_>>(), [Role::Train, Role::Validation]);
    assert_eq!(test.leaks.iter().map(|leak| leak.seen_at).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(test.seen.iter().map(|seen| seen.exact).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((count(&found, "validation_in_train"), count(&found, "test_in_validation")), (1, 2));
}

#[test]
fn duplicates_in_one_split_are_said_to_be_kept_together() {
    let found = with(&[("twice", "billing"), ("twice", "billing")], &[("another text altogether", "billing")]);
    let message = &found.find("duplicates").unwrap().message;
    assert!(message.ends_with("no text stands in two splits: duplicates are kept together"), "{message}");
    assert_eq!(found.leaked(Role::Test), [0; 0]);
}

#[test]
fn one_text_under_two_labels_is_a_conflict() {
    let found = with(&[("both", "billing"), ("Both", "delivery"), ("both", "billing")], &[]);
    let finding = found.find("conflicting_labels").unwrap();
    assert_eq!((finding.count, finding.severity), (1, Severity::Problem));
    assert_eq!(finding.message, "1 text stands under more than one label, in 3 of 27 rows (11.1%)");
    assert_eq!(
        finding.examples[0].rows.iter().map(|spot| spot.label.as_str()).collect::<Vec<_>>(),
        ["billing", "delivery"]
    );
    let near = [("half of the order is still not here", "billing")];
    assert_eq!(count(&with(&near, &[]), "near_conflicting_labels"), 0, "two words of seven differ");
    let near = [("half of the order is still lost", "billing")];
    assert_eq!(count(&with(&near, &[]), "near_conflicting_labels"), 2);
}

#[test]
fn spellings_of_one_label_are_told_apart_from_labels() {
    let found = with(&[("a", "Billing"), ("b", "bill ing"), ("c", "deliverey"), ("d", "class1"), ("e", "class2")], &[]);
    let similar = found.find("similar_labels").unwrap();
    assert_eq!((similar.count, similar.severity), (2, Severity::Problem));
    assert!(similar.message.ends_with(r#""billing" and "Billing" and "bill ing""#), "{}", similar.message);
    let misspelled = found.find("misspelled_labels").unwrap();
    assert_eq!((misspelled.count, misspelled.severity), (1, Severity::Warning));
    assert!(misspelled.message.ends_with(r#""delivery" and "deliverey""#), "{}", misspelled.message);
    assert_eq!(misspelled.examples[0].rows[1].text, "c");
}

#[test]
fn classes_that_a_split_lacks_are_named() {
    let rows = sound_rows();
    let found = check(&dataset_of(&rows, &rows[..1], &rows[1..2], &["returns"]));
    let absent = |name| found.find(name).unwrap().message.clone();
    assert_eq!(absent("train_lacks_classes"), r#"1 class has no training row: "returns""#);
    assert_eq!(absent("validation_lacks_classes"), r#"2 classes have no validation row: "billing", "returns""#);
    assert_eq!(absent("test_lacks_classes"), r#"2 classes have no test row: "delivery", "returns""#);
}

#[test]
fn rare_and_frequent_classes_are_counted() {
    let found = with(&[("is it new", "product"), ("is it red", "product"), ("is it big", "product")], &[]);
    assert_eq!(found.find("rare_classes").unwrap().message, r#"1 class has fewer than 10 training rows: "product""#);
    let message = &found.find("imbalance").unwrap().message;
    let told = r#"12 of 27 training rows (44.4%) are "delivery", and 3 "product": always answering "delivery" would be right that often"#;
    assert_eq!(message, told);
}

#[test]
fn a_sorted_file_that_was_cut_is_noticed() {
    let texts: Vec<String> = (0..200).map(|row| format!("text number {row} of its own kind {}", row * 7919)).collect();
    let rows: Vec<Row<'_>> =
        texts.iter().enumerate().map(|(row, text)| (text.as_str(), if row < 90 { "neg" } else { "pos" })).collect();
    let found = check(&train_and_test(&rows[..100], &rows[100..]));
    let finding = found.find("test_label_shift").unwrap();
    assert!(
        finding.message.contains(r#""neg" is 0.0% of the test rows and 90.0% of the training rows"#),
        "{}",
        finding.message
    );
    let mixed: Vec<Row<'_>> =
        rows.iter().enumerate().map(|(row, (text, _))| (*text, if row % 2 == 0 { "neg" } else { "pos" })).collect();
    assert_eq!(check(&train_and_test(&mixed[..100], &mixed[100..])).find("test_label_shift"), None);
}

#[test]
fn odd_texts_are_counted_by_kind() {
    let long = "word ".repeat(2000);
    let found = with(
        &[
            (" \n", "billing"),
            (&long, "billing"),
            ("the cafÃ© charged me twice", "billing"),
            ("the caf\u{fffd} charged me and my sister", "billing"),
            ("it came \u{7} with a bell that rings", "delivery"),
            ("it\u{92}s been a while since I ordered that lamp", "delivery"),
            ("first line<br />second line of the letter", "billing"),
        ],
        &[],
    );
    for name in [
        "empty_texts",
        "length_outliers",
        "mojibake",
        "replacement_characters",
        "misread_quotes",
        "control_characters",
        "markup",
    ] {
        assert_eq!(count(&found, name), 1, "{name} in {:?}", names(&found));
        assert_eq!(found.find(name).unwrap().examples[0].rows.len(), 1, "{name}");
    }
    assert_eq!(found.find("length_outliers").unwrap().examples[0].note, "10,000 characters");
    assert_eq!(
        found.find("control_characters").unwrap().examples[0].rows[0].text,
        "it came \\u{7} with a bell that rings"
    );
}

#[test]
fn tokens_tell_what_is_cut_and_what_is_unknown() {
    let mut rows = sound_rows();
    rows.push(("東京 京都 大阪 神戸", "delivery"));
    let data: Dataset = train_and_test(&rows, &[]);
    let tokenizer = train_wordpiece(&data.train.texts.select(&(0..24).collect::<Vec<_>>()), 200, true).unwrap();
    let encoded = encode(&tokenizer, &data.train.texts, 12).unwrap();
    let mut found = check(&data);
    found.add_tokens(&data, &Tokens { tokenizer: &tokenizer, max_length: 12, splits: vec![(Role::Train, &encoded)] });
    let cut = found.find("truncated").unwrap();
    assert_eq!((cut.count, cut.severity), (encoded.truncated(), Severity::Warning));
    assert!(cut.count > 6 && cut.message.contains("longer than 12 tokens"), "{}", cut.message);
    assert_eq!(cut.examples[0].rows[0].text, "the courier left it with a neighbour I do not know");
    let unknown = found.find("unknown_tokens").unwrap();
    assert!(unknown.count >= 4, "{}", unknown.message);
    assert!(found.findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
}

#[test]
fn findings_are_json_and_text() {
    let found = with(&[("again", "billing"), ("again", "delivery")], &[("again", "billing")]);
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!((&json["duplicates"], &json["rows"]), (&2.into(), &27.into()));
    assert_eq!(json["leaks"][0]["seen"][0], serde_json::json!({"in": "train", "exact": 1, "normalised": 0, "near": 0}));
    assert_eq!(json["leaks"][0]["rows"], serde_json::json!([1]));
    let first = &json["findings"][0];
    assert_eq!((&first["name"], &first["severity"]), (&"test_in_train".into(), &"problem".into()));
    assert_eq!(first["examples"][0]["rows"][1]["row"], 25);
    for key in ["name", "severity", "count", "message", "advice", "examples"] {
        assert!(json["findings"].as_array().unwrap().iter().all(|finding| finding.get(key).is_some()), "{key}");
    }

    let text = found.to_string();
    assert!(
        text.starts_with("27 rows in 2 classes: train 26, test 1\n\nproblem  test_in_train: 1 of 1 test rows (100.0%)"),
        "{text}"
    );
    assert!(text.contains("\n           test.csv row 1 (test, billing): again\n             train.csv row 25 (train, billing): again\n"), "{text}");
    let summary = found.summary();
    assert!(summary[0].starts_with("problem: 1 of 1 test rows"), "{summary:?}");
    assert!(summary.len() <= 5, "{summary:?}");
}
