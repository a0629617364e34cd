//! `tunesmith tokenize`: what a model's tokeniser makes of texts, for people to look at.

use std::io::{self, BufRead, Write};

use anyhow::Context;
use classifier::Parts;
use dataset::Tokenizer;
use serde::Serialize;

use crate::models::locate;
use crate::render::Fetching;

/// The flags of `tokenize`.
#[derive(clap::Args, Debug)]
pub(crate) struct TokenizeFlags {
    /// A model folder, or a name on the Hugging Face Hub
    model: String,

    /// The texts; without any, the lines of standard input
    texts: Vec<String>,

    /// Whether to print each text as a line of JSON
    #[arg(long)]
    json: Option<bool>,
}

/// Prints ids and pieces, uncut.
///
/// # Errors
/// When there is no such model, or its tokeniser cannot be used.
pub(crate) fn run(flags: &TokenizeFlags) -> anyhow::Result<()> {
    let model = locate(&flags.model, Parts::Tokenizer, &Fetching::quietly(flags.json.unwrap_or_default()))?;
    let Some(folder) = model.folder() else {
        anyhow::bail!("tokenize with {}: its vocabulary is learnt in training; name the folder of a run", flags.model)
    };
    let tokenizer = Tokenizer::from_folder(&folder).map_err(classifier::Error::from)?;
    let mut out = io::stdout().lock();
    let mut show = |number: usize, text: &str| show(&tokenizer, text, number, flags.json.unwrap_or_default(), &mut out);
    if flags.texts.is_empty() {
        for (number, line) in io::stdin().lock().lines().enumerate() {
            show(number, &line.context("read standard input")?)?;
        }
        return Ok(());
    }
    flags.texts.iter().enumerate().try_for_each(|(number, text)| show(number, text))
}

/// One text as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    text: &'a str,
    ids: Vec<u32>,
    pieces: Vec<String>,
}

/// A line per token, with a blank line between texts; or one line of JSON.
fn show(tokenizer: &Tokenizer, text: &str, number: usize, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let pieces = tokenizer.pieces(text)?;
    if json {
        let ids = pieces.iter().map(|piece| piece.id).collect();
        let pieces = pieces.into_iter().map(|piece| piece.token).collect();
        writeln!(out, "{}", serde_json::to_string(&Line { text, ids, pieces })?)?;
        return Ok(());
    }
    if number > 0 {
        writeln!(out)?;
    }
    for piece in pieces {
        writeln!(out, "{:>7}  {}", piece.id, piece.token)?;
    }
    Ok(())
}
