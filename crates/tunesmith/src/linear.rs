//! The linear model beside the network: fitted once, for what the scores are compared with and for what it says of labels.

use std::time::Instant;

use dataset::{Dataset, Split};

/// The linear model learns no better from more than this, and would take a minute and gigabytes.
const MOST_ROWS: usize = 100_000;
const MOST_BYTES: usize = 64 << 20;

/// It answers for so many rows at a time.
const AT_ONCE: usize = 10_000;

/// The sample of training rows has a stream of its own.
const STREAM: u64 = 4;

/// A linear model of the training rows of a run.
pub(crate) struct Linear {
    fitted: baseline::Model,
    /// The rows that it was fitted to, where all would have been too many.
    sample: Option<Vec<usize>>,
    /// What that took.
    pub(crate) seconds: f64,
}

impl Linear {
    /// Fits the model to the training rows, or to a sample of them.
    ///
    /// # Errors
    /// Where there is nothing to learn from, or the model would be too large.
    pub(crate) fn fit(rows: &Dataset, seed: u64) -> Result<Self, baseline::Error> {
        let started = Instant::now();
        let (train, classes, settings) = (&rows.train, rows.labels.len(), baseline::Settings::default());
        let sample = sample(train, classes, seed);
        let fitted = match &sample {
            None => baseline::fit(&copied(train, 0..train.len()), &train.labels, classes, &settings)?,
            Some(sample) => {
                let labels: Vec<u32> = sample.iter().map(|&row| train.labels[row]).collect();
                baseline::fit(&copied(train, sample.iter().copied()), &labels, classes, &settings)?
            }
        };
        Ok(Self { fitted, sample, seconds: started.elapsed().as_secs_f64() })
    }

    /// The inverse strength of its penalty.
    pub(crate) fn c(&self) -> f64 {
        self.fitted.c()
    }

    /// Training rows that it was fitted to.
    pub(crate) fn rows(&self) -> usize {
        self.fitted.n_rows()
    }

    /// What it says of rows that it was not fitted to, rows×C.
    pub(crate) fn logits(&self, split: &Split) -> Vec<f32> {
        let chunks = (0..split.len()).step_by(AT_ONCE).map(|first| first..split.len().min(first + AT_ONCE));
        chunks.flat_map(|chunk| self.fitted.logits(&copied(split, chunk))).collect()
    }

    /// What it says of the training rows without having learnt their labels, rows×C; `None` where they are too few for that.
    pub(crate) fn held_out_logits(&self, train: &Split) -> Option<Vec<f32>> {
        let held_out = self.fitted.held_out_logits()?;
        let Some(sample) = &self.sample else { return Some(held_out) };
        // Rows outside the sample it does not know; those within are by others.
        let mut all = self.logits(train);
        let classes = held_out.len() / sample.len().max(1);
        for (&row, logits) in sample.iter().zip(held_out.chunks_exact(classes.max(1))) {
            all[row * classes..(row + 1) * classes].copy_from_slice(logits);
        }
        Some(all)
    }
}

/// The texts of some rows, which the linear model takes from memory.
fn copied(rows: &Split, which: impl Iterator<Item = usize>) -> Vec<String> {
    which.map(|row| rows.texts[row].to_owned()).collect()
}

/// The rows of a sample, in order, where all training rows are too many.
fn sample(train: &Split, n_classes: usize, seed: u64) -> Option<Vec<usize>> {
    let bytes = train.texts.total_size() as usize;
    let affordable = match bytes / MOST_BYTES {
        0 => MOST_ROWS,
        _ => MOST_ROWS.min((train.len() as f64 * (MOST_BYTES as f64 / bytes as f64)) as usize),
    };
    if train.len() <= affordable {
        return None;
    }
    Some(dataset::split::sample(&train.labels, n_classes, affordable.max(1), seed, STREAM))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(rows: usize, text: impl Fn(usize) -> String) -> Split {
        let labels = (0..rows as u32).map(|row| row % 2).collect();
        Split::new("a.csv", (0..rows).map(text).collect(), labels, 1..=rows as u32)
    }

    #[test]
    fn too_many_rows_are_sampled_and_no_others() {
        let of = |rows: usize, bytes: usize| sample(&split(rows, |_| "x".repeat(bytes)), 2, 1);
        assert!(of(MOST_ROWS, 1).is_none());
        assert_eq!(of(MOST_ROWS + 1, 1).unwrap().len(), MOST_ROWS);
        let long = of(10, MOST_BYTES / 5).unwrap();
        assert_eq!((long.len(), long.iter().filter(|row| *row % 2 == 1).count()), (5, 2));
    }

    #[test]
    fn every_training_row_has_logits_by_a_model_that_does_not_know_it() {
        let train = split(40, |row| format!("number {row} {}", ["even", "odd"][row % 2]));
        let of = |sample: Option<Vec<usize>>| {
            let rows = sample.clone().unwrap_or_else(|| (0..40).collect());
            let (texts, labels): (Vec<String>, Vec<u32>) =
                rows.iter().map(|&row| (train.texts[row].to_owned(), train.labels[row])).unzip();
            let fitted = baseline::fit(&texts, &labels, 2, &baseline::Settings::default()).unwrap();
            Linear { fitted, sample, seconds: 0.0 }
        };
        let whole = of(None);
        assert_eq!(whole.held_out_logits(&train), whole.fitted.held_out_logits());
        let part = of(Some((5..35).collect()));
        let (all, held_out, known) =
            (part.held_out_logits(&train).unwrap(), part.fitted.held_out_logits().unwrap(), part.logits(&train));
        assert_eq!(all.len(), 80);
        assert_eq!((&all[..10], &all[10..70], &all[70..]), (&known[..10], &held_out[..], &known[70..]));
        assert_ne!(held_out, known[10..70]);
    }
}
