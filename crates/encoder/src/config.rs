//! `config.json`: what the network needs of it, and the whole of it to write back.

use std::path::{Path, PathBuf};

use kernels::{Activation, Heads};
use serde_json::{Map, Value, json};

use crate::family::{FAMILIES, Family};

/// The key of what this program keeps in the file.
const OWN: &str = "tunesmith";

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no JSON object.
    #[error("parse {path}: expected a JSON object, {found}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        found: String,
    },
    /// A key is missing or holds something else than expected.
    #[error("use {path}: key {key:?} must be {expected}, found {found}")]
    Key {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What is allowed.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A family nobody here knows.
    #[error("use {path}: model_type {found:?} is not supported; supported are {supported}")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What `model_type` says.
        found: String,
        /// The supported families.
        supported: String,
    },
}

/// The configuration of an encoder with a classification head.
#[derive(Clone, Debug)]
pub struct Config {
    /// How this family names and arranges things.
    pub family: &'static Family,
    /// V, the number of words.
    pub vocab_size: usize,
    /// H.
    pub hidden_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// A.
    pub num_attention_heads: usize,
    /// F.
    pub intermediate_size: usize,
    /// The longest text, in tokens.
    pub max_position_embeddings: usize,
    /// Rows of the token type table; 0 where the family has none.
    pub type_vocab_size: usize,
    /// Activation of the feed-forward part.
    pub hidden_act: Activation,
    /// Dropout after embeddings and feed-forward part.
    pub hidden_dropout: f32,
    /// Dropout on attention probabilities.
    pub attention_dropout: f32,
    /// Dropout after the attention's output projection.
    pub attention_output_dropout: f32,
    /// Dropout before the classifier.
    pub classifier_dropout: f32,
    /// Added to the variance by LayerNorm.
    pub layer_norm_eps: f32,
    /// Standard deviation of new weights.
    pub initializer_range: f32,
    /// The word whose embedding takes no gradient.
    pub pad_token_id: Option<u32>,
    /// Whether the position table learns; sinusoidal ones do not.
    pub positions_learn: bool,
    labels: Vec<String>,
    json: Map<String, Value>,
}

impl Config {
    /// Reads `config.json`.
    ///
    /// # Errors
    /// A file that cannot be read, is no JSON object, names an unsupported family or holds impossible values.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let value: Value = serde_json::from_slice(&text)
            .map_err(|error| ConfigError::Parse { path: path.to_owned(), found: error.to_string() })?;
        match value {
            Value::Object(json) => Self::from_json(json, path),
            other => Err(ConfigError::Parse { path: path.to_owned(), found: format!("found {}", kind(&other)) }),
        }
    }

    /// Understands the content of a `config.json`; `path` is for error messages.
    ///
    /// # Errors
    /// An unsupported family, a missing key, an impossible value.
    pub fn from_json(json: Map<String, Value>, path: &Path) -> Result<Self, ConfigError> {
        let read = Reader { json: &json, path };
        let found = read.text("model_type")?.unwrap_or_default();
        let family = Family::named(found).ok_or_else(|| ConfigError::Unsupported {
            path: path.to_owned(),
            found: found.to_owned(),
            supported: FAMILIES.map(|family| family.model_type).join(", "),
        })?;
        let keys = &family.keys;
        read.refuse("position_embedding_type", |value| value != "absolute", "\"absolute\"")?;
        for key in ["is_decoder", "add_cross_attention"] {
            read.refuse(key, |value| value != &Value::Bool(false), "false")?;
        }
        read.refuse("quantization_config", |_| true, "absent: quantised checkpoints are not supported")?;
        let single = "\"single_label_classification\": one label for each text";
        read.refuse("problem_type", |value| value != "single_label_classification", single)?;

        let hidden_dropout = read.probability(keys.hidden_dropout)?.unwrap_or(0.1);
        let classifier_dropout = read.probability(keys.classifier_dropout)?;
        let config = Self {
            family,
            vocab_size: read.count("vocab_size")?,
            hidden_size: read.count(keys.hidden_size)?,
            num_hidden_layers: read.layers(keys.num_hidden_layers)?,
            num_attention_heads: read.count(keys.num_attention_heads)?,
            intermediate_size: read.count(keys.intermediate_size)?,
            max_position_embeddings: read.count("max_position_embeddings")?,
            type_vocab_size: keys.type_vocab_size.map_or(Ok(0), |key| read.count(key))?,
            hidden_act: read.activation(keys.hidden_act)?,
            hidden_dropout,
            attention_dropout: read.probability(keys.attention_dropout)?.unwrap_or(0.1),
            attention_output_dropout: if family.drops_attention_output { hidden_dropout } else { 0.0 },
            classifier_dropout: classifier_dropout
                .or(keys.classifier_dropout_default.map(single_precision))
                .unwrap_or(hidden_dropout),
            layer_norm_eps: read.zero_to_one("layer_norm_eps")?.unwrap_or(single_precision(family.layer_norm_eps)),
            initializer_range: read.zero_to_one("initializer_range")?.unwrap_or(0.02),
            pad_token_id: read.id("pad_token_id")?,
            positions_learn: json.get("sinusoidal_pos_embds") != Some(&Value::Bool(true)),
            labels: read.labels()?,
            json: Map::new(),
        };
        if !config.hidden_size.is_multiple_of(config.num_attention_heads) {
            let expected = format!("a divisor of {} ({})", keys.hidden_size, config.hidden_size);
            return Err(read.error(keys.num_attention_heads, &expected));
        }
        Ok(Self { json, ..config })
    }

    /// Names of the classes, in the order of their ids.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// C, the number of classes.
    #[must_use]
    pub fn num_labels(&self) -> usize {
        self.labels.len()
    }

    /// Heads and their width.
    #[must_use]
    pub fn heads(&self) -> Heads {
        Heads { count: self.num_attention_heads, width: self.hidden_size / self.num_attention_heads }
    }

    /// The same encoder with a head for these classes. What was kept of the head before is forgotten.
    #[must_use]
    pub fn with_labels(mut self, labels: &[String]) -> Self {
        self.labels = labels.to_vec();
        self.json.shift_remove(OWN);
        self
    }

    /// What this program keeps beside what the network needs: other readers of the file pass over it.
    #[must_use]
    pub fn own(&self) -> Option<&Value> {
        self.json.get(OWN)
    }

    /// Replaces [`Config::own`].
    pub fn set_own(&mut self, own: Value) {
        self.json.insert(OWN.into(), own);
    }

    /// The configuration as `transformers` writes that of a classifier: all keys that were read, with the classes, the
    /// architecture and the type of the weights brought up to date.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut json = self.json.clone();
        // The first name is how `transformers` 4 spelled `dtype`; the second is a path on somebody's machine.
        for stale in ["torch_dtype", "_name_or_path", "num_labels"] {
            json.shift_remove(stale);
        }
        let numbered = self.labels.iter().enumerate();
        json.insert("architectures".into(), json!([self.family.architecture]));
        json.insert("dtype".into(), json!("float32"));
        json.insert(
            "id2label".into(),
            numbered.clone().map(|(id, label)| (id.to_string(), json!(label))).collect::<Map<_, _>>().into(),
        );
        json.insert(
            "label2id".into(),
            numbered.map(|(id, label)| (label.clone(), json!(id))).collect::<Map<_, _>>().into(),
        );
        json.insert("problem_type".into(), json!("single_label_classification"));
        json
    }
}

#[expect(clippy::cast_possible_truncation, reason = "settings are used in single precision")]
fn single_precision(x: f64) -> f32 {
    x as f32
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
        other => other.to_string(),
    }
}

/// Typed reading of keys, with errors that name the file and the key.
struct Reader<'a> {
    json: &'a Map<String, Value>,
    path: &'a Path,
}

impl<'a> Reader<'a> {
    /// A key's value; null counts as absent, as it does in `transformers`.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.json.get(key).filter(|value| !value.is_null())
    }

    fn error(&self, key: &str, expected: &str) -> ConfigError {
        ConfigError::Key {
            path: self.path.to_owned(),
            key: key.to_owned(),
            expected: expected.to_owned(),
            found: self.json.get(key).map_or("nothing".to_owned(), kind),
        }
    }

    fn typed<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        self.get(key).map(|value| read(value).ok_or_else(|| self.error(key, expected))).transpose()
    }

    fn refuse(&self, key: &str, refused: impl FnOnce(&Value) -> bool, expected: &str) -> Result<(), ConfigError> {
        match self.get(key) {
            Some(value) if refused(value) => Err(self.error(key, expected)),
            _ => Ok(()),
        }
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, ConfigError> {
        self.typed(key, "a string", Value::as_str)
    }

    fn zero_to_one(&self, key: &str) -> Result<Option<f32>, ConfigError> {
        let read = |value: &Value| value.as_f64().map(single_precision).filter(|x| (0.0..=1.0).contains(x));
        self.typed(key, "a number from 0 to 1", read)
    }

    fn probability(&self, key: &str) -> Result<Option<f32>, ConfigError> {
        // Rounded first: what is a little less than 1 becomes 1.
        let read = |value: &Value| value.as_f64().map(single_precision).filter(|p| (0.0..1.0).contains(p));
        self.typed(key, "a number from 0 to below 1", read)
    }

    /// A size from 1 to 2^24: larger ones are no sizes of any encoder, and would overflow products of two.
    fn count(&self, key: &str) -> Result<usize, ConfigError> {
        self.count_to(key, 1 << 24)
    }

    /// Fewer layers than sizes: the parameters of each are listed before the first is read.
    fn layers(&self, key: &str) -> Result<usize, ConfigError> {
        self.count_to(key, 1 << 12)
    }

    fn count_to(&self, key: &str, most: u64) -> Result<usize, ConfigError> {
        let expected = format!("a whole number from 1 to {most}");
        let read = |value: &Value| value.as_u64().filter(|n| (1..=most).contains(n));
        let count = self.typed(key, &expected, read)?.ok_or_else(|| self.error(key, &expected))?;
        usize::try_from(count).map_err(|_| self.error(key, &expected))
    }

    fn id(&self, key: &str) -> Result<Option<u32>, ConfigError> {
        self.typed(key, "a token id", |value| value.as_u64().and_then(|id| u32::try_from(id).ok()))
    }

    fn activation(&self, key: &str) -> Result<Activation, ConfigError> {
        let read = |value: &Value| match value.as_str()? {
            "gelu" => Some(Activation::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" => Some(Activation::GeluTanh),
            "relu" => Some(Activation::Relu),
            "tanh" => Some(Activation::Tanh),
            _ => None,
        };
        let expected = "one of gelu, gelu_new, gelu_pytorch_tanh, relu, tanh";
        Ok(self.typed(key, expected, read)?.unwrap_or(Activation::Gelu))
    }

    /// `id2label` in the order of its numbers, or as many `LABEL_n` as `num_labels` says (2 by default).
    fn labels(&self) -> Result<Vec<String>, ConfigError> {
        let expected = "an object from every number 0, 1, … to a name of its own";
        if let Some(names) = self.typed("id2label", expected, Value::as_object)? {
            let mut labels = vec![None; names.len()];
            for (id, name) in names {
                let place = id.parse::<usize>().ok().and_then(|id| labels.get_mut(id));
                *place.ok_or_else(|| self.error("id2label", expected))? = name.as_str().map(str::to_owned);
            }
            let labels: Option<Vec<String>> = labels.into_iter().collect();
            let distinct =
                |labels: &Vec<String>| labels.iter().collect::<std::collections::HashSet<_>>().len() == labels.len();
            return labels
                .filter(|labels| !labels.is_empty() && distinct(labels))
                .ok_or_else(|| self.error("id2label", expected));
        }
        let expected = "a number of labels from 1 to 65536";
        let read = |value: &Value| value.as_u64().filter(|n| (1..=65_536).contains(n));
        let count = self.typed("num_labels", expected, read)?.unwrap_or(2);
        Ok((0..count).map(|id| format!("LABEL_{id}")).collect())
    }
}
