//! The classifier itself.

use std::ops::ControlFlow;
use std::path::Path;

use dataset::{Encoded, Labels, PackedBatch, TextList, Tokenizer, length_batches};
use encoder::tensors::TensorFolder;
use encoder::{Activations, Batch, Config, LoadReport, Network, Values};
use kernels::{Backend, Layout};

use crate::{Calibration, Error, ModelSource, scratch};

/// A network with its tokeniser: what a model folder holds.
pub struct Classifier<B: Backend> {
    network: Network<B>,
    tokenizer: Tokenizer,
    labels: Labels,
    max_length: usize,
    calibration: Calibration,
    /// What logits are multiplied by, where the calibration is to be undone.
    raw: Option<f32>,
}

/// How a classifier begins that is to be trained.
pub struct Start<'a, T: ?Sized> {
    /// Where the encoder comes from.
    pub source: &'a ModelSource,
    /// The classes.
    pub labels: &'a Labels,
    /// The longest text in tokens; `None`: what the model allows.
    pub max_length: Option<usize>,
    /// Seed of new weights.
    pub seed: u64,
    /// Texts that a new vocabulary is learnt from.
    pub texts: &'a T,
}

/// What a classifier says of one text.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The most probable class.
    pub label: u32,
    /// The probability of each class, in the order of ids; they add up to 1.
    pub scores: Vec<f32>,
    /// Whether the best score is too low for a label, see [`Classifier::abstain_below`].
    pub abstains: bool,
}

/// The softmax of one row of logits, in double precision inside.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "scores are single precision, as in transformers")]
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|&x| f64::from(x - highest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| (power / sum) as f32).collect()
}

impl<B: Backend> Classifier<B> {
    /// Loads a fine-tuned classifier from its folder.
    ///
    /// # Errors
    /// Files that are missing or damaged, an unsupported family, a checkpoint without a trained head.
    pub fn load(folder: &Path, backend: B) -> Result<Self, Error> {
        let config = Config::read(&folder.join("config.json"))?;
        let tokenizer = Tokenizer::from_folder(folder)?;
        let labels = Labels::from_names(config.labels().to_vec())?;
        let tensors = TensorFolder::open(folder)?;
        let (values, report) = Values::load(&config, &tensors, 0, false)?;
        if !report.newly_initialized.is_empty() {
            return Err(Error::NotAClassifier { path: folder.to_owned(), missing: report.newly_initialized });
        }
        let max_length = longest(&config, &tokenizer);
        Self::checked(folder, backend, config, values, tokenizer, labels, max_length)
    }

    /// A classifier to be trained: a pretrained encoder, or a new one, with a head for `labels`. The report names what
    /// starts anew and what was left over; for a new encoder it is empty.
    ///
    /// # Errors
    /// Files that are missing or damaged, an unsupported family, a `max_length` that the model cannot take.
    pub fn start<T: TextList + ?Sized>(start: &Start<'_, T>, backend: B) -> Result<(Self, LoadReport), Error> {
        let Start { source, labels, max_length, seed, texts } = start;
        let (folder, tokenizer, config, tensors) = match source {
            ModelSource::Folder(folder) => {
                let config = Config::read(&folder.join("config.json"))?;
                (folder.as_path(), Tokenizer::from_folder(folder)?, config, Some(TensorFolder::open(folder)?))
            }
            ModelSource::Scratch(size) => {
                let (tokenizer, config) = scratch::start(size, *texts)?;
                (Path::new("scratch"), tokenizer, config, None)
            }
        };
        let config = config.with_labels(labels.names());
        let max_length = allowed(&config, &tokenizer, *max_length)?;
        let (values, report) = match tensors {
            Some(tensors) => Values::load(&config, &tensors, *seed, true)?,
            None => (Values::new(&config, *seed), LoadReport::default()),
        };
        let labels = (*labels).clone();
        Ok((Self::checked(folder, backend, config, values, tokenizer, labels, max_length)?, report))
    }

    fn checked(
        folder: &Path,
        backend: B,
        config: Config,
        values: Values,
        tokenizer: Tokenizer,
        labels: Labels,
        max_length: usize,
    ) -> Result<Self, Error> {
        if tokenizer.vocab_size() > config.vocab_size {
            let (path, model) = (folder.to_owned(), config.vocab_size);
            return Err(Error::Vocabulary { path, tokenizer: tokenizer.vocab_size(), model });
        }
        // The ids that every text gets stand in the tokeniser's template, which its vocabulary need not know.
        let largest = tokenizer.encode("", max_length)?.ids.into_iter().max().map_or(0, |id| id as usize + 1);
        if largest > config.vocab_size {
            return Err(Error::Vocabulary { path: folder.to_owned(), tokenizer: largest, model: config.vocab_size });
        }
        let calibration =
            Calibration::of(&config).map_err(|found| Error::Calibration { path: folder.join("config.json"), found })?;
        let network = Network::new(backend, config, values);
        Ok(Self { network, tokenizer, labels, max_length, calibration, raw: None })
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network<B> {
        &self.network
    }

    /// The network, to be trained.
    pub fn network_mut(&mut self) -> &mut Network<B> {
        &mut self.network
    }

    /// The tokeniser.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The classes.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The longest text in tokens; longer ones are cut.
    #[must_use]
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// Takes texts up to another length.
    ///
    /// # Errors
    /// A length that the model has no positions for.
    pub fn set_max_length(&mut self, max_length: usize) -> Result<(), Error> {
        self.max_length = allowed(self.network.config(), &self.tokenizer, Some(max_length))?;
        Ok(())
    }

    /// How its scores were calibrated.
    #[must_use]
    pub fn calibration(&self) -> Calibration {
        self.calibration
    }

    /// Divides weight and bias of the last layer by a temperature that was fitted on validation rows, and remembers it.
    pub fn divide_logits(&mut self, temperature: f64) {
        self.network.scale_logits(temperature.recip());
        let before = self.calibration.temperature.unwrap_or(1.0);
        self.calibration.temperature = Some(before * temperature);
        self.network.set_own(self.calibration.to_json());
    }

    /// Gives no label from now on where the best score is below `level`; `None` always gives one.
    pub fn abstain_below(&mut self, level: Option<f64>) {
        self.calibration.abstain_below = level;
        self.network.set_own(self.calibration.to_json());
    }

    /// Gives the scores as they were before calibration.
    #[expect(clippy::cast_possible_truncation, reason = "logits are single precision")]
    pub fn undo_calibration(&mut self) {
        self.raw = self.calibration.temperature.map(|temperature| temperature as f32);
    }

    /// Writes the model folder as `save_pretrained` of `transformers` does: configuration, weights, tokeniser.
    /// The folder must exist.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), Error> {
        let config = serde_json::Value::Object(self.network.config().to_json());
        let path = folder.join("config.json");
        std::fs::write(&path, format!("{config:#}\n")).map_err(|source| Error::Write { path, source })?;
        self.tokenizer.save(folder, self.max_length)?;
        self.network.save(&folder.join("model.safetensors"))?;
        Ok(())
    }

    /// Logits of texts that are already tokenised, in their order. Batches are made by length within `max_tokens`
    /// rows; a text's logits do not depend on them. `progress` hears how many tokens are done and may stop it.
    ///
    /// # Shapes
    /// Returns len×C.
    ///
    /// # Errors
    /// Logits that are not finite, or a stop by `progress`.
    pub fn logits(
        &self,
        encoded: &Encoded,
        max_tokens: usize,
        activations: &mut Activations<B>,
        mut progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<f32>, Error> {
        let classes = self.labels.len();
        let raw = self.raw.unwrap_or(1.0);
        let mut logits = vec![0.0; encoded.len() * classes];
        let (mut packed, mut done) = (PackedBatch::default(), 0);
        for batch in length_batches(encoded.lengths(), max_tokens, usize::MAX).iter() {
            packed.clear();
            // What examples are called matters to dropout alone.
            batch.clone().for_each(|at| packed.push(&encoded.input_ids(at), 0, None));
            let layout = Layout::new(&packed.cu_seqlens, &packed.example_ids);
            let of_batch = self.network.logits(Batch { ids: &packed.input_ids, layout: &layout }, activations);
            for (at, row) in batch.zip(of_batch.chunks_exact(classes)) {
                let place = &mut logits[at * classes..(at + 1) * classes];
                place.iter_mut().zip(row).for_each(|(place, x)| *place = x * raw);
            }
            done += packed.tokens();
            if progress(done).is_break() {
                return Err(Error::Stopped);
            }
        }
        match logits.iter().position(|x| !x.is_finite()) {
            Some(at) => Err(Error::NotFinite { row: at / classes + 1 }),
            None => Ok(logits),
        }
    }

    /// Probabilities of all classes for each text, in their order.
    ///
    /// # Errors
    /// A text that the tokeniser refuses, logits that are not finite.
    pub fn predict<T: AsRef<str> + Sync>(
        &self,
        texts: &[T],
        activations: &mut Activations<B>,
    ) -> Result<Vec<Prediction>, Error> {
        const TOKENS_AT_ONCE: usize = 4096;
        let encoded = dataset::encode(&self.tokenizer, texts, self.max_length)?;
        let logits = self.logits(&encoded, TOKENS_AT_ONCE, activations, |_| ControlFlow::Continue(()))?;
        let predict = |logits: &[f32]| {
            let scores = softmax(logits);
            let best = |best: usize, at: usize| if scores[at] > scores[best] { at } else { best };
            let label = (0..scores.len()).fold(0, best);
            let abstains = self.calibration.abstain_below.is_some_and(|level| f64::from(scores[label]) < level);
            Prediction { label: u32::try_from(label).expect("fewer than 2^32 classes"), scores, abstains }
        };
        Ok(logits.chunks_exact(self.labels.len()).map(predict).collect())
    }
}

/// The tokeniser of a model folder, and how many tokens of a text are read: those asked for, or what the model allows. The
/// weights are not looked at.
///
/// # Errors
/// Files that are missing or damaged, an unsupported family, a `max_length` that the model cannot take.
pub fn load_tokenizer(folder: &Path, max_length: Option<usize>) -> Result<(Tokenizer, usize), Error> {
    let config = Config::read(&folder.join("config.json"))?;
    let tokenizer = Tokenizer::from_folder(folder)?;
    let max_length = allowed(&config, &tokenizer, max_length)?;
    Ok((tokenizer, max_length))
}

/// The longest text that model and tokeniser allow.
fn longest(config: &Config, tokenizer: &Tokenizer) -> usize {
    tokenizer.model_max_length().map_or(config.max_position_embeddings, |n| n.min(config.max_position_embeddings))
}

fn allowed(config: &Config, tokenizer: &Tokenizer, asked: Option<usize>) -> Result<usize, Error> {
    let Some(asked) = asked else { return Ok(longest(config, tokenizer)) };
    let (least, most) = (tokenizer.special_tokens() + 1, config.max_position_embeddings);
    if (least..=most).contains(&asked) { Ok(asked) } else { Err(Error::MaxLength { asked, least, most }) }
}
