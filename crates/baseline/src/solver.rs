//! L-BFGS (Liu and Nocedal 1989, "On the limited memory BFGS method for large scale optimization"), for softmax regression
//! with an L2 penalty, in the span of the rows.
//!
//! With X the rows, the gradient by the weights is `Xᵀ R + penalty W`. Beginning at zero, every vector that L-BFGS ever
//! makes is therefore a sum of rows, `Xᵀ A`, and it is enough to keep A and its image `X Xᵀ A`: N×C numbers each, where W
//! has F×C and there are a hundred times as many word pairs as rows. Sums and inner products of such vectors follow from
//! the two, so an iteration touches the features in one product with `X Xᵀ` only, and the line search not at all.

use std::collections::VecDeque;

use crate::matrix::Matrix;
use crate::softmax::Softmax;

/// Pairs of steps and gradient changes that are remembered; as scikit-learn's.
const MEMORY: usize = 10;
const MOST_ITERATIONS: usize = 1000;
/// Trial steps of one line search.
const MOST_TRIALS: usize = 40;
/// A step is taken when the slope has fallen to this share: trials are cheap here, so it is a small one.
const SLOPE_LEFT: f64 = 0.1;

/// Weights, as a sum of rows, and the bias of each class.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// `A`. Shape `[N, C]`.
    pub(crate) rows: Vec<f64>,
    /// `X Xᵀ A`. Shape `[N, C]`.
    images: Vec<f64>,
    /// Shape `[C]`.
    pub(crate) bias: Vec<f64>,
}

/// Softmax regression: `loss + penalty / 2 * |W|²`. The bias is not penalised.
#[derive(Debug)]
pub(crate) struct Problem<'a> {
    pub(crate) matrix: &'a Matrix,
    pub(crate) softmax: Softmax<'a>,
    pub(crate) penalty: f64,
    /// The fit ends when the gradient of the mean loss is shorter than this. scikit-learn ends at 1e-4 for its largest entry.
    pub(crate) small_gradient: f64,
}

impl Point {
    pub(crate) fn zero(rows: usize, classes: usize) -> Self {
        Self { rows: vec![0.0; rows * classes], images: vec![0.0; rows * classes], bias: vec![0.0; classes] }
    }

    /// What each row scores: `X W + bias`. Shape `[N, C]`.
    pub(crate) fn scores(&self) -> Vec<f64> {
        let bias = self.bias.iter().cycle();
        self.images.iter().zip(bias).map(|(image, bias)| image + bias).collect()
    }

    /// The inner product of the weights and biases that two points stand for.
    fn dot(&self, other: &Self) -> f64 {
        dot(&self.rows, &other.images) + dot(&self.bias, &other.bias)
    }

    fn weights_dot(&self, other: &Self) -> f64 {
        dot(&self.rows, &other.images)
    }

    fn add(&mut self, factor: f64, other: &Self) {
        let add = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
        add(&mut self.rows, &other.rows);
        add(&mut self.images, &other.images);
        add(&mut self.bias, &other.bias);
    }

    fn scale(&mut self, factor: f64) {
        let all = self.rows.iter_mut().chain(&mut self.images).chain(&mut self.bias);
        all.for_each(|value| *value *= factor);
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// A step that was taken and how the gradient changed by it.
struct Memory {
    step: Point,
    change: Point,
    /// 1 / (step · change)
    inverse: f64,
}

impl Problem<'_> {
    fn gradient(&self, at: &Point) -> Point {
        let n_classes = self.softmax.n_classes;
        let residuals = self.softmax.residuals(&at.scores());
        let images = self.matrix.gram(&residuals, n_classes);
        let mut bias = vec![0.0; n_classes];
        for row in residuals.chunks_exact(n_classes) {
            bias.iter_mut().zip(row).for_each(|(sum, residual)| *sum += residual);
        }
        let penalised =
            |part: &[f64], of: &[f64]| part.iter().zip(of).map(|(part, of)| part + self.penalty * of).collect();
        Point { rows: penalised(&residuals, &at.rows), images: penalised(&images, &at.images), bias }
    }

    /// The minimum, looked for from `start`.
    pub(crate) fn solve(&self, start: Point) -> Point {
        let counted = self.softmax.labels.iter().flatten().count().max(1) as f64;
        let mut at = start;
        let mut gradient = self.gradient(&at);
        let mut memory: VecDeque<Memory> = VecDeque::with_capacity(MEMORY);
        for _ in 0..MOST_ITERATIONS {
            if gradient.dot(&gradient).max(0.0).sqrt() <= self.small_gradient * counted {
                break;
            }
            let mut direction = quasi_newton(&gradient, &memory);
            let Some(step) = self.line_search(&at, &direction, direction.dot(&gradient)) else {
                break;
            };
            direction.scale(step);
            at.add(1.0, &direction);
            let mut change = self.gradient(&at);
            std::mem::swap(&mut change, &mut gradient);
            // What was the gradient is to become how it changed.
            change.scale(-1.0);
            change.add(1.0, &gradient);
            let curvature = direction.dot(&change);
            if curvature > 0.0 {
                if memory.len() == MEMORY {
                    memory.pop_front();
                }
                memory.push_back(Memory { step: direction, change, inverse: 1.0 / curvature });
            }
        }
        at
    }

    /// How far to go along `direction`; `None` where no step makes it smaller, which is where rounding ends the descent.
    ///
    /// The objective is convex along a line: its slope rises, so two steps with slopes of opposite sign hold the minimum
    /// between them.
    fn line_search(&self, at: &Point, direction: &Point, slope: f64) -> Option<f64> {
        if slope >= 0.0 {
            return None;
        }
        let (scores, towards) = (at.scores(), direction.scores());
        let (linear, square) = (at.weights_dot(direction), direction.weights_dot(direction));
        let objective = |step: f64| {
            let (loss, slope) = self.softmax.along(&scores, &towards, step);
            let penalty = self.penalty * step * (linear + 0.5 * step * square);
            (loss + penalty, slope + self.penalty * (linear + step * square))
        };
        let begin = self.softmax.loss(&scores);
        let (mut low, mut low_slope) = (0.0, slope);
        let mut high: Option<(f64, f64)> = None;
        let mut step = 1.0;
        for _ in 0..MOST_TRIALS {
            let (value, here) = objective(step);
            if value < begin && here.abs() <= SLOPE_LEFT * slope.abs() {
                return Some(step);
            }
            if here < 0.0 {
                (low, low_slope) = (step, here);
            } else {
                high = Some((step, here));
            }
            step = match high {
                None => 2.0 * step,
                Some((high, high_slope)) => {
                    // Where the slope would be zero if it rose on a straight line, but well within.
                    let share = (-low_slope / (high_slope - low_slope)).clamp(0.1, 0.9);
                    low + share * (high - low)
                }
            };
        }
        // Rounding hides the slope; a step that gains is a step all the same.
        (low > 0.0 && objective(low).0 < begin).then_some(low)
    }
}

/// The direction of descent that the remembered steps suggest: Nocedal's two loops.
fn quasi_newton(gradient: &Point, memory: &VecDeque<Memory>) -> Point {
    let mut direction = gradient.clone();
    let mut shares = Vec::with_capacity(memory.len());
    for Memory { step, change, inverse } in memory.iter().rev() {
        let share = inverse * step.dot(&direction);
        direction.add(-share, change);
        shares.push(share);
    }
    if let Some(newest) = memory.back() {
        let length = newest.change.dot(&newest.change);
        if length > 0.0 {
            direction.scale(1.0 / (newest.inverse * length));
        }
    }
    for (Memory { step, change, inverse }, share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = inverse * change.dot(&direction);
        direction.add(share - back, step);
    }
    direction.scale(-1.0);
    direction
}
