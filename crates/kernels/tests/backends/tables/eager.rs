//! A table as it should be.

use kernels::{AdamW, Part};

use super::WIDTH;

/// A table whose every step goes over every element, in plain f32 arithmetic: `torch.optim.AdamW` as it is written.
#[derive(Clone)]
pub(super) struct Eager {
    pub(super) value: Vec<f32>,
    pub(super) gradient: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Eager {
    pub(super) fn new(value: Vec<f32>) -> Self {
        let zeros = vec![0.0; value.len()];
        Self { value, gradient: zeros.clone(), first: zeros.clone(), second: zeros }
    }

    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.value[row * WIDTH..][..WIDTH]
    }

    pub(super) fn add(&mut self, row: usize, d: &[f32]) {
        self.gradient[row * WIDTH..][..WIDTH].iter_mut().zip(d).for_each(|(g, d)| *g += d);
    }

    pub(super) fn step(&mut self, step: &AdamW) {
        let keep = (1.0 - step.learning_rate * step.weight_decay) as f32;
        let (beta1, beta2) = (step.beta1 as f32, step.beta2 as f32);
        let (rest1, rest2) = ((1.0 - step.beta1) as f32, (1.0 - step.beta2) as f32);
        let size = (step.learning_rate / (1.0 - step.beta1.powf(step.step as f64))) as f32;
        let root = (1.0 / (1.0 - step.beta2.powf(step.step as f64)).sqrt()) as f32;
        for index in 0..self.value.len() {
            let g = self.gradient[index] * step.gradient_scale;
            self.first[index] = self.first[index] * beta1 + g * rest1;
            self.second[index] = self.second[index] * beta2 + g * g * rest2;
            let denominator = self.second[index].sqrt() * root + step.epsilon as f32;
            self.value[index] = self.value[index] * keep - size * (self.first[index] / denominator);
            self.gradient[index] = 0.0;
        }
    }

    pub(super) fn part(&self, part: Part) -> &[f32] {
        match part {
            Part::Value => &self.value,
            Part::Gradient => &self.gradient,
            Part::FirstMoment => &self.first,
            Part::SecondMoment => &self.second,
        }
    }

    pub(super) fn part_mut(&mut self, part: Part) -> &mut Vec<f32> {
        match part {
            Part::Value => &mut self.value,
            Part::Gradient => &mut self.gradient,
            Part::FirstMoment => &mut self.first,
            Part::SecondMoment => &mut self.second,
        }
    }
}
