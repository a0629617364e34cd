//! How long intervals of all metrics take: `cargo run --release -p tunesmith-metrics --example bootstrap -- ROWS CLASSES`.

use std::time::Instant;

use metrics::{Bootstrap, Intervals, Metric, Predictions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let rows = numbers.next().transpose()?.unwrap_or(10_000);
    let classes = numbers.next().transpose()?.unwrap_or(2);
    let mut state = 1u64;
    let mut drawn = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let labels: Vec<u32> = (0..rows).map(|row| (row % classes) as u32).collect();
    let mut logits: Vec<f32> = (0..rows * classes).map(|_| 3.0 * drawn()).collect();
    labels.iter().enumerate().for_each(|(row, &label)| logits[row * classes + label as usize] += 2.0);
    let predictions = Predictions::from_logits(&labels, &logits, classes)?;
    let bootstrap = Bootstrap::default();
    let started = Instant::now();
    let intervals = Intervals::of(&predictions, &bootstrap)?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{} resamples of {rows} rows of {classes} classes: {seconds:.3} s", bootstrap.resamples);
    for metric in Metric::all() {
        println!("{:<21} {:?}", metric.name(), intervals.get(metric));
    }
    Ok(())
}
