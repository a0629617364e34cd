//! A model that starts from nothing is the same every time.

use std::path::Path;

use classifier::{Classifier, ModelSource, Start};
use dataset::Labels;
use kernels::Cpu;

use crate::ground::{TEXTS, answers, files, labels, load};

fn start(threads: usize, seed: u64, texts: &[&str], labels: &Labels, folder: &Path) -> Classifier<Cpu> {
    let source = ModelSource::Scratch("small".into());
    let start = Start { source: &source, labels, max_length: Some(40), seed, texts };
    let (classifier, report) = Classifier::start(&start, Cpu::fastest(threads).unwrap()).unwrap();
    assert_eq!(report, encoder::LoadReport::default(), "there is nothing to be missing");
    classifier.save(folder).unwrap();
    classifier
}

#[test]
fn the_same_files_every_time_and_with_any_threads() {
    let starts = [1, 1, 2, 5].map(|threads| {
        let folder = tempfile::tempdir().unwrap();
        // The words are counted by threads of their own.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| start(threads, 3, &TEXTS, &labels(), folder.path()));
        folder
    });
    let expected = files(starts[0].path());
    for other in &starts[1..] {
        for ((name, bytes), (_, expected)) in files(other.path()).iter().zip(&expected) {
            assert!(bytes == expected, "{name:?} differs");
        }
    }
    let name = |(name, _): &(std::path::PathBuf, Vec<u8>)| name.display().to_string();
    let names: Vec<_> = expected.iter().map(name).collect();
    assert_eq!(names, ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]);

    // Another seed is another model with the same words; other texts are other words.
    let [other_seed, other_texts] = [(4, &TEXTS[..]), (3, &TEXTS[..4])].map(|(seed, texts)| {
        let folder = tempfile::tempdir().unwrap();
        start(1, seed, texts, &labels(), folder.path());
        files(folder.path())
    });
    assert!(other_seed[1] != expected[1] && other_seed[2] == expected[2]);
    assert!(other_texts[2] != expected[2]);
}

#[test]
fn it_is_loaded_and_answers_as_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let started = start(2, 3, &TEXTS, &labels(), folder.path());
    let loaded = load(folder.path()).unwrap();
    assert_eq!(answers(&loaded, &TEXTS), answers(&started, &TEXTS));
    assert_eq!(loaded.max_length(), 40);
}

#[test]
fn an_unknown_size_is_refused_with_those_there_are() {
    let (source, labels) = (ModelSource::Scratch("vast".into()), labels());
    let start = Start { source: &source, labels: &labels, max_length: None, seed: 0, texts: &TEXTS };
    let error = Classifier::start(&start, Cpu::fastest(1).unwrap()).err().expect("no such size").to_string();
    assert!(error.contains("vast") && error.contains("small"), "{error}");
}
