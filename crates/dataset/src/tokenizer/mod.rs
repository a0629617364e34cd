//! Text to token ids, by the `tokenizers` library.
//!
//! A tokeniser comes from a model folder (`tokenizer.json`, or the `vocab.txt` of older BERT checkpoints, see `bert`) or is
//! learnt from texts (see `learn`). Whatever padding and truncation a folder's file asks for is ignored: the caller says
//! how long a text may be, and nothing is ever padded.

mod bert;
mod learn;
mod words;

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Map, Value};
use tokenizers::{PostProcessor, TruncationDirection};

use crate::{Error, Result};
use words::Words;

pub use learn::train_wordpiece;

/// A length above this in `tokenizer_config.json` is how `transformers` writes "no limit".
const NO_LIMIT: u64 = 1_000_000_000;

/// A tokeniser and what its folder says of it.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// `tokenizer.json` without padding and truncation: what is saved, and what caches are keyed by.
    json: String,
    /// `tokenizer_config.json`, kept for saving.
    config: Map<String, Value>,
    special_tokens: usize,
    /// What is remembered of the words of texts, where that gives the same ids.
    words: Option<Arc<Words>>,
}

/// The ids of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenIds {
    /// With special tokens, cut to the length asked for.
    pub ids: Vec<u32>,
    /// How many there would be uncut.
    pub full_len: usize,
}

/// One token of a text, for people to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its id.
    pub id: u32,
    /// As the vocabulary spells it.
    pub token: String,
    /// The bytes of the text that it stands for; empty for a special token.
    pub bytes: Range<usize>,
    /// Whether the tokeniser added it, as `[CLS]`.
    pub special: bool,
}

impl Tokenizer {
    /// Loads the tokeniser of a model folder.
    ///
    /// # Errors
    /// When there is none, or a file of it cannot be read or used.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let config = read_config(&folder.join("tokenizer_config.json"))?;
        let json = folder.join("tokenizer.json");
        let vocabulary = folder.join("vocab.txt");
        let inner = if json.is_file() {
            let bytes = fs::read(&json).map_err(|error| unusable(&json, error))?;
            tokenizers::Tokenizer::from_bytes(&bytes).map_err(|error| unusable(&json, error))?
        } else if vocabulary.is_file() {
            bert::from_vocabulary(&vocabulary, &config)?
        } else {
            return Err(Error::NoTokenizer { folder: folder.to_owned() });
        };
        let file = if json.is_file() { json } else { vocabulary };
        Self::new(inner, config, &file)
    }

    fn new(mut inner: tokenizers::Tokenizer, config: Map<String, Value>, file: &Path) -> Result<Self> {
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| unusable(file, error))?;
        let json = inner.to_string(false).map_err(|error| unusable(file, error))?;
        let special_tokens = inner.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        let words = Words::of(&inner).map(Arc::new);
        Ok(Self { inner, json, config, special_tokens, words })
    }

    /// The ids of a text with special tokens, cut on the right to at most `max_length` of them.
    ///
    /// # Errors
    /// When the library refuses the text, or `max_length` leaves no room beside the special tokens.
    pub fn encode(&self, text: &str, max_length: usize) -> Result<TokenIds> {
        let room = max_length.checked_sub(self.special_tokens).filter(|room| *room > 0);
        let room = room.ok_or(Error::TooShort { max_length, special: self.special_tokens })?;
        if let Some(words) = &self.words
            && let Some(mut ids) = words.ids(&self.inner, text).map_err(refused)?
        {
            let full_len = ids.len() + self.special_tokens;
            ids.truncate(room);
            return Ok(TokenIds { ids: words.wrap(&ids), full_len });
        }
        // Cut by hand and not by the library, which does not say how long the text was.
        let mut encoding = self.inner.encode_fast(text, false).map_err(refused)?;
        let full_len = encoding.len() + self.special_tokens;
        if full_len > max_length {
            encoding.truncate(room, 0, TruncationDirection::Right);
            encoding.take_overflowing();
        }
        let encoding = self.inner.post_process(encoding, None, true).map_err(refused)?;
        if encoding.is_empty() {
            let reason = "expected special tokens such as [CLS] around every text, found a tokenizer that adds none";
            return Err(Error::Tokenize { reason: reason.to_owned() });
        }
        Ok(TokenIds { ids: encoding.get_ids().to_vec(), full_len })
    }

    /// The tokens of a text with their spelling and place, uncut.
    ///
    /// # Errors
    /// When the library refuses the text.
    pub fn pieces(&self, text: &str) -> Result<Vec<Piece>> {
        let encoding = self.inner.encode(text, true).map_err(refused)?;
        let tokens = encoding.get_ids().iter().zip(encoding.get_tokens());
        let places = encoding.get_offsets().iter().zip(encoding.get_special_tokens_mask());
        Ok(tokens
            .zip(places)
            .map(|((&id, token), (&(start, end), &special))| Piece {
                id,
                token: token.clone(),
                bytes: start..end,
                special: special == 1,
            })
            .collect())
    }

    /// How many ids there can be: one more than the largest.
    pub fn vocab_size(&self) -> usize {
        let largest = self.inner.get_vocab(true).into_values().max();
        largest.map_or(0, |id| id as usize + 1)
    }

    /// The id of a token.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// How many special tokens every text gets.
    pub fn special_tokens(&self) -> usize {
        self.special_tokens
    }

    /// How many tokens the folder says the model takes, where it says so.
    pub fn model_max_length(&self) -> Option<usize> {
        let length = self.config.get("model_max_length")?.as_u64()?;
        (length > 0 && length < NO_LIMIT).then_some(length as usize)
    }

    /// `tokenizer.json` without padding and truncation; equal for equal tokenisers.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Writes `tokenizer.json` and `tokenizer_config.json`, the latter with `max_length` as `model_max_length`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn save(&self, folder: &Path, max_length: usize) -> Result<()> {
        let mut config = self.config.clone();
        config.insert("model_max_length".to_owned(), Value::from(max_length));
        let config = format!("{:#}\n", Value::Object(config));
        for (name, content) in [("tokenizer.json", self.json.as_str()), ("tokenizer_config.json", &config)] {
            let file = folder.join(name);
            fs::write(&file, content).map_err(|source| Error::Write { file, source })?;
        }
        Ok(())
    }
}

fn read_config(file: &PathBuf) -> Result<Map<String, Value>> {
    if !file.is_file() {
        return Ok(Map::new());
    }
    let bytes = fs::read(file).map_err(|error| unusable(file, error))?;
    serde_json::from_slice(&bytes).map_err(|error| unusable(file, error))
}

fn unusable(file: &Path, error: impl std::fmt::Display) -> Error {
    Error::TokenizerFile { file: file.to_owned(), reason: error.to_string() }
}

fn refused(error: tokenizers::Error) -> Error {
    Error::Tokenize { reason: error.to_string() }
}
