//! The jobs inside the program.

use crate::bench::{Bench, said};

#[test]
fn the_workshops_job_runs_on_its_columns() {
    let bench = Bench::new();
    // 20,000 rows in small: the recipe's sizes are given otherwise.
    let rows: String = (0..60)
        .map(|at| format!("{} film number {at},{}\n", ["good", "bad"][at % 2], ["positive", "negative"][at % 2]))
        .collect();
    bench.write("reviews.csv", &format!("review,sentiment\n{rows}"));
    let output = bench.ask(&[
        "run",
        "imdb-workshop",
        "--file",
        "reviews.csv",
        "--model",
        "scratch:small",
        "--quiet",
        "train.train_size=30",
        "train.validation_size=10",
        "train.test_size=20",
        "train.max_steps=4",
        "train.eval_steps=2",
        "check.train_size=30",
        "check.validation_size=10",
        "check.test_size=20",
        "train.batch_size=8",
        "train.max_length=16",
    ]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("train  ran"), "{}", said(&output));
}
