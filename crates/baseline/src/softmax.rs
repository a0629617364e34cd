//! The loss of softmax regression as a function of the scores of its rows.

/// The mean-free part of the problem: which rows count, and what they should have been.
#[derive(Debug)]
pub(crate) struct Softmax<'a> {
    /// The class of each row; `None` for a row that is left out.
    pub(crate) labels: &'a [Option<u32>],
    pub(crate) n_classes: usize,
}

impl Softmax<'_> {
    /// Sum of `-log softmax(scores)[label]` over the rows.
    ///
    /// # Shapes
    /// `scores`: `[N, C]`
    pub(crate) fn loss(&self, scores: &[f64]) -> f64 {
        self.rows(scores).map(|(label, row)| log_normaliser(row) - row[label]).sum()
    }

    /// The derivative of the loss by the scores: probabilities less what is true; 0 for rows that are left out.
    ///
    /// # Shapes
    /// `[N, C]` to `[N, C]`
    pub(crate) fn residuals(&self, scores: &[f64]) -> Vec<f64> {
        let mut residuals = vec![0.0; scores.len()];
        let rows = residuals.chunks_exact_mut(self.n_classes).zip(scores.chunks_exact(self.n_classes)).zip(self.labels);
        for ((residual, row), label) in rows {
            let Some(label) = label else { continue };
            let normaliser = log_normaliser(row);
            for (residual, score) in residual.iter_mut().zip(row) {
                *residual = (score - normaliser).exp();
            }
            residual[*label as usize] -= 1.0;
        }
        residuals
    }

    /// The loss at `scores + step * direction`, and its derivative by the step.
    ///
    /// # Shapes
    /// `scores`, `direction`: `[N, C]`
    pub(crate) fn along(&self, scores: &[f64], direction: &[f64], step: f64) -> (f64, f64) {
        let mut moved = vec![0.0; self.n_classes];
        let (mut loss, mut slope) = (0.0, 0.0);
        for ((label, row), (_, towards)) in self.rows(scores).zip(self.rows(direction)) {
            for ((moved, score), towards) in moved.iter_mut().zip(row).zip(towards) {
                *moved = score + step * towards;
            }
            let normaliser = log_normaliser(&moved);
            loss += normaliser - moved[label];
            slope +=
                moved.iter().zip(towards).map(|(score, towards)| (score - normaliser).exp() * towards).sum::<f64>();
            slope -= towards[label];
        }
        (loss, slope)
    }

    fn rows<'s>(&'s self, scores: &'s [f64]) -> impl Iterator<Item = (usize, &'s [f64])> {
        let rows = self.labels.iter().zip(scores.chunks_exact(self.n_classes));
        rows.filter_map(|(label, row)| Some(((*label)? as usize, row)))
    }
}

/// `log(sum(exp(row)))`, stable for scores of any size.
fn log_normaliser(row: &[f64]) -> f64 {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + row.iter().map(|score| (score - largest).exp()).sum::<f64>().ln()
}
