//! Weights from checkpoints as they are found, and back.

use std::path::Path;

use encoder::tensors::{TensorError, TensorFile, TensorFolder, write_safetensors};
use encoder::{Config, LoadReport, Network, Values};
use kernels::{Part, Reference};

use crate::small::{FAMILIES, Sizes, bits, config, json_of, network};

const SIZES: Sizes = Sizes { words: 13, positions: 7, hidden: 8, heads: 2, inner: 12, dropout: 0.0 };

type Tensor = (String, Vec<usize>, Vec<f32>);

/// The tensors of a small network with three classes.
fn tensors(family: &str) -> Vec<Tensor> {
    let network = network(Reference, family, SIZES);
    network.tensors(Part::Value).map(|(name, shape, values)| (name.to_owned(), shape, values.into_owned())).collect()
}

fn write(folder: &Path, tensors: &[Tensor]) -> TensorFolder {
    let tensors = tensors.iter().map(|(name, shape, values)| (name.as_str(), &shape[..], &values[..]));
    write_safetensors(folder.join("model.safetensors"), &[("format", "pt")], tensors).unwrap();
    TensorFolder::open(folder).unwrap()
}

fn load(config: &Config, tensors: &TensorFolder, relabel: bool) -> (Network<Reference>, LoadReport) {
    let (values, report) = Values::load(config, tensors, 3, relabel).unwrap();
    (Network::new(Reference, config.clone(), values), report)
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[test]
fn what_is_saved_is_loaded_and_saved_the_same() {
    for family in FAMILIES {
        let folder = tempfile::tempdir().unwrap();
        let (path, again) = (folder.path().join("model.safetensors"), folder.path().join("again.safetensors"));
        let first = network(Reference, family, SIZES);
        first.save(&path).unwrap();
        let (second, report) = load(first.config(), &TensorFolder::open(folder.path()).unwrap(), false);
        assert_eq!(report, LoadReport::default());
        assert!(bits(&second, Part::Value) == bits(&first, Part::Value));
        second.save(&again).unwrap();
        assert!(std::fs::read(&path).unwrap() == std::fs::read(&again).unwrap());
        let file = TensorFile::open(&path).unwrap();
        let expected = sorted(tensors(family).into_iter().map(|(name, ..)| name).collect());
        assert_eq!(file.names(), expected);
    }
}

/// A checkpoint of the bare encoder, as pretraining left it: no prefix, a head of its own, no classifier.
#[test]
fn a_pretrained_encoder_gets_a_new_head() {
    for (family, prefix, new, unused) in [
        (
            "bert",
            "bert.",
            &["classifier.bias", "classifier.weight"][..],
            &["cls.predictions.bias", "cls.seq_relationship.weight"][..],
        ),
        (
            "distilbert",
            "distilbert.",
            &["classifier.bias", "classifier.weight", "pre_classifier.bias", "pre_classifier.weight"],
            &["vocab_projector.bias", "vocab_transform.weight"],
        ),
    ] {
        let whole = tensors(family);
        let kept = whole.iter().filter(|(name, ..)| name.starts_with(prefix));
        for prefixed in [false, true] {
            let name = |name: &str| if prefixed { name } else { &name[prefix.len()..] }.to_owned();
            let mut found: Vec<Tensor> =
                kept.clone().map(|(full, shape, values)| (name(full), shape.clone(), values.clone())).collect();
            found.extend(unused.iter().map(|name| ((*name).to_owned(), vec![2], vec![0.5, 0.5])));
            let folder = tempfile::tempdir().unwrap();
            let folder = write(folder.path(), &found);
            let (network, report) = load(&config(family, SIZES), &folder, true);
            assert_eq!(sorted(report.newly_initialized), new, "{family}");
            assert_eq!(sorted(report.unused), unused, "{family}");
            assert_eq!(report.mismatched, Vec::<String>::new());
            let loaded = bits(&network, Part::Value);
            let fresh = bits(&load_new(family, 3), Part::Value);
            for (((name, loaded), (_, _, stored)), (_, fresh)) in loaded.iter().zip(&whole).zip(&fresh) {
                let stored: Vec<u32> = stored.iter().map(|x| x.to_bits()).collect();
                assert!(loaded == if new.contains(&name.as_str()) { fresh } else { &stored }, "{family} {name}");
            }
        }
    }
}

fn load_new(family: &str, seed: u64) -> Network<Reference> {
    let config = config(family, SIZES);
    let values = Values::new(&config, seed);
    Network::new(Reference, config, values)
}

#[test]
fn new_weights_are_a_function_of_the_seed() {
    for family in FAMILIES {
        let (one, same, other) = (load_new(family, 1), load_new(family, 1), load_new(family, 2));
        assert!(bits(&one, Part::Value) == bits(&same, Part::Value));
        for ((parameter, _), (((name, one), (_, other)), (_, _, values))) in one
            .weights()
            .flat_map(|(parameter, weight)| parameter.names.iter().map(move |_| (parameter, weight)))
            .zip(bits(&one, Part::Value).iter().zip(&bits(&other, Part::Value)).zip(one.tensors(Part::Value)))
        {
            match parameter.init {
                encoder::Init::Zeros => assert!(values.iter().all(|x| *x == 0.0), "{name}"),
                encoder::Init::Ones => assert!(values.iter().all(|x| *x == 1.0), "{name}"),
                encoder::Init::Normal => assert!(one != other, "{name} must differ with the seed"),
            }
        }
        // Five standard errors of the mean and of the deviation, 0.5 in `initializer_range`, of 104 values.
        let words = one.tensors(Part::Value).next().unwrap().2.into_owned();
        let count = words.len() as f32;
        let mean = words.iter().sum::<f32>() / count;
        let deviation = (words.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count).sqrt();
        assert!(mean.abs() < 5.0 * 0.5 / count.sqrt(), "{family}: mean {mean}");
        assert!((deviation - 0.5).abs() < 5.0 * 0.5 / (2.0 * count).sqrt(), "{family}: deviation {deviation}");
    }
}

#[test]
fn a_classifier_of_other_classes_starts_anew_where_that_is_wanted() {
    for family in FAMILIES {
        let folder = tempfile::tempdir().unwrap();
        let found = write(folder.path(), &tensors(family));
        let labels = ["spam", "ham"].map(str::to_owned);
        let config = config(family, SIZES).with_labels(&labels);
        let (network, report) = load(&config, &found, true);
        assert_eq!(
            sorted(report.mismatched),
            [
                "classifier.bias: found [3], expected [2]".to_owned(),
                "classifier.weight: found [3, 8], expected [2, 8]".to_owned(),
            ]
        );
        assert_eq!((report.newly_initialized, report.unused), (vec![], vec![]));
        assert_eq!(network.config().labels(), labels);

        let error = Values::load(&config, &found, 3, false).unwrap_err();
        let TensorError::WrongShape { path, name, expected, found } = &error else { panic!("{error}") };
        assert_eq!(path, &folder.path().join("model.safetensors"));
        assert_eq!((name.as_str(), &expected[..], &found[..]), ("classifier.weight", &[2, 8][..], &[3, 8][..]));
        let message = error.to_string();
        for part in ["model.safetensors", "classifier.weight", "[2, 8]", "[3, 8]"] {
            assert!(message.contains(part), "{message}");
        }
    }
}

/// Only the classifier may be of another shape.
#[test]
fn an_encoder_of_another_shape_is_refused() {
    for (family, key) in [("bert", "intermediate_size"), ("distilbert", "hidden_dim")] {
        let folder = tempfile::tempdir().unwrap();
        let found = write(folder.path(), &tensors(family));
        let mut json = json_of(family, SIZES);
        // As large as is allowed: nothing of this size may be asked of the system before the file is seen.
        json.insert(key.into(), (1 << 24).into());
        let config = Config::from_json(json, Path::new("config.json")).unwrap();
        let error = Values::load(&config, &found, 3, true).unwrap_err();
        let TensorError::WrongShape { name, expected, found, .. } = &error else { panic!("{error}") };
        assert!(name.ends_with("intermediate.dense.weight") || name.ends_with("ffn.lin1.weight"), "{name}");
        assert_eq!((&expected[..], &found[..]), (&[1 << 24, 8][..], &[12, 8][..]));
    }
    let folder = tempfile::tempdir().unwrap();
    let found = write(folder.path(), &tensors("bert"));
    let mut json = json_of("bert", SIZES);
    json.insert("vocab_size".into(), (1 << 24).into());
    json.insert("hidden_size".into(), (1 << 24).into());
    let config = Config::from_json(json, Path::new("config.json")).unwrap();
    let error = Values::load(&config, &found, 3, true).unwrap_err();
    assert!(error.to_string().contains("word_embeddings"), "{error}");
}
