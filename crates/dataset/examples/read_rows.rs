//! How fast a file is read: `cargo run --release -p tunesmith-dataset --example read_rows -- FILE [COLUMN ...]`.

use std::{path::Path, time::Instant};

use dataset::{ReadOptions, open};

fn main() -> dataset::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((file, columns)) = arguments.split_first() else {
        eprintln!("usage: read_rows FILE [COLUMN ...]");
        return Ok(());
    };
    let started = Instant::now();
    let mut records = open(Path::new(file), &ReadOptions::default())?;
    if !columns.is_empty() {
        let names = records.columns().to_vec();
        let wanted: Vec<usize> = (0..names.len()).filter(|&at| columns.contains(&names[at])).collect();
        records.only(&wanted);
    }
    let (mut rows, mut bytes) = (0u64, 0u64);
    for record in records {
        rows += 1;
        bytes += record?.values.iter().map(|value| value.len() as u64).sum::<u64>();
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{rows} rows, {} MB in {seconds:.2} s: {:.0} rows/s", bytes / 1_000_000, rows as f64 / seconds);
    Ok(())
}
