//! Models that start from nothing: for the built-in example, for tests, and for texts in no language a checkpoint knows.

use dataset::{TextList, Tokenizer};
use encoder::Config;
use serde_json::{Map, Value, json};

use crate::Error;

/// The sizes there are, with how many words, layers and columns each has.
pub const SCRATCH_SIZES: [(&str, ScratchSize); 1] =
    [("small", ScratchSize { vocab_size: 4000, layers: 2, hidden: 128, heads: 4, intermediate: 512, positions: 256 })];

/// How large a model is that starts from nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScratchSize {
    vocab_size: usize,
    layers: usize,
    hidden: usize,
    heads: usize,
    intermediate: usize,
    positions: usize,
}

/// The vocabulary and configuration of a BERT of this size for these texts. The vocabulary is a function of the texts
/// alone.
pub(crate) fn start<T: TextList + ?Sized>(size: &str, texts: &T) -> Result<(Tokenizer, Config), Error> {
    let (_, size) = SCRATCH_SIZES.iter().find(|(name, _)| *name == size).ok_or_else(|| Error::UnknownScratch {
        name: size.to_owned(),
        known: SCRATCH_SIZES.map(|(name, _)| name).join(", "),
    })?;
    let tokenizer = dataset::train_wordpiece(texts, size.vocab_size, true)?;
    let json = json!({
        "model_type": "bert",
        "vocab_size": tokenizer.vocab_size(),
        "hidden_size": size.hidden,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "intermediate_size": size.intermediate,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "classifier_dropout": null,
        "max_position_embeddings": size.positions,
        "type_vocab_size": 2,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-12,
        "pad_token_id": tokenizer.token_to_id("[PAD]"),
    });
    let json: Map<String, Value> = json.as_object().cloned().unwrap_or_default();
    Ok((tokenizer, Config::from_json(json, std::path::Path::new("config.json of a new model"))?))
}
