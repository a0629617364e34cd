//! Which rows of an embedding table a step has to look at.
//!
//! A batch reads few rows of a large table. A row that never had a gradient has moments of zero, and all that AdamW
//! does to it is weight decay: one multiplication a step. Such rows are passed over. They remember up to which step
//! they were decayed, and catch up by the same multiplications when they are read, saved or get a gradient; the bits
//! are those of a step that looks at every row.

use super::Cpu;
use super::isa::for_each_isa;
use super::profile::Kind;
use super::shared::Shared;
use crate::master::{AdamWFactors, Master};

/// Decays that may be outstanding before all rows catch up: bounds what reading a row costs.
const OUTSTANDING: usize = 64;
/// Rows of one task.
const ROWS: usize = 64;

/// What a table knows of its rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// Rows with a gradient since the last step.
    touched: Vec<u32>,
    state: Vec<Row>,
    /// Factors of the weight decay of the last steps.
    decays: Vec<f32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// It is in `touched`.
    touched: bool,
    /// It had a gradient once, so its moments may differ from zero.
    moving: bool,
    /// How many of `decays` it has been through.
    decayed: u8,
}

impl Rows {
    pub(super) fn new(rows: usize) -> Self {
        Self { touched: Vec::new(), state: vec![Row::default(); rows], decays: Vec::new() }
    }

    /// A gradient is about to be added to `row`.
    pub(super) fn touch(&mut self, row: usize) {
        if !std::mem::replace(&mut self.state[row].touched, true) {
            self.touched.push(u32::try_from(row).expect("ids are 32 bits wide"));
        }
    }

    /// Learns from moments and gradients that were set from outside.
    pub(super) fn look(&mut self, master: &Master) {
        let is_zero = |values: &[f32], row: usize| {
            values.get(row * master.cols..(row + 1) * master.cols).is_none_or(|row| row.iter().all(|&x| x == 0.0))
        };
        self.touched.clear();
        for row in 0..master.rows {
            let state = &mut self.state[row];
            state.moving = !is_zero(&master.first_moment, row) || !is_zero(&master.second_moment, row);
            state.touched = false;
            if !is_zero(&master.gradient, row) {
                self.touch(row);
            }
        }
    }

    /// The values were set from outside: nothing is outstanding.
    pub(super) fn values_are_new(&mut self) {
        self.decays.clear();
        self.state.iter_mut().for_each(|row| row.decayed = 0);
    }

    /// Whether some row is behind its decays.
    pub(super) fn is_behind(&self) -> bool {
        self.state.iter().any(|row| usize::from(row.decayed) < self.decays.len())
    }

    /// Brings a copy of `row` up to date.
    pub(super) fn catch_up(&self, isa: super::Isa, row: usize, values: &mut [f32]) {
        for &decay in &self.decays[usize::from(self.state[row].decayed)..] {
            scale(isa, values, decay);
        }
    }

    /// Brings all rows up to date.
    pub(super) fn catch_all_up(&mut self, isa: super::Isa, values: &mut [f32]) {
        if self.is_behind() {
            let cols = values.len() / self.state.len();
            for (row, values) in values.chunks_exact_mut(cols).enumerate() {
                self.catch_up(isa, row, values);
            }
        }
        self.values_are_new();
    }

    /// The sum of squares of the gradient: rows in order.
    pub(super) fn squared_norm(&self, cpu: &Cpu, master: &Master) -> f64 {
        let mut rows = self.touched.clone();
        rows.sort_unstable();
        rows.iter()
            .map(|&row| {
                super::optimizer::chunk_norm(cpu.isa(), &master.gradient[row as usize * master.cols..][..master.cols])
            })
            .sum()
    }

    pub(super) fn zero_gradient(&mut self, master: &mut Master) {
        for row in self.touched.drain(..) {
            self.state[row as usize].touched = false;
            master.gradient[row as usize * master.cols..][..master.cols].fill(0.0);
        }
    }

    /// One step of AdamW on the rows that have, or ever had, a gradient.
    pub(super) fn adamw(&mut self, cpu: &Cpu, master: &mut Master, factors: &AdamWFactors) {
        let cols = master.cols;
        for row in self.touched.drain(..) {
            let row = row as usize;
            let values = &mut master.value[row * cols..][..cols];
            let state = &mut self.state[row];
            for &decay in &self.decays[usize::from(state.decayed)..] {
                scale(cpu.isa(), values, decay);
            }
            *state = Row { touched: false, moving: true, decayed: state.decayed };
        }
        #[expect(clippy::float_cmp, reason = "exactly one changes no value")]
        if factors.keep != 1.0 {
            self.decays.push(factors.keep);
        }
        let (decays, state) = (&self.decays, Shared::new(&mut self.state));
        let catch_all_up = decays.len() == OUTSTANDING;
        let [value, gradient, first, second] =
            [&mut master.value, &mut master.gradient, &mut master.first_moment, &mut master.second_moment]
                .map(|part| Shared::new(part));
        cpu.tasks(Kind::Optimizer, master.rows.div_ceil(ROWS), |task| {
            for row in task * ROWS..master.rows.min((task + 1) * ROWS) {
                #[expect(unsafe_code, reason = "tasks take disjoint rows")]
                // SAFETY: this row belongs to this task alone.
                unsafe {
                    let state = &mut state.part(row, 1)[0];
                    if state.moving {
                        let [value, gradient, first, second] =
                            [value, gradient, first, second].map(|of| of.part(row * cols, cols));
                        super::optimizer::adamw_chunk(cpu.isa(), factors, value, gradient, first, second);
                        gradient.fill(0.0);
                        state.decayed = u8::try_from(decays.len()).expect("fewer decays are outstanding");
                    } else if catch_all_up {
                        let values = value.part(row * cols, cols);
                        for &decay in &decays[usize::from(state.decayed)..] {
                            scale(cpu.isa(), values, decay);
                        }
                    }
                    if catch_all_up {
                        state.decayed = 0;
                    }
                }
            }
        });
        if catch_all_up {
            self.decays.clear();
        }
    }
}

for_each_isa! {
    fn scale(values: &mut [f32], factor: f32) {
        values.iter_mut().for_each(|x| *x *= factor);
    }
}
