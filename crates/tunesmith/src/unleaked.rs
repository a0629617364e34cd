//! Scores without the rows that were seen before: what a leak is worth.

use dataset::{Findings, Role};
use metrics::{ClassificationMetrics, MetricError};
use train::{Evaluation, Examples};

use crate::render::count;

/// What was measured on the rows of a split that stand in no split before it, nor nearly.
#[derive(Debug)]
pub(crate) struct Unleaked {
    leaked: usize,
    metrics: ClassificationMetrics,
}

impl Unleaked {
    /// Leaves the leaked rows of a split out; `None` where there are none, or nothing else.
    ///
    /// # Errors
    /// None that the evaluation of the whole split would not have had.
    pub(crate) fn of(
        findings: &Findings,
        role: Role,
        examples: &Examples,
        evaluation: &Evaluation,
        classes: usize,
    ) -> Result<Option<Self>, MetricError> {
        let leaked = findings.leaked(role);
        if leaked.is_empty() || leaked.len() == examples.len() {
            return Ok(None);
        }
        let mut keep = vec![true; examples.len()];
        leaked.iter().for_each(|&row| keep[row] = false);
        let rows = || (0..examples.len()).filter(|&row| keep[row]);
        let labels: Vec<u32> = rows().map(|row| examples.labels[row]).collect();
        let logits: Vec<f32> = rows().flat_map(|row| &evaluation.logits[row * classes..][..classes]).copied().collect();
        let metrics = ClassificationMetrics::compute(&labels, &logits, classes)?;
        Ok(Some(Self { leaked: leaked.len(), metrics }))
    }

    /// The figures, for the results: `test_leaked_samples`, and each score as `test_unleaked_NAME`.
    pub(crate) fn figures(&self, split: journal::Split) -> Vec<(String, f64)> {
        let scores = self.metrics.to_json(&format!("{split}_unleaked_"));
        let scores = scores.into_iter().filter_map(|(name, value)| Some((name, value.as_f64()?)));
        let leaked = (format!("{split}_leaked_samples"), self.leaked as f64);
        std::iter::once(leaked).chain(scores).collect()
    }

    /// A line below the report.
    pub(crate) fn describe(&self) -> String {
        format!(
            "without the {} rows that stand, or nearly stand, in an earlier split: accuracy {:.4}, macro F1 {:.4} on {} rows\n",
            count(self.leaked as u64),
            self.metrics.accuracy,
            self.metrics.macro_average.f1,
            count(self.metrics.rows())
        )
    }
}
