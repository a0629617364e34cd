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

/// What a job inside the program comes to without running it.
fn planned(job: &str) -> String {
    said(&Bench::new().ask(&["run", job, "--dry-run"]))
}

#[test]
fn every_job_can_be_planned_or_names_the_kind_that_is_missing() {
    for job in ["imdb-wandb", "amazon-polarity", "sms-spam-mlflow", "imdb-full"] {
        let text = planned(job);
        let is_planned = text.contains(&format!("job {job}: "));
        let lacks = ["fetch-data", "fetch-model", "pack", "push"]
            .iter()
            .any(|kind| text.contains(&format!("{kind:?} is no kind of step")));
        assert!(is_planned || lacks, "{job}: {text}");
    }
}
