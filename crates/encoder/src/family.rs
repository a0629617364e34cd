//! Families of encoders as data: how each names its settings and weights, and how it arranges the block.
//!
//! A new family is a value here. Where it arranges a block in a way that no variant below describes yet, the variant
//! is added and [`crate::Network`] learns it; the rest of the house does not notice.

use kernels::Activation;

/// One family: everything that differs between BERT and its relatives.
#[derive(Debug)]
pub struct Family {
    /// `model_type` in `config.json`.
    pub model_type: &'static str,
    /// The class of `transformers` that a saved classifier names in `architectures`.
    pub architecture: &'static str,
    /// What stands before the weights of the encoder in a checkpoint with a head, and is absent in one without.
    pub prefix: &'static str,
    /// Keys of `config.json`.
    pub keys: Keys,
    /// Names of weights.
    pub names: Names,
    /// What the classification head does to the first token before the classifier.
    pub head_activation: Activation,
    /// Whether the attention's output projection is followed by the hidden dropout.
    pub drops_attention_output: bool,
    /// `layer_norm_eps` where the configuration has no such key.
    pub layer_norm_eps: f64,
}

/// How a family spells the settings in `config.json`.
#[derive(Debug)]
pub struct Keys {
    /// H.
    pub hidden_size: &'static str,
    /// Number of layers.
    pub num_hidden_layers: &'static str,
    /// A.
    pub num_attention_heads: &'static str,
    /// F.
    pub intermediate_size: &'static str,
    /// Activation of the feed-forward part.
    pub hidden_act: &'static str,
    /// Dropout after embeddings and feed-forward part.
    pub hidden_dropout: &'static str,
    /// Dropout on attention probabilities.
    pub attention_dropout: &'static str,
    /// Dropout before the classifier; where it is null or absent, `hidden_dropout` stands in if
    /// `classifier_dropout_default` is `None`.
    pub classifier_dropout: &'static str,
    /// The classifier's dropout where the key is absent; `None`: the hidden dropout.
    pub classifier_dropout_default: Option<f64>,
    /// Size of the token type table, where the family has one.
    pub type_vocab_size: Option<&'static str>,
}

/// How a family names its weights; `{}` is the layer's number. Each name gets `.weight` and, but for tables, `.bias`.
#[derive(Debug)]
pub struct Names {
    /// Word, position and (where there is one) token type tables.
    pub words: &'static str,
    /// Position table.
    pub positions: &'static str,
    /// Token type table, where the family has one.
    pub types: Option<&'static str>,
    /// Normalisation of the embeddings.
    pub embeddings_norm: &'static str,
    /// Query, key and value projections.
    pub qkv: [&'static str; 3],
    /// Output projection of the attention.
    pub attention_output: &'static str,
    /// Normalisation after the attention.
    pub attention_norm: &'static str,
    /// First and second linear layer of the feed-forward part.
    pub intermediate: &'static str,
    /// Second linear layer of the feed-forward part.
    pub output: &'static str,
    /// Normalisation after the feed-forward part.
    pub output_norm: &'static str,
    /// The head's dense layer; with its full name, since for BERT it belongs to the encoder and for DistilBERT not.
    pub head_dense: &'static str,
    /// The classifier, full name.
    pub classifier: &'static str,
}

/// Devlin et al. 2018, arXiv 1810.04805; `transformers` 5.23 `models/bert/modeling_bert.py`.
pub const BERT: Family = Family {
    model_type: "bert",
    architecture: "BertForSequenceClassification",
    prefix: "bert.",
    keys: Keys {
        hidden_size: "hidden_size",
        num_hidden_layers: "num_hidden_layers",
        num_attention_heads: "num_attention_heads",
        intermediate_size: "intermediate_size",
        hidden_act: "hidden_act",
        hidden_dropout: "hidden_dropout_prob",
        attention_dropout: "attention_probs_dropout_prob",
        classifier_dropout: "classifier_dropout",
        classifier_dropout_default: None,
        type_vocab_size: Some("type_vocab_size"),
    },
    names: Names {
        words: "embeddings.word_embeddings",
        positions: "embeddings.position_embeddings",
        types: Some("embeddings.token_type_embeddings"),
        embeddings_norm: "embeddings.LayerNorm",
        qkv: [
            "encoder.layer.{}.attention.self.query",
            "encoder.layer.{}.attention.self.key",
            "encoder.layer.{}.attention.self.value",
        ],
        attention_output: "encoder.layer.{}.attention.output.dense",
        attention_norm: "encoder.layer.{}.attention.output.LayerNorm",
        intermediate: "encoder.layer.{}.intermediate.dense",
        output: "encoder.layer.{}.output.dense",
        output_norm: "encoder.layer.{}.output.LayerNorm",
        head_dense: "bert.pooler.dense",
        classifier: "classifier",
    },
    head_activation: Activation::Tanh,
    drops_attention_output: true,
    layer_norm_eps: 1e-12,
};

/// Sanh et al. 2019, arXiv 1910.01108; `transformers` 5.23 `models/distilbert/modeling_distilbert.py`.
pub const DISTILBERT: Family = Family {
    model_type: "distilbert",
    architecture: "DistilBertForSequenceClassification",
    prefix: "distilbert.",
    keys: Keys {
        hidden_size: "dim",
        num_hidden_layers: "n_layers",
        num_attention_heads: "n_heads",
        intermediate_size: "hidden_dim",
        hidden_act: "activation",
        hidden_dropout: "dropout",
        attention_dropout: "attention_dropout",
        classifier_dropout: "seq_classif_dropout",
        classifier_dropout_default: Some(0.2),
        type_vocab_size: None,
    },
    names: Names {
        words: "embeddings.word_embeddings",
        positions: "embeddings.position_embeddings",
        types: None,
        embeddings_norm: "embeddings.LayerNorm",
        qkv: [
            "transformer.layer.{}.attention.q_lin",
            "transformer.layer.{}.attention.k_lin",
            "transformer.layer.{}.attention.v_lin",
        ],
        attention_output: "transformer.layer.{}.attention.out_lin",
        attention_norm: "transformer.layer.{}.sa_layer_norm",
        intermediate: "transformer.layer.{}.ffn.lin1",
        output: "transformer.layer.{}.ffn.lin2",
        output_norm: "transformer.layer.{}.output_layer_norm",
        head_dense: "pre_classifier",
        classifier: "classifier",
    },
    head_activation: Activation::Relu,
    drops_attention_output: false,
    layer_norm_eps: 1e-12,
};

/// All families, in the order error messages list them.
pub const FAMILIES: [&Family; 2] = [&BERT, &DISTILBERT];

impl Family {
    /// The family that `config.json` calls `model_type`.
    #[must_use]
    pub fn named(model_type: &str) -> Option<&'static Self> {
        FAMILIES.into_iter().find(|family| family.model_type == model_type)
    }
}
