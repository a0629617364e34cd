//! `config.json` of all kinds: good ones come back, bad ones are refused by name, and none stops the program.

use std::path::Path;

use encoder::{Config, ConfigError, family};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::small::{FAMILIES, Sizes, json_of};

const SIZES: Sizes = Sizes { words: 13, positions: 7, hidden: 8, heads: 2, inner: 12, dropout: 0.1 };

fn read(json: Map<String, Value>) -> Result<Config, ConfigError> {
    Config::from_json(json, Path::new("model/config.json"))
}

/// A good configuration with one key changed.
fn changed(family: &str, key: &str, value: Value) -> Result<Config, ConfigError> {
    let mut json = json_of(family, SIZES);
    json.insert(key.into(), value);
    read(json)
}

#[test]
fn an_unsupported_family_is_named_with_those_that_are() {
    for (model_type, found) in [(json!("roberta"), "\"roberta\""), (json!(null), "\"\""), (json!("BERT"), "\"BERT\"")] {
        let error = changed("bert", "model_type", model_type).unwrap_err();
        assert!(matches!(error, ConfigError::Unsupported { .. }), "{error}");
        let message = error.to_string();
        assert!(message.contains(found) && message.contains("model/config.json"), "{message}");
        for family in family::FAMILIES {
            assert!(message.contains(family.model_type), "{message}");
        }
    }
}

#[test]
fn what_cannot_be_is_named_with_what_can() {
    for (family, key, value, expected) in [
        ("bert", "hidden_size", json!(0), "from 1 to 16777216"),
        ("bert", "hidden_size", json!(u64::MAX), "from 1 to 16777216"),
        ("bert", "hidden_size", json!(-8), "from 1 to 16777216"),
        ("bert", "hidden_size", json!(8.0), "from 1 to 16777216"),
        ("bert", "hidden_size", json!("8"), "from 1 to 16777216"),
        ("bert", "hidden_size", json!(null), "from 1 to 16777216"),
        ("bert", "vocab_size", json!([13]), "from 1 to 16777216"),
        ("bert", "num_hidden_layers", json!(1 << 20), "from 1 to 4096"),
        ("bert", "num_attention_heads", json!(3), "a divisor of hidden_size (8)"),
        ("bert", "num_attention_heads", json!(16), "a divisor of hidden_size (8)"),
        ("distilbert", "n_heads", json!(5), "a divisor of dim (8)"),
        ("distilbert", "dim", json!(true), "from 1 to 16777216"),
        ("bert", "type_vocab_size", json!(0), "from 1 to 16777216"),
        ("bert", "hidden_dropout_prob", json!(1.0), "from 0 to below 1"),
        // The nearest in single precision is 1.
        ("bert", "hidden_dropout_prob", json!(0.999_999_999_9), "from 0 to below 1"),
        ("bert", "attention_probs_dropout_prob", json!(-0.1), "from 0 to below 1"),
        ("bert", "classifier_dropout", json!("NaN"), "from 0 to below 1"),
        ("distilbert", "seq_classif_dropout", json!(1e300), "from 0 to below 1"),
        // The root of a negative variance is no number.
        ("bert", "layer_norm_eps", json!(-1.0), "from 0 to 1"),
        ("bert", "layer_norm_eps", json!(1e39), "from 0 to 1"),
        ("bert", "initializer_range", json!(-0.02), "from 0 to 1"),
        ("bert", "initializer_range", json!(1e300), "from 0 to 1"),
        ("bert", "hidden_act", json!("swish"), "gelu, gelu_new"),
        ("distilbert", "activation", json!(1), "gelu, gelu_new"),
        ("bert", "pad_token_id", json!(-1), "a token id"),
        ("bert", "position_embedding_type", json!("relative_key"), "absolute"),
        ("bert", "is_decoder", json!(true), "false"),
        ("bert", "problem_type", json!("multi_label_classification"), "single_label_classification"),
        ("bert", "quantization_config", json!({}), "not supported"),
        ("bert", "id2label", json!({"0": "a", "2": "c"}), "0, 1, …"),
        ("bert", "id2label", json!({"1": "a", "2": "b"}), "0, 1, …"),
        ("bert", "id2label", json!({"0": "a", "1": "a"}), "a name of its own"),
        ("bert", "id2label", json!({"0": "a", "00": "b"}), "0, 1, …"),
        ("bert", "id2label", json!({"0": "a", "-1": "b"}), "0, 1, …"),
        ("bert", "id2label", json!({"0": "a", "1": 7}), "a name"),
        ("bert", "id2label", json!({"0": "a", "18446744073709551616": "b"}), "0, 1, …"),
        ("bert", "id2label", json!({}), "0, 1, …"),
        ("bert", "id2label", json!(["a", "b"]), "0, 1, …"),
    ] {
        let shown = value.to_string();
        let error = changed(family, key, value).err();
        let Some(ConfigError::Key { key: named, .. }) = &error else { panic!("{key} {shown}: {error:?}") };
        assert_eq!(named, key);
        let message = error.unwrap().to_string();
        assert!(message.contains(expected), "{key} {shown}: {message}");
        assert!(message.contains("model/config.json") && message.contains(key), "{message}");
    }
    let mut json = json_of("bert", SIZES);
    json.remove("id2label");
    for count in [json!(0), json!(1_u64 << 40), json!("2")] {
        json.insert("num_labels".into(), count);
        assert!(read(json.clone()).unwrap_err().to_string().contains("from 1 to 65536"));
    }
}

#[test]
fn files_that_are_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    assert!(matches!(Config::read(&path).unwrap_err(), ConfigError::Read { .. }));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for content in ["", "{", "[]", "null", "{\"model_type\": \"bert\"", "\u{feff}{}", &deep] {
        std::fs::write(&path, content).unwrap();
        let error = Config::read(&path).unwrap_err();
        assert!(matches!(error, ConfigError::Parse { .. }), "{error}");
        assert!(error.to_string().contains("config.json"), "{error}");
    }
    std::fs::write(&path, b"{\"model_type\": \"\xff\"}").unwrap();
    assert!(matches!(Config::read(&path).unwrap_err(), ConfigError::Parse { .. }));
}

/// Labels stand in the order of their numbers, not of the file.
#[test]
fn labels_are_in_the_order_of_their_numbers() {
    let names = json!({"10": "k", "2": "c", "0": "a", "1": "b", "3": "d", "4": "e", "5": "f", "6": "g", "7": "h",
        "8": "i", "9": "j"});
    let config = changed("bert", "id2label", names).unwrap();
    assert_eq!(config.labels().concat(), "abcdefghijk");
    let mut json = json_of("bert", SIZES);
    json.remove("id2label");
    assert_eq!(read(json.clone()).unwrap().labels(), ["LABEL_0", "LABEL_1"]);
    json.insert("num_labels".into(), json!(3));
    assert_eq!(read(json).unwrap().labels(), ["LABEL_0", "LABEL_1", "LABEL_2"]);
}

#[test]
fn everything_is_written_back_and_the_classes_brought_up_to_date() {
    for family in FAMILIES {
        let mut json = json_of(family, SIZES);
        let own = json!({"nested": [1, 2.5, null], "text": "ä"});
        json.insert("a_key_of_somebody".into(), own.clone());
        json.insert("transformers_version".into(), json!("5.23.0"));
        json.insert("_name_or_path".into(), json!("/home/somebody/model"));
        json.insert("torch_dtype".into(), json!("float16"));
        json.insert("num_labels".into(), json!(3));
        json.insert("architectures".into(), json!(["BertForPreTraining"]));
        let labels = ["ham".to_owned(), "spam".to_owned()];
        let written = read(json.clone()).unwrap().with_labels(&labels).to_json();
        assert_eq!(written["a_key_of_somebody"], own);
        assert_eq!(written["id2label"].to_string(), r#"{"0":"ham","1":"spam"}"#);
        assert_eq!(written["label2id"].to_string(), r#"{"ham":0,"spam":1}"#);
        assert_eq!(written["dtype"], "float32");
        assert_eq!(written["problem_type"], "single_label_classification");
        let class = if family == "bert" { "Bert" } else { "DistilBert" };
        assert_eq!(written["architectures"], json!([format!("{class}ForSequenceClassification")]));
        for stale in ["_name_or_path", "torch_dtype", "num_labels"] {
            assert!(!written.contains_key(stale), "{stale}");
        }
        let set = ["architectures", "dtype", "id2label", "label2id", "problem_type"];
        for (key, value) in json.iter().filter(|(key, _)| !set.contains(&key.as_str())) {
            let stale = ["_name_or_path", "torch_dtype", "num_labels"].contains(&key.as_str());
            assert!(stale || written.get(key) == Some(value), "{key} must come back");
        }
        let again = read(written.clone()).unwrap();
        assert_eq!(again.labels(), labels);
        assert_eq!(again.to_json(), written, "a second round changes nothing");
    }
}

/// Anything that JSON can say, of the kinds that configurations hold and others.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..30_u64).prop_map(Value::from),
        (-1.0..2.0_f64).prop_map(Value::from),
        prop::sample::select(vec!["bert", "distilbert", "gelu", "relu", "absolute", "0", "1", "", "LABEL_0"])
            .prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        let key = prop_oneof!["[0-3]", "\\PC{0,4}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn known_keys() -> Vec<&'static str> {
    let of = |family: &'static family::Family| {
        let keys = &family.keys;
        [keys.hidden_size, keys.num_hidden_layers, keys.num_attention_heads, keys.intermediate_size, keys.hidden_act]
            .into_iter()
            .chain([keys.hidden_dropout, keys.attention_dropout, keys.classifier_dropout])
    };
    let shared = [
        "model_type",
        "vocab_size",
        "max_position_embeddings",
        "type_vocab_size",
        "layer_norm_eps",
        "initializer_range",
        "pad_token_id",
        "sinusoidal_pos_embds",
        "id2label",
        "label2id",
        "num_labels",
        "problem_type",
        "is_decoder",
        "position_embedding_type",
    ];
    family::FAMILIES.into_iter().flat_map(of).chain(shared).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Random keys over a good configuration or over nothing: refused, or such that a network can be made of it.
    #[test]
    fn no_configuration_stops_the_program(
        good in prop::option::of(prop::sample::select(FAMILIES.to_vec())),
        changes in prop::collection::vec((prop::sample::select(known_keys()), any_value()), 0..4),
    ) {
        let mut json = good.map(|family| json_of(family, SIZES)).unwrap_or_default();
        json.extend(changes.into_iter().map(|(key, value)| (key.to_owned(), value)));
        match read(json) {
            Err(error) => prop_assert!(error.to_string().contains("model/config.json")),
            Ok(config) => {
                prop_assert_eq!(config.heads().hidden(), config.hidden_size);
                prop_assert!(config.heads().width > 0 && config.num_labels() > 0);
                let dropouts = [config.hidden_dropout, config.attention_dropout, config.classifier_dropout];
                prop_assert!(dropouts.iter().all(|p| (0.0..1.0).contains(p)), "{dropouts:?}");
                prop_assert!(config.layer_norm_eps >= 0.0 && config.initializer_range.is_finite());
                let written = config.to_json();
                let again = read(written.clone()).unwrap();
                prop_assert_eq!(again.labels(), config.labels());
                prop_assert_eq!(again.to_json(), written);
            }
        }
    }
}
