//! A tiny encoder's folder, as pretraining would have left it, and texts for it.

use std::fs;
use std::path::{Path, PathBuf};

use classifier::{Classifier, ModelSource, Start};
use dataset::Labels;
use encoder::{Activations, Config, Network, Values};
use kernels::{Cpu, Reference};
use serde_json::{Map, Value, json};

pub(crate) const TEXTS: [&str; 8] = [
    "the film was a joy from the first scene",
    "dull",
    "I would not see it again, not even for the music",
    "",
    "Grand! And a little sad.",
    "nobody in it has a reason to do what he does, and so it goes on and on and on until the lights come back",
    "a story that is told well",
    "dull",
];

pub(crate) fn labels() -> Labels {
    // Natural order is not the alphabet's.
    Labels::from_names(["2 stars", "10 stars", "no idea"].map(str::to_owned).to_vec()).unwrap()
}

/// Writes the folder of an encoder with two classes, and returns what its `config.json` says.
pub(crate) fn write_encoder(folder: &Path) -> Map<String, Value> {
    let tokenizer = dataset::train_wordpiece(&TEXTS, 90, true).unwrap();
    tokenizer.save(folder, 24).unwrap();
    let json = json!({
        "model_type": "bert", "vocab_size": tokenizer.vocab_size(), "hidden_size": 12, "num_hidden_layers": 2,
        "num_attention_heads": 3, "intermediate_size": 20, "max_position_embeddings": 32, "type_vocab_size": 2,
        "initializer_range": 0.3, "pad_token_id": 0,
    });
    let json = json.as_object().cloned().unwrap();
    write_config(folder, &json);
    let config = Config::read(&folder.join("config.json")).unwrap();
    let values = Values::new(&config, 8);
    Network::new(Reference, config, values).save(&folder.join("model.safetensors")).unwrap();
    json
}

pub(crate) fn write_config(folder: &Path, json: &Map<String, Value>) {
    fs::write(folder.join("config.json"), Value::Object(json.clone()).to_string()).unwrap();
}

pub(crate) fn start(
    folder: &Path,
    max_length: Option<usize>,
) -> Result<(Classifier<Cpu>, encoder::LoadReport), classifier::Error> {
    let (source, labels) = (ModelSource::Folder(folder.to_owned()), labels());
    let start = Start::<[&str]> { source: &source, labels: &labels, max_length, seed: 4, texts: &[] };
    Classifier::start(&start, Cpu::fastest(2).unwrap())
}

pub(crate) fn load(folder: &Path) -> Result<Classifier<Cpu>, classifier::Error> {
    Classifier::load(folder, Cpu::fastest(1).unwrap())
}

/// Labels and the bits of all scores.
pub(crate) fn answers(classifier: &Classifier<Cpu>, texts: &[&str]) -> Vec<(u32, Vec<u32>)> {
    let mut activations = Activations::for_inference(classifier.network());
    let predictions = classifier.predict(texts, &mut activations).unwrap();
    predictions.into_iter().map(|p| (p.label, p.scores.iter().map(|x| x.to_bits()).collect())).collect()
}

/// Every file of a folder with its content.
pub(crate) fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names.into_iter().map(|name| (PathBuf::from(&name), fs::read(folder.join(&name)).unwrap())).collect()
}
