//! Several runs side by side: what was told to them differently, and what came out.

use indexmap::IndexSet;
use serde::Serialize;
use serde_json::Value;

use crate::figures::is_bound;
use crate::{Entry, Interval, Paired, Problem, Run, interval, paired};

/// Settings that say where a run is or how it is shown, not what it learns.
const OF_NO_MATTER: [&str; 8] = ["output", "overwrite", "resume", "quiet", "json", "run_name", "dry_run", "output_dir"];

/// Several runs side by side; what is in a list of a row stands in the order of `runs`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The runs.
    pub runs: Vec<Entry>,
    /// What was told to them differently: settings, model, files of rows.
    pub settings: Vec<Row<Value>>,
    /// What came out.
    pub figures: Vec<Row<Interval>>,
    /// For each two runs that were tested on the same rows, how their predictions differ.
    pub paired: Vec<Pair>,
    /// Predictions that cannot be compared.
    pub problems: Vec<Problem>,
}

/// One thing of all runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row<T> {
    /// What it is.
    pub name: String,
    /// What it is of each run; nothing where the run has none.
    pub values: Vec<Option<T>>,
}

/// Two of the runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// The place of the first in the list of runs.
    pub first: usize,
    /// The place of the second.
    pub second: usize,
    /// How their predictions differ.
    #[serde(flatten)]
    pub paired: Paired,
    /// How probable a difference at least as large is where both are equally good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
}

/// Puts runs side by side. `test` is the test of a difference between two of them.
pub fn compare(runs: &[Run], test: impl Fn(&Paired) -> Option<f64>) -> Comparison {
    let (mut pairs, mut problems) = (Vec::new(), Vec::new());
    for (first, a) in runs.iter().enumerate() {
        for (second, b) in runs.iter().enumerate().skip(first + 1) {
            match paired(&a.entry.folder, &b.entry.folder) {
                Ok(found) => pairs.extend(found.map(|paired| Pair { first, second, p_value: test(&paired), paired })),
                Err(error) => problems.push(Problem { folder: b.entry.folder.clone(), what: error.to_string() }),
            }
        }
    }
    Comparison {
        runs: runs.iter().map(|run| run.entry.clone()).collect(),
        settings: settings(runs),
        figures: figures(runs),
        paired: pairs,
        problems,
    }
}

fn settings(runs: &[Run]) -> Vec<Row<Value>> {
    let names: IndexSet<&String> = runs.iter().flat_map(|run| run.info.settings.keys()).collect();
    let told = names.into_iter().filter(|name| !OF_NO_MATTER.contains(&name.as_str()));
    let row = |name: &str, value: &dyn Fn(&Run) -> Option<Value>| Row {
        name: name.to_owned(),
        values: runs.iter().map(value).collect(),
    };
    let mut rows = vec![
        row("tunesmith", &|run| Some(run.info.version.clone().into())),
        row("model", &|run| Some(run.info.model.source.clone().into())),
        row("rows of", &|run| Some(files(run).into())),
    ];
    rows.extend(
        told.filter(|name| *name != "model").map(|name| row(name, &|run| run.info.settings.get(name).cloned())),
    );
    rows.retain(|row| row.values.windows(2).any(|two| two[0] != two[1]));
    rows
}

/// The files of rows, each with the beginning of its digest: files of one name may differ.
fn files(run: &Run) -> String {
    let file = |file: &journal::DataFile| {
        let digest: Option<String> = file.digest.as_ref().map(|digest| digest.chars().take(8).collect());
        digest.map_or_else(|| file.path.clone(), |digest| format!("{} ({digest})", file.path))
    };
    run.info.data.files.iter().map(file).collect::<Vec<_>>().join(", ")
}

fn figures(runs: &[Run]) -> Vec<Row<Interval>> {
    let figures = |run: &Run| run.entry.summary.figures.clone();
    let all: Vec<_> = runs.iter().map(figures).collect();
    let names: IndexSet<&String> = all.iter().flat_map(|figures| figures.keys()).collect();
    let mut names: Vec<&String> =
        names.into_iter().filter(|name| !all.iter().any(|figures| is_bound(figures, name))).collect();
    // What was measured on test rows first; within that the order in which runs say it.
    names.sort_by_key(|name| {
        ["test_", "eval_", "train_"].iter().position(|prefix| name.starts_with(prefix)).unwrap_or(3)
    });
    let row =
        |name: &String| Row { name: name.clone(), values: all.iter().map(|figures| interval(figures, name)).collect() };
    names.into_iter().map(row).collect()
}
