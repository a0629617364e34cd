//! BERT's tokeniser built from parts, as `transformers` builds it where a folder has no `tokenizer.json`.
//!
//! Follows `BertTokenizer` of transformers 5.23.0 (`models/bert/tokenization_bert.py`): the same normaliser, pre-tokeniser,
//! model, decoder and template.

use std::{fs, path::Path};

use ahash::AHashMap;
use serde_json::{Map, Value};
use tokenizers::{
    AddedToken, decoders::wordpiece::WordPiece as WordPieceDecoder, models::wordpiece::WordPiece,
    normalizers::BertNormalizer, pre_tokenizers::bert::BertPreTokenizer, processors::template::TemplateProcessing,
};

use super::unusable;
use crate::{Error, Result};

/// The special tokens by their role.
#[derive(Debug, Clone)]
pub(super) struct SpecialTokens {
    pub(super) pad: String,
    pub(super) unk: String,
    pub(super) cls: String,
    pub(super) sep: String,
    pub(super) mask: String,
}

impl Default for SpecialTokens {
    fn default() -> Self {
        let token = |name: &str| format!("[{name}]");
        Self { pad: token("PAD"), unk: token("UNK"), cls: token("CLS"), sep: token("SEP"), mask: token("MASK") }
    }
}

impl SpecialTokens {
    /// In the order of the ids that a new vocabulary gives them.
    pub(super) fn all(&self) -> [&String; 5] {
        [&self.pad, &self.unk, &self.cls, &self.sep, &self.mask]
    }

    fn from_config(config: &Map<String, Value>) -> Self {
        let usual = Self::default();
        // A token is a string, or an object that says how it is matched.
        let token = |key: &str, usual: String| {
            let value = config.get(key);
            let text = value.and_then(|value| value.as_str().or_else(|| value.get("content")?.as_str()));
            text.map_or(usual, str::to_owned)
        };
        Self {
            pad: token("pad_token", usual.pad),
            unk: token("unk_token", usual.unk),
            cls: token("cls_token", usual.cls),
            sep: token("sep_token", usual.sep),
            mask: token("mask_token", usual.mask),
        }
    }
}

/// The tokeniser of a folder that has only a vocabulary.
pub(super) fn from_vocabulary(file: &Path, config: &Map<String, Value>) -> Result<tokenizers::Tokenizer> {
    if let Some(class) = config.get("tokenizer_class").and_then(Value::as_str) {
        let family = class.strip_suffix("Fast").unwrap_or(class);
        if !matches!(family, "BertTokenizer" | "DistilBertTokenizer") {
            let reason = format!("without tokenizer.json, expected a BertTokenizer, found {class}");
            return Err(Error::TokenizerFile { file: file.to_owned(), reason });
        }
    }
    let flag = |key: &str| config.get(key).and_then(Value::as_bool);
    if flag("do_basic_tokenize") == Some(false) {
        let reason = "do_basic_tokenize is false, which is not supported".to_owned();
        return Err(Error::TokenizerFile { file: file.to_owned(), reason });
    }
    let text = fs::read_to_string(file).map_err(|error| unusable(file, error))?;
    let tokens: Vec<String> = text.lines().map(str::to_owned).collect();
    let normalizer = BertNormalizer::new(
        true,
        flag("tokenize_chinese_chars").unwrap_or(true),
        flag("strip_accents"),
        flag("do_lower_case").unwrap_or(true),
    );
    build(tokens, &SpecialTokens::from_config(config), normalizer)
        .map_err(|reason| Error::TokenizerFile { file: file.to_owned(), reason })
}

/// A BERT tokeniser over a vocabulary; a token's id is its position.
pub(super) fn build(
    tokens: Vec<String>,
    special: &SpecialTokens,
    normalizer: BertNormalizer,
) -> Result<tokenizers::Tokenizer, String> {
    let words = |error: tokenizers::Error| error.to_string();
    let model = WordPiece::builder()
        .vocab(tokens.into_iter().zip(0..).collect::<AHashMap<String, u32>>())
        .unk_token(special.unk.clone())
        .build()
        .map_err(words)?;

    let mut tokenizer = tokenizers::Tokenizer::new(model);
    let id = |token: &String| {
        tokenizer.token_to_id(token).ok_or_else(|| format!("the vocabulary lacks the special token {token}"))
    };
    for token in special.all() {
        id(token)?;
    }
    let (cls, sep) = (&special.cls, &special.sep);
    let template = TemplateProcessing::builder()
        .try_single(format!("{cls}:0 $A:0 {sep}:0"))?
        .try_pair(format!("{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1"))?
        .special_tokens(vec![(cls.clone(), id(cls)?), (sep.clone(), id(sep)?)])
        .build()
        .map_err(|error| error.to_string())?;

    tokenizer.with_normalizer(Some(normalizer)).map_err(words)?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    tokenizer.with_post_processor(Some(template));
    tokenizer.with_decoder(Some(WordPieceDecoder::default()));
    let added = special.all().into_iter().map(|token| AddedToken::from(token.clone(), true));
    tokenizer.add_special_tokens(added).map_err(words)?;
    Ok(tokenizer)
}
