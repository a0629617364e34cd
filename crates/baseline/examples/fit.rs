//! Fits the baseline to one file and measures it on another: CSV with a text and then a label, and a header.
//!
//!     cargo run --release -p tunesmith-baseline --example fit -- train.csv test.csv [C]

use std::collections::BTreeSet;
use std::time::Instant;

use baseline::{Settings, fit};
use metrics::ClassificationMetrics;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [train, test, rest @ ..] = &arguments[..] else { return Err("expected two files".into()) };
    let c = rest.first().map(|c| c.parse()).transpose()?;
    let ((texts, names), (asked, truth)) = (read(train)?, read(test)?);
    let classes: Vec<&String> = names.iter().chain(&truth).collect::<BTreeSet<_>>().into_iter().collect();
    let ids = |names: &[String]| -> Vec<u32> {
        names.iter().map(|name| classes.binary_search(&name).unwrap_or_default() as u32).collect()
    };
    for sublinear in [false, true] {
        let started = Instant::now();
        let model = fit(&texts, &ids(&names), classes.len(), &Settings { c, sublinear })?;
        let fitted = started.elapsed().as_secs_f64();
        let logits = model.logits(&asked);
        let asked = started.elapsed().as_secs_f64() - fitted;
        let metrics = ClassificationMetrics::compute(&ids(&truth), &logits, classes.len())?;
        println!(
            "sublinear {sublinear}, C {}: {} features, fitted in {fitted:.2} s, asked in {asked:.2} s; accuracy {:.4}, f1 {:.4}, log loss {:.4}",
            model.c(),
            model.n_features(),
            metrics.accuracy,
            metrics.macro_average.f1,
            metrics.log_loss
        );
    }
    Ok(())
}

fn read(path: &str) -> Result<(Vec<String>, Vec<String>), csv::Error> {
    let mut reader = csv::Reader::from_path(path)?;
    reader.records().map(|row| row.map(|row| (row[0].to_owned(), row[1].to_owned()))).collect()
}
