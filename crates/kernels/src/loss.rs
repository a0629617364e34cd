//! Cross-entropy with class weights and label smoothing, in double precision: B×C numbers are too few to matter.

/// How a batch's loss is computed: `torch.nn.CrossEntropyLoss(weight, label_smoothing)` with the mean taken over
/// `normalizer` instead of over this batch, so that a batch cut into parts adds up to the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// One factor per class, or empty for none.
    pub class_weights: Vec<f64>,
    /// The share of the target that is spread evenly over all classes.
    pub label_smoothing: f64,
    /// What the sum is divided by: the sum of the class weights of all labels of the whole batch.
    pub normalizer: f64,
}

impl Loss {
    /// The plain mean over the texts of `labels`, or the weighted one where `class_weights` is not empty.
    #[must_use]
    pub fn mean_over(labels: &[u32], class_weights: &[f64], label_smoothing: f64) -> Self {
        let weight = |&label: &u32| class_weights.get(label as usize).copied().unwrap_or(1.0);
        Self {
            class_weights: class_weights.to_vec(),
            label_smoothing,
            normalizer: labels.iter().map(weight).sum::<f64>(),
        }
    }

    /// The loss, from the sum of its terms over all pieces of the batch; 0 where every label weighs nothing.
    #[must_use]
    pub fn of_sum(&self, sum: f64) -> f64 {
        if self.normalizer == 0.0 { 0.0 } else { sum / self.normalizer }
    }

    /// Adds the terms of `logits` to `sum`, and writes their gradient, normalised, to `d_logits`.
    ///
    /// # Shapes
    /// `logits`, `d_logits`: B×C; `labels`: B.
    pub(crate) fn forward_backward(&self, logits: &[f32], labels: &[u32], d_logits: &mut [f32], sum: &mut f64) {
        if self.normalizer == 0.0 {
            // Every label of the step weighs nothing.
            d_logits.fill(0.0);
            return;
        }
        let classes = logits.len() / labels.len();
        let weight = |class: usize| self.class_weights.get(class).copied().unwrap_or(1.0);
        let smoothed = self.label_smoothing / classes as f64;
        for ((row, d_row), &label) in logits.chunks_exact(classes).zip(d_logits.chunks_exact_mut(classes)).zip(labels) {
            let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let powers: f64 = row.iter().map(|&x| f64::from(x - highest).exp()).sum();
            let log_sum = powers.ln() + f64::from(highest);
            // The target of class c is (1 - ε)[c = label] + ε/C, each term weighted by its own class's weight.
            let target = |class: usize| {
                let hard = if class == label as usize { 1.0 - self.label_smoothing } else { 0.0 };
                (hard + smoothed) * weight(class)
            };
            let mass: f64 = (0..classes).map(target).sum();
            for (class, (&x, d)) in row.iter().zip(d_row).enumerate() {
                let log_probability = f64::from(x) - log_sum;
                *sum -= target(class) * log_probability;
                #[expect(clippy::cast_possible_truncation, reason = "gradients are f32")]
                let gradient = ((mass * log_probability.exp() - target(class)) / self.normalizer) as f32;
                *d = gradient;
            }
        }
    }
}
