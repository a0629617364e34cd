//! What a folder must hold to be started from, or asked.

use std::fs;

use classifier::Error;
use encoder::tensors::{TensorFile, write_safetensors};
use serde_json::{Value, json};

use crate::ground::{TEXTS, answers, files, labels, load, start, write_config, write_encoder};

#[test]
fn what_is_saved_answers_the_same_to_the_bit() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [base, saved, again] = folders.each_ref().map(|folder| folder.path());
    write_encoder(base);
    let (started, report) = start(base, Some(17)).unwrap();
    assert_eq!(report.mismatched.len(), 2, "a head of two classes makes way for one of three: {report:?}");
    started.save(saved).unwrap();
    let loaded = load(saved).unwrap();
    assert_eq!(answers(&loaded, &TEXTS), answers(&started, &TEXTS));
    assert_eq!(loaded.labels(), &labels());
    assert_eq!(loaded.max_length(), 17, "the length trained with");

    loaded.save(again).unwrap();
    assert_eq!(files(again), files(saved));
    let names: Vec<_> =
        files(saved).into_iter().map(|(name, _)| name.into_os_string().into_string().unwrap()).collect();
    assert_eq!(names, ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]);
}

#[test]
fn the_saved_folder_says_what_transformers_asks_for() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [base, saved] = folders.each_ref().map(|folder| folder.path());
    write_encoder(base);
    start(base, Some(17)).unwrap().0.save(saved).unwrap();
    let read = |name: &str| serde_json::from_slice::<Value>(&fs::read(saved.join(name)).unwrap()).unwrap();
    let config = read("config.json");
    assert_eq!(config["id2label"].to_string(), r#"{"0":"2 stars","1":"10 stars","2":"no idea"}"#);
    assert_eq!(config["label2id"].to_string(), r#"{"2 stars":0,"10 stars":1,"no idea":2}"#);
    assert_eq!(config["architectures"], json!(["BertForSequenceClassification"]));
    assert_eq!(config["model_type"], "bert");
    assert_eq!(read("tokenizer_config.json")["model_max_length"], 17);
    assert!(read("tokenizer.json")["truncation"].is_null(), "the length stands in the other file");
}

#[test]
fn a_folder_without_a_trained_head_is_no_classifier() {
    let folder = tempfile::tempdir().unwrap();
    write_encoder(folder.path());
    let path = folder.path().join("model.safetensors");
    let tensors: Vec<_> = {
        let file = TensorFile::open(&path).unwrap();
        let kept = file.names().into_iter().filter(|name| !name.starts_with("classifier."));
        kept.map(|name| (file.shape(&name).unwrap().to_vec(), file.read_f32(&name).unwrap(), name)).collect()
    };
    let borrowed = tensors.iter().map(|(shape, values, name)| (name.as_str(), &shape[..], &values[..]));
    write_safetensors(&path, &[], borrowed).unwrap();
    let error = load(folder.path()).err().expect("it has no head");
    let Error::NotAClassifier { missing, .. } = &error else { panic!("{error}") };
    assert_eq!(missing, &["classifier.weight", "classifier.bias"]);
    let message = error.to_string();
    assert!(message.contains("classifier.weight, classifier.bias"), "{message}");
    assert!(message.contains(folder.path().to_str().unwrap()), "{message}");

    // It can be trained to be one, and the report names what starts anew.
    let (_, report) = start(folder.path(), None).unwrap();
    assert_eq!(report.newly_initialized, ["classifier.weight", "classifier.bias"]);
}

#[test]
fn a_length_that_the_model_has_no_room_for_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_encoder(folder.path());
    for asked in [33, 0, 2, usize::MAX] {
        let error = start(folder.path(), Some(asked)).err().expect("not a length for this model");
        let Error::MaxLength { asked: named, least: 3, most: 32 } = &error else { panic!("{error}") };
        assert_eq!(*named, asked);
        assert!(error.to_string().contains("from 3 to 32"), "{error}");
    }
    let mut classifier = start(folder.path(), Some(32)).unwrap().0;
    assert!(classifier.set_max_length(33).is_err());
    assert_eq!(classifier.max_length(), 32, "a refusal changes nothing");
    classifier.set_max_length(3).unwrap();
    assert_eq!(classifier.max_length(), 3);
    // Not asked for: what the tokeniser's file says, and no more than the positions there are.
    assert_eq!(start(folder.path(), None).unwrap().0.max_length(), 24);
    fs::write(folder.path().join("tokenizer_config.json"), r#"{"model_max_length": 512}"#).unwrap();
    assert_eq!(start(folder.path(), None).unwrap().0.max_length(), 32);
}

#[test]
fn a_tokenizer_with_more_words_than_the_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut json = write_encoder(folder.path());
    let words = json["vocab_size"].as_u64().unwrap() as usize;
    json.insert("vocab_size".into(), json!(words - 1));
    write_config(folder.path(), &json);
    let path = folder.path().join("model.safetensors");
    let tensors: Vec<_> = {
        let file = TensorFile::open(&path).unwrap();
        let shorter = |name: String| {
            let (mut shape, mut values) = (file.shape(&name).unwrap().to_vec(), file.read_f32(&name).unwrap());
            if shape[0] == words {
                shape[0] -= 1;
                values.truncate(values.len() - shape[1]);
            }
            (shape, values, name)
        };
        file.names().into_iter().map(shorter).collect()
    };
    let borrowed = tensors.iter().map(|(shape, values, name)| (name.as_str(), &shape[..], &values[..]));
    write_safetensors(&path, &[], borrowed).unwrap();
    for error in [load(folder.path()).err(), start(folder.path(), None).err()] {
        let error = error.expect("its last word has no embedding");
        let Error::Vocabulary { tokenizer, model, .. } = error else { panic!("{error}") };
        assert_eq!((tokenizer, model), (words, words - 1));
    }
}

#[test]
fn what_is_missing_is_named() {
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        let folder = tempfile::tempdir().unwrap();
        write_encoder(folder.path());
        fs::remove_file(folder.path().join(file)).unwrap();
        let error = load(folder.path()).err().expect("a file is missing").to_string();
        let place = folder.path().to_str().unwrap();
        assert!(error.contains(file) && error.contains(place), "{file}: {error}");
    }
}

/// Labels of a folder that no classifier can have.
#[test]
fn labels_that_cannot_be_are_refused() {
    for (labels, named) in [(json!({}), "id2label"), (json!({"0": "a", "1": " "}), "blank")] {
        let folder = tempfile::tempdir().unwrap();
        let mut json = write_encoder(folder.path());
        json.insert("id2label".into(), labels);
        write_config(folder.path(), &json);
        let error = load(folder.path()).err().expect("labels cannot be used").to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write_encoder(folder.path());
    let (classifier, _) = start(folder.path(), None).unwrap();
    let file = folder.path().join("config.json");
    let error = classifier.save(&file).unwrap_err().to_string();
    assert!(error.contains(file.join("config.json").to_str().unwrap()), "{error}");
}
