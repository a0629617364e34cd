//! The f32 state that every backend keeps of a weight in plain memory.

use std::borrow::Cow;

use crate::{AdamW, Part};

/// Values, gradient and moments of one weight. The last three are empty where it does not learn.
#[derive(Clone, Debug)]
pub(crate) struct Master {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) value: Vec<f32>,
    pub(crate) gradient: Vec<f32>,
    pub(crate) first_moment: Vec<f32>,
    pub(crate) second_moment: Vec<f32>,
}

impl Master {
    pub(crate) fn new(rows: usize, cols: usize, value: Vec<f32>) -> Self {
        assert_eq!(value.len(), rows * cols, "a weight of {rows} by {cols} was given {} values", value.len());
        let mut master =
            Self { rows, cols, value, gradient: Vec::new(), first_moment: Vec::new(), second_moment: Vec::new() };
        master.set_trainable(true);
        master
    }

    pub(crate) fn is_trainable(&self) -> bool {
        !self.gradient.is_empty()
    }

    pub(crate) fn set_trainable(&mut self, trainable: bool) {
        if trainable == self.is_trainable() {
            return;
        }
        for part in [&mut self.gradient, &mut self.first_moment, &mut self.second_moment] {
            *part = if trainable { vec![0.0; self.value.len()] } else { Vec::new() };
        }
    }

    pub(crate) fn part(&self, part: Part) -> Cow<'_, [f32]> {
        Cow::Borrowed(match part {
            Part::Value => &self.value,
            Part::Gradient => &self.gradient,
            Part::FirstMoment => &self.first_moment,
            Part::SecondMoment => &self.second_moment,
        })
    }

    pub(crate) fn set_part(&mut self, part: Part, values: &[f32]) {
        match part {
            Part::Value => &mut self.value,
            Part::Gradient => &mut self.gradient,
            Part::FirstMoment => &mut self.first_moment,
            Part::SecondMoment => &mut self.second_moment,
        }
        .copy_from_slice(values);
    }
}

/// The factors of an AdamW step as f32, the way `torch.optim.AdamW` prepares them in double precision first
/// (torch 2.15, `torch/optim/adam.py`, `_single_tensor_adam` with decoupled decay).
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdamWFactors {
    pub(crate) gradient_scale: f32,
    pub(crate) keep: f32,
    pub(crate) beta1: f32,
    pub(crate) one_minus_beta1: f32,
    pub(crate) beta2: f32,
    pub(crate) one_minus_beta2: f32,
    pub(crate) step_size: f32,
    pub(crate) root_correction: f32,
    pub(crate) epsilon: f32,
}

impl From<&AdamW> for AdamWFactors {
    #[expect(clippy::cast_possible_truncation, reason = "prepared in f64, applied in f32, as PyTorch does")]
    fn from(step: &AdamW) -> Self {
        let power = |beta: f64| beta.powf(step.step as f64);
        Self {
            gradient_scale: step.gradient_scale,
            keep: (1.0 - step.learning_rate * step.weight_decay) as f32,
            beta1: step.beta1 as f32,
            one_minus_beta1: (1.0 - step.beta1) as f32,
            beta2: step.beta2 as f32,
            one_minus_beta2: (1.0 - step.beta2) as f32,
            step_size: (step.learning_rate / (1.0 - power(step.beta1))) as f32,
            root_correction: (1.0 - power(step.beta2)).sqrt().recip() as f32,
            epsilon: step.epsilon as f32,
        }
    }
}

impl AdamWFactors {
    /// One element's step; the gradient is the caller's to clear.
    #[inline(always)]
    pub(crate) fn apply(&self, value: &mut f32, gradient: f32, first: &mut f32, second: &mut f32) {
        let g = gradient * self.gradient_scale;
        *first = *first * self.beta1 + g * self.one_minus_beta1;
        *second = *second * self.beta2 + g * g * self.one_minus_beta2;
        let denominator = second.sqrt() * self.root_correction + self.epsilon;
        *value = *value * self.keep - self.step_size * (*first / denominator);
    }
}
