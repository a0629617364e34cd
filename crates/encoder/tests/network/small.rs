//! Small networks and batches for them.

use encoder::{Config, Network, Values};
use kernels::{Backend, Layout, Part};
use serde_json::{Map, Value, json};

/// The sizes of a small network.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) words: usize,
    pub(crate) positions: usize,
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
    pub(crate) inner: usize,
    pub(crate) dropout: f64,
}

pub(crate) const FAMILIES: [&str; 2] = ["bert", "distilbert"];

/// The content of a `config.json` with two layers and three classes.
pub(crate) fn json_of(family: &str, sizes: Sizes) -> Map<String, Value> {
    let Sizes { words, positions, hidden, heads, inner, dropout } = sizes;
    let json = match family {
        "bert" => json!({
            "model_type": "bert", "vocab_size": words, "max_position_embeddings": positions, "hidden_size": hidden,
            "num_hidden_layers": 2, "num_attention_heads": heads, "intermediate_size": inner, "type_vocab_size": 2,
            "hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout,
        }),
        "distilbert" => json!({
            "model_type": "distilbert", "vocab_size": words, "max_position_embeddings": positions, "dim": hidden,
            "n_layers": 2, "n_heads": heads, "hidden_dim": inner,
            "dropout": dropout, "attention_dropout": dropout, "seq_classif_dropout": dropout,
        }),
        other => panic!("no small {other}"),
    };
    let mut json = json.as_object().cloned().unwrap();
    json.insert("initializer_range".into(), json!(0.5));
    json.insert("id2label".into(), json!({"0": "no", "1": "maybe", "2": "yes"}));
    json
}

pub(crate) fn config(family: &str, sizes: Sizes) -> Config {
    Config::from_json(json_of(family, sizes), "config.json".as_ref()).unwrap()
}

pub(crate) fn network<B: Backend>(backend: B, family: &str, sizes: Sizes) -> Network<B> {
    let config = config(family, sizes);
    let values = Values::new(&config, 11);
    Network::new(backend, config, values)
}

/// Token ids, labels and lengths of some texts; each is called by its number.
#[derive(Clone, Default)]
pub(crate) struct Texts {
    pub(crate) ids: Vec<Vec<u32>>,
    pub(crate) labels: Vec<u32>,
}

impl Texts {
    pub(crate) fn new(words: usize, lengths: &[usize]) -> Self {
        let mut state = 5_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as usize % below) as u32
        };
        let ids = lengths.iter().map(|&length| (0..length).map(|_| next(words)).collect()).collect();
        Self { ids, labels: lengths.iter().map(|_| next(3)).collect() }
    }

    /// Ids one after another, their layout and labels, of these texts in this order.
    pub(crate) fn pack(&self, texts: &[usize]) -> (Vec<u32>, Layout, Vec<u32>) {
        let (mut ids, mut ends) = (Vec::new(), vec![0]);
        for &text in texts {
            ids.extend(&self.ids[text]);
            ends.push(ids.len() as u32);
        }
        let names: Vec<u64> = texts.iter().map(|&text| text as u64).collect();
        (ids, Layout::new(&ends, &names), texts.iter().map(|&text| self.labels[text]).collect())
    }
}

/// A part of every weight that has it, by the name of its first tensor, as bits.
pub(crate) fn bits<B: Backend>(network: &Network<B>, part: Part) -> Vec<(String, Vec<u32>)> {
    let tensors = network.tensors(part);
    tensors.map(|(name, _, values)| (name.to_owned(), values.iter().map(|x| x.to_bits()).collect())).collect()
}
