//! The same training under other seeds: `seeds.json` in the folder that holds the runs, as `train --seeds` writes it.

use std::path::Path;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Runs that differ in nothing but their seed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Seeds {
    /// Each of them, in the order in which they were done.
    pub runs: Vec<Seed>,
    /// How much each figure varies over them.
    pub spread: IndexMap<String, Spread>,
    /// The place of this run among them.
    #[serde(skip)]
    pub this: usize,
}

/// One of the runs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Seed {
    /// Its seed.
    pub seed: u64,
    /// Its figures, and whatever else it says in `all_results.json`.
    pub results: Map<String, Value>,
}

/// How much a figure varies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Spread {
    /// Mean over the runs.
    pub mean: f64,
    /// Standard deviation between runs; `None` of a single one.
    pub standard_deviation: Option<f64>,
    /// Lower end of the 95% interval of the mean.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

impl Seed {
    /// A figure.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.results.get(name)?.as_f64()
    }
}

/// Reads the file beside the run in `folder`, which is one of its runs where its folder is called by its seed.
pub(super) fn read(folder: &Path, unread: &mut Vec<String>) -> Option<Seeds> {
    let folder = folder.canonicalize().ok()?;
    let seed: u64 = folder.file_name()?.to_str()?.strip_prefix("seed-")?.parse().ok()?;
    let mut seeds: Seeds = super::json(folder.parent()?, "seeds.json", unread)?;
    seeds.this = seeds.runs.iter().position(|run| run.seed == seed)?;
    Some(seeds)
}
