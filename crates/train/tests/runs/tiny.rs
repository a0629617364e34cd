//! A model and rows so small that a run takes milliseconds, and a run of them in one call.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use classifier::{Classifier, ModelSource, Start};
use dataset::Labels;
use encoder::{Config, Network, Values};
use journal::{Event, Split};
use kernels::{Backend, Cpu, Isa, Part, Precision, Reference};
use serde_json::{Map, Value, json};
use train::{Error, Examples, IntervalStrategy, Outcome, Run, TrainingArguments};

/// The bits of every tensor of a part, by name.
pub(crate) type Bits = BTreeMap<String, Vec<u32>>;

/// Where runs take place: a base model's folder, and rows that begin as the same every time.
pub(crate) struct Ground {
    folder: tempfile::TempDir,
    texts: Vec<String>,
    labels: Vec<u32>,
    precision: Precision,
}

/// One attempt at a run.
pub(crate) struct Attempt<'a> {
    pub(crate) arguments: &'a TrainingArguments,
    pub(crate) output: &'a Path,
    pub(crate) resume: Option<PathBuf>,
    pub(crate) threads: usize,
    /// Asks for the end after this step.
    pub(crate) stop_after: Option<u64>,
    pub(crate) arithmetic: &'a str,
    pub(crate) train: Examples,
    pub(crate) validation: Option<(Split, Examples)>,
}

/// What an attempt came to.
pub(crate) struct Done {
    pub(crate) classifier: Classifier<Cpu>,
    pub(crate) outcome: Result<Outcome, Error>,
    pub(crate) events: Vec<Event>,
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self::with_dropout(0.1)
    }

    pub(crate) fn with_dropout(dropout: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (texts, labels) = rows(40);
        let tokenizer = dataset::train_wordpiece(&texts, 150, true).unwrap();
        tokenizer.save(folder.path(), 16).unwrap();
        let config = json!({
            "model_type": "bert", "vocab_size": tokenizer.vocab_size(), "hidden_size": 12, "num_hidden_layers": 2,
            "num_attention_heads": 2, "intermediate_size": 20, "max_position_embeddings": 16, "type_vocab_size": 2,
            "hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout, "pad_token_id": 0,
            // Larger than usual, so that a few steps make a difference.
            "initializer_range": 0.3,
        });
        let path = folder.path().join("config.json");
        std::fs::write(&path, config.to_string()).unwrap();
        let config = Config::read(&path).unwrap();
        let values = Values::new(&config, 3);
        Network::new(Reference, config, values).save(&folder.path().join("model.safetensors")).unwrap();
        Self { folder, texts, labels, precision: Precision::F32 }
    }

    /// The same ground in the precision that this processor is fastest in.
    pub(crate) fn at_its_fastest(self) -> Self {
        Self { precision: Precision::detect(), ..self }
    }

    pub(crate) fn labels() -> Labels {
        Labels::from_names(["bad", "fair", "good"].map(str::to_owned).to_vec()).unwrap()
    }

    pub(crate) fn classifier(&self, threads: usize, labels: &Labels) -> Classifier<Cpu> {
        let source = ModelSource::Folder(self.folder.path().to_owned());
        let start = Start::<[&str]> { source: &source, labels, max_length: None, seed: 5, texts: &[] };
        let backend = Cpu::with(threads, Isa::detect(), self.precision).unwrap();
        Classifier::start(&start, backend).unwrap().0
    }

    /// The rows of this range of all.
    pub(crate) fn examples(&self, range: std::ops::Range<usize>) -> Examples {
        let classifier = self.classifier(1, &Self::labels());
        let encoded = dataset::encode(classifier.tokenizer(), &self.texts[range.clone()], 16).unwrap();
        let example_ids = range.clone().map(|row| row as u64).collect();
        Examples { encoded, labels: self.labels[range].to_vec(), example_ids }
    }

    /// An attempt from the beginning, with 26 rows to learn from and 14 to measure on.
    pub(crate) fn attempt<'a>(&self, arguments: &'a TrainingArguments, output: &'a Path) -> Attempt<'a> {
        Attempt {
            arguments,
            output,
            resume: None,
            threads: 2,
            stop_after: None,
            arithmetic: "f32 by hand",
            train: self.examples(0..26),
            validation: Some((Split::Eval, self.examples(26..40))),
        }
    }

    pub(crate) fn run(&self, attempt: Attempt<'_>) -> Done {
        let classifier = self.classifier(attempt.threads, &Self::labels());
        self.run_with(attempt, classifier, |_| {})
    }

    pub(crate) fn run_with(
        &self,
        attempt: Attempt<'_>,
        mut classifier: Classifier<Cpu>,
        mut hears: impl FnMut(&Event) + Send,
    ) -> Done {
        train::freeze(classifier.network_mut(), attempt.arguments).unwrap();
        let (mut events, stop) = (Vec::new(), AtomicBool::new(false));
        let mut listener = |event: &Event| {
            hears(event);
            if matches!(event, Event::Step { step, .. } if Some(*step) == attempt.stop_after) {
                stop.store(true, Ordering::Relaxed);
            }
            events.push(event.clone());
        };
        let outcome = train::train(Run {
            classifier: &mut classifier,
            arguments: attempt.arguments,
            train: &attempt.train,
            evaluation: attempt.validation.as_ref().map(|(split, examples)| (*split, examples)),
            output: attempt.output,
            resume: attempt.resume.as_deref(),
            arithmetic: attempt.arithmetic,
            stop: &stop,
            listener: &mut listener,
        });
        Done { classifier, outcome, events }
    }
}

impl Done {
    /// The outcome of an attempt that must not fail.
    pub(crate) fn outcome(&self) -> &Outcome {
        self.outcome.as_ref().unwrap_or_else(|error| panic!("the run failed: {error}"))
    }

    /// The message of an attempt that must fail.
    pub(crate) fn error(&self) -> &Error {
        self.outcome.as_ref().expect_err("the run must fail")
    }

    pub(crate) fn weights(&self) -> Bits {
        bits(&self.classifier, Part::Value)
    }
}

/// Twelve or so steps of four rows, none of them logged, measured or saved.
pub(crate) fn arguments() -> TrainingArguments {
    TrainingArguments {
        learning_rate: 5e-3,
        num_train_epochs: 2.0,
        per_device_train_batch_size: 4,
        save_strategy: IntervalStrategy::No,
        ..TrainingArguments::default()
    }
}

/// [`arguments`] with a checkpoint after each step.
pub(crate) fn saving() -> TrainingArguments {
    TrainingArguments { save_strategy: IntervalStrategy::Steps, save_steps: 1.0, ..arguments() }
}

pub(crate) fn bits<B: Backend>(classifier: &Classifier<B>, part: Part) -> Bits {
    let tensors = classifier.network().tensors(part);
    tensors.map(|(name, _, values)| (name.to_owned(), values.iter().map(|x| x.to_bits()).collect())).collect()
}

/// A history without what the clock says.
pub(crate) fn timeless(history: &[Map<String, Value>]) -> Vec<Map<String, Value>> {
    let mut history = history.to_vec();
    let of_the_clock = |name: &str| name.ends_with("runtime") || name.ends_with("_per_second");
    history.iter_mut().for_each(|entry| entry.retain(|name, _| !of_the_clock(name)));
    history
}

/// The steps that `output` has checkpoints of.
pub(crate) fn saved_steps(output: &Path) -> Vec<u64> {
    let names = std::fs::read_dir(output).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut steps: Vec<u64> = names.filter_map(|name| name.strip_prefix("checkpoint-")?.parse().ok()).collect();
    steps.sort_unstable();
    steps
}

/// Names of hidden files and folders in `output`.
pub(crate) fn hidden(output: &Path) -> Vec<String> {
    let names = std::fs::read_dir(output).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.')).collect()
}

/// Short texts of three classes, whose words hint at the class.
fn rows(count: usize) -> (Vec<String>, Vec<u32>) {
    const HINTS: [[&str; 4]; 3] = [
        ["awful", "dull", "broken", "boring"],
        ["fine", "usual", "average", "plain"],
        ["great", "lovely", "superb", "bright"],
    ];
    const OTHERS: [&str; 8] = ["the", "film", "a", "story", "was", "with", "music", "and"];
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    (0..count)
        .map(|_| {
            let label = next(3);
            let length = 2 + next(8);
            let word = |at: usize, draw: usize| if at % 3 == 1 { HINTS[label][draw % 4] } else { OTHERS[draw] };
            let words: Vec<&str> = (0..length).map(|at| word(at, next(8))).collect();
            (words.join(" "), label as u32)
        })
        .unzip()
}
