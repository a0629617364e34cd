//! Learning a WordPiece vocabulary: the same texts give the same bytes, every time and with any number of threads.
//!
//! The library's trainer walks a hash map whose order changes from run to run, and with it the ids. This one counts words
//! into a sorted list and then merges the most frequent pair of pieces until the vocabulary is full, as
//! R. Sennrich, B. Haddow and A. Birch, "Neural Machine Translation of Rare Words with Subword Units" (ACL 2016) do and
//! as the library's `WordPieceTrainer` does; of equally frequent pairs the one of the smaller ids goes first.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use ahash::{AHashMap, AHashSet};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
    normalizers::BertNormalizer, pre_tokenizers::bert::BertPreTokenizer,
};

use super::{
    Tokenizer,
    bert::{SpecialTokens, build},
};
use crate::{Error, Result, TextList};

/// Characters beyond the most frequent of this number are unknown: what BERT's own trainer keeps.
const ALPHABET: usize = 1000;
/// A pair must occur this often to become a piece.
const MIN_FREQUENCY: u64 = 2;
/// A word longer than this is never split by the model, so nothing is learnt from it.
const MAX_WORD_CHARS: usize = 100;
/// What marks a piece that goes on a word.
const PREFIX: &str = "##";

/// Learns a BERT tokeniser of at most `vocab_size` tokens from texts.
///
/// # Errors
/// When `vocab_size` has no room for the special tokens and the characters of the texts, or the texts have no words.
pub fn train_wordpiece<T: TextList + ?Sized>(texts: &T, vocab_size: usize, lowercase: bool) -> Result<Tokenizer> {
    let normalizer = BertNormalizer::new(true, true, None, lowercase);
    let words = count_words(texts, &normalizer)?;
    if words.is_empty() {
        return Err(Error::Vocabulary { reason: "the texts have no words".to_owned() });
    }
    let special = SpecialTokens::default();
    let mut pieces = Pieces::new(&special, &words);
    if pieces.tokens.len() > vocab_size {
        let reason = format!(
            "{vocab_size} tokens were asked for, but the special tokens and characters alone are {}",
            pieces.tokens.len()
        );
        return Err(Error::Vocabulary { reason });
    }
    merge(&mut pieces, &words, vocab_size);
    let inner = build(pieces.tokens, &special, normalizer).map_err(|reason| Error::Vocabulary { reason })?;
    Tokenizer::new(inner, config(&special, lowercase), "tokenizer.json".as_ref())
}

fn config(special: &SpecialTokens, lowercase: bool) -> Map<String, Value> {
    let config = json!({
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lowercase,
        "tokenize_chinese_chars": true,
        "strip_accents": null,
        "pad_token": special.pad,
        "unk_token": special.unk,
        "cls_token": special.cls,
        "sep_token": special.sep,
        "mask_token": special.mask,
    });
    match config {
        Value::Object(config) => config,
        _ => Map::new(),
    }
}

/// The words of all texts and how often each occurs, sorted.
fn count_words<T: TextList + ?Sized>(texts: &T, normalizer: &BertNormalizer) -> Result<BTreeMap<String, u64>> {
    let refused = |error: tokenizers::Error| Error::Vocabulary { reason: error.to_string() };
    let counts = (0..texts.len())
        .into_par_iter()
        .try_fold(AHashMap::new, |mut counts: AHashMap<String, u64>, at| {
            let mut normalized = NormalizedString::from(texts.text(at));
            normalizer.normalize(&mut normalized)?;
            let mut split = PreTokenizedString::from(normalized);
            BertPreTokenizer.pre_tokenize(&mut split)?;
            for (word, _, _) in split.get_splits(OffsetReferential::Normalized, OffsetType::None) {
                match counts.get_mut(word) {
                    Some(count) => *count += 1,
                    None => drop(counts.insert(word.to_owned(), 1)),
                }
            }
            Ok(counts)
        })
        .try_reduce(AHashMap::new, |mut all, part| {
            part.into_iter().for_each(|(word, count)| *all.entry(word).or_default() += count);
            Ok(all)
        })
        .map_err(refused)?;
    Ok(counts.into_iter().collect())
}

/// The vocabulary as it grows, and the words as sequences of its ids.
struct Pieces {
    tokens: Vec<String>,
    ids: AHashMap<String, u32>,
    words: Vec<Vec<u32>>,
}

impl Pieces {
    /// Special tokens, then characters that begin words, then characters that go on, each sorted.
    fn new(special: &SpecialTokens, words: &BTreeMap<String, u64>) -> Self {
        let alphabet = alphabet(words);
        let usable = |word: &str| word.chars().count() <= MAX_WORD_CHARS && word.chars().all(|c| alphabet.contains(&c));
        let mut sorted: Vec<char> = alphabet.iter().copied().collect();
        sorted.sort_unstable();

        let mut pieces = Self { tokens: Vec::new(), ids: AHashMap::new(), words: Vec::new() };
        for token in special.all() {
            pieces.add(token.clone());
        }
        for c in &sorted {
            pieces.add(c.to_string());
        }
        for c in &sorted {
            pieces.add(format!("{PREFIX}{c}"));
        }
        pieces.words = words
            .keys()
            .map(|word| match usable(word) {
                true => word
                    .char_indices()
                    .map(|(at, c)| pieces.ids[&if at == 0 { c.to_string() } else { format!("{PREFIX}{c}") }])
                    .collect(),
                false => Vec::new(),
            })
            .collect();
        pieces
    }

    fn add(&mut self, token: String) -> u32 {
        if let Some(&id) = self.ids.get(&token) {
            return id;
        }
        let id = self.tokens.len() as u32;
        self.ids.insert(token.clone(), id);
        self.tokens.push(token);
        id
    }

    fn joined(&self, (left, right): (u32, u32)) -> String {
        let right = &self.tokens[right as usize];
        format!("{}{}", self.tokens[left as usize], right.strip_prefix(PREFIX).unwrap_or(right))
    }
}

fn alphabet(words: &BTreeMap<String, u64>) -> AHashSet<char> {
    let mut counts: BTreeMap<char, u64> = BTreeMap::new();
    for (word, count) in words {
        word.chars().for_each(|c| *counts.entry(c).or_default() += count);
    }
    let mut order: Vec<(Reverse<u64>, char)> = counts.into_iter().map(|(c, count)| (Reverse(count), c)).collect();
    order.sort_unstable();
    order.into_iter().take(ALPHABET).map(|(_, c)| c).collect()
}

type Pair = (u32, u32);

/// How often each pair occurs, and in which words it may be found.
#[derive(Default)]
struct Pairs {
    counts: AHashMap<Pair, u64>,
    words: AHashMap<Pair, AHashSet<usize>>,
    /// The most frequent first, then the smaller ids. Counts in here may be out of date, never too small.
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
}

impl Pairs {
    fn count(&mut self, word: usize, pieces: &[u32], times: u64) {
        for pair in pieces.windows(2).map(|pair| (pair[0], pair[1])) {
            *self.counts.entry(pair).or_default() += times;
            self.words.entry(pair).or_default().insert(word);
        }
    }

    fn discount(&mut self, pieces: &[u32], times: u64) {
        for pair in pieces.windows(2).map(|pair| (pair[0], pair[1])) {
            if let Some(count) = self.counts.get_mut(&pair) {
                *count -= times;
            }
        }
    }

    /// The most frequent pair, if it is frequent enough.
    fn pop(&mut self) -> Option<Pair> {
        while let Some((count, Reverse(pair))) = self.queue.pop() {
            let now = self.counts.get(&pair).copied().unwrap_or(0);
            if now == count && now >= MIN_FREQUENCY {
                return Some(pair);
            }
            if now >= MIN_FREQUENCY {
                self.queue.push((now, Reverse(pair)));
            }
        }
        None
    }
}

fn merge(pieces: &mut Pieces, words: &BTreeMap<String, u64>, vocab_size: usize) {
    let times: Vec<u64> = words.values().copied().collect();
    let mut pairs = Pairs::default();
    for (word, sequence) in pieces.words.iter().enumerate() {
        pairs.count(word, sequence, times[word]);
    }
    pairs.queue = pairs.counts.iter().map(|(&pair, &count)| (count, Reverse(pair))).collect();

    while pieces.tokens.len() < vocab_size {
        let Some(pair) = pairs.pop() else { break };
        let joined = pieces.joined(pair);
        let id = pieces.add(joined);
        let mut changed: AHashSet<Pair> = AHashSet::new();
        for word in pairs.words.remove(&pair).unwrap_or_default() {
            let old = std::mem::take(&mut pieces.words[word]);
            let new = replace(&old, pair, id);
            if new.len() != old.len() {
                pairs.discount(&old, times[word]);
                pairs.count(word, &new, times[word]);
                changed
                    .extend(new.windows(2).map(|pair| (pair[0], pair[1])).filter(|pair| pair.0 == id || pair.1 == id));
            }
            pieces.words[word] = new;
        }
        pairs.counts.remove(&pair);
        // The queue orders every entry that differs, so it does not matter in which order they come in.
        pairs.queue.extend(changed.into_iter().map(|pair| (pairs.counts[&pair], Reverse(pair))));
    }
}

/// `sequence` with every occurrence of `pair`, from the left, as one piece.
fn replace(sequence: &[u32], pair: Pair, id: u32) -> Vec<u32> {
    let mut new = Vec::with_capacity(sequence.len());
    let mut at = 0;
    while at < sequence.len() {
        if at + 1 < sequence.len() && (sequence[at], sequence[at + 1]) == pair {
            new.push(id);
            at += 2;
        } else {
            new.push(sequence[at]);
            at += 1;
        }
    }
    new
}
