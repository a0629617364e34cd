//! Measuring a classifier on labelled rows.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use classifier::Classifier;
use encoder::Activations;
use journal::{Event, Listener, Split};
use kernels::Backend;

use crate::metrics::{Bootstrap, ClassificationMetrics, Intervals, MetricError, Predictions};
use crate::{Error, Examples};

/// What a classifier scored on labelled rows.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Rows×C, in the order of the rows.
    pub logits: Vec<f32>,
    /// All scores.
    pub metrics: ClassificationMetrics,
    /// Seconds it took.
    pub runtime: f64,
    /// Batches it took.
    pub batches: usize,
}

/// Measures `classifier` on `examples`, in batches of up to `batch_size` texts of the longest length: shorter texts go
/// more at a time. Neither batch size nor order changes a score. `stop` is looked at after each batch.
///
/// # Errors
/// Logits that are not finite, or the wish to stop.
pub fn evaluate<B: Backend>(
    classifier: &Classifier<B>,
    examples: &Examples,
    batch_size: usize,
    activations: &mut Activations<B>,
    split: Split,
    listener: &mut dyn Listener,
    stop: &AtomicBool,
) -> Result<Evaluation, Error> {
    let started = Instant::now();
    listener.on_event(&Event::EvaluateBegin { split, samples: examples.len() as u64 });
    let total_tokens = examples.encoded.total_tokens() as u64;
    let max_tokens = batch_size.saturating_mul(classifier.max_length());
    let mut batches = 0;
    let logits = classifier.logits(&examples.encoded, max_tokens, activations, |done| {
        batches += 1;
        listener.on_event(&Event::EvaluateProgress { split, done_tokens: done as u64, total_tokens });
        if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let metrics = ClassificationMetrics::compute(&examples.labels, &logits, classifier.labels().len())?;
    Ok(Evaluation { logits, metrics, runtime: started.elapsed().as_secs_f64(), batches })
}

impl Evaluation {
    /// What was predicted, beside the labels of the rows that were measured.
    ///
    /// # Errors
    /// Where these are not the labels of those rows.
    pub fn predictions(&self, labels: &[u32]) -> Result<Predictions, MetricError> {
        Predictions::from_logits(labels, &self.logits, self.metrics.confusion.n_classes())
    }

    /// 95% intervals of every score, given the labels of the rows that were measured.
    ///
    /// # Errors
    /// Where these are not the labels of those rows.
    pub fn intervals(&self, labels: &[u32]) -> Result<Intervals, MetricError> {
        let bootstrap = Bootstrap::for_size(labels.len(), self.metrics.confusion.n_classes());
        Intervals::of(&self.predictions(labels)?, &bootstrap)
    }

    /// The defined scores by name, in the order in which they are shown.
    #[must_use]
    pub fn named(&self) -> journal::Metrics {
        let scores = self.metrics.to_json("");
        scores.into_iter().filter_map(|(name, value)| Some((name, value.as_f64()?))).collect()
    }
}
