//! A weight of the CPU backend: the master copy with gradient and moments, and the forms that products read.

use std::borrow::Cow;

use super::profile::Kind;
use super::shared::Shared;
use super::table::Rows;
use super::{Cpu, Precision, optimizer, single};
use crate::backend::{AdamW, Part, Use};
use crate::master::{AdamWFactors, Master};

/// A weight of [`Cpu`].
#[derive(Clone, Debug)]
pub struct CpuWeight {
    pub(super) master: Master,
    pub(super) form: Form,
    /// The memory of the gradient holds something old, and stands for zeros: the next product overwrites it.
    pub(super) gradient_is_void: bool,
}

/// What is kept beside the values.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// Nothing: a vector.
    Vector,
    /// Which rows to look at: a table.
    Table(Rows),
    /// The values transposed, I×O: a matrix for f32 products.
    Transposed(Vec<f32>),
    /// bf16 in panels: a matrix for bf16 products.
    #[cfg(target_arch = "x86_64")]
    Packed(super::halves::Packed),
    /// Bytes in panels: a matrix that answers and does not learn.
    #[cfg(target_arch = "x86_64")]
    Quantized(super::bytes::Quantized),
}

/// Matrices of fewer outputs stay bf16 where others are bytes: a classifier's few numbers cost nothing and decide all.
#[cfg(target_arch = "x86_64")]
const QUANTIZED_OUTPUTS: usize = 32;

/// Elements of one task of the optimiser where no packed form sets its size.
const CHUNK: usize = 16 * 1024;

impl CpuWeight {
    pub(super) fn new(cpu: &Cpu, usage: Use, rows: usize, cols: usize, values: Vec<f32>) -> Self {
        let form = match (usage, cpu.precision()) {
            (Use::Vector, _) => Form::Vector,
            (Use::Table, _) => Form::Table(Rows::new(rows)),
            #[cfg(target_arch = "x86_64")]
            (Use::Matrix, Precision::Int8) if rows >= QUANTIZED_OUTPUTS => {
                Form::Quantized(super::bytes::Quantized::default())
            }
            #[cfg(target_arch = "x86_64")]
            (Use::Matrix, Precision::Bf16 | Precision::Int8) => Form::Packed(super::halves::Packed::new(rows, cols)),
            (Use::Matrix, _) => Form::Transposed(vec![0.0; rows * cols]),
        };
        let mut weight = Self { master: Master::new(rows, cols, values), form, gradient_is_void: false };
        weight.values_changed(cpu);
        weight
    }

    fn values_changed(&mut self, cpu: &Cpu) {
        let Master { value, rows, cols, .. } = &self.master;
        match &mut self.form {
            Form::Vector => {}
            Form::Table(rows) => rows.values_are_new(),
            Form::Transposed(transposed) => single::transpose(cpu, value, *rows, *cols, transposed),
            #[cfg(target_arch = "x86_64")]
            Form::Packed(packed) => packed.renew(cpu, value, *cols),
            #[cfg(target_arch = "x86_64")]
            Form::Quantized(quantized) => *quantized = super::bytes::Quantized::new(value, *cols),
        }
    }

    pub(super) fn set_trainable(&mut self, trainable: bool) {
        if trainable == self.master.is_trainable() {
            return;
        }
        self.master.set_trainable(trainable);
        self.gradient_is_void = false;
        if let Form::Table(rows) = &mut self.form {
            rows.look(&self.master);
        }
    }

    pub(super) fn part(&self, cpu: &Cpu, part: Part) -> Cow<'_, [f32]> {
        match &self.form {
            Form::Table(rows) if part == Part::Value && rows.is_behind() => {
                let mut values = self.master.value.clone();
                for (row, values) in values.chunks_exact_mut(self.master.cols).enumerate() {
                    rows.catch_up(cpu.isa(), row, values);
                }
                Cow::Owned(values)
            }
            _ if part == Part::Gradient && self.gradient_is_void => Cow::Owned(vec![0.0; self.master.gradient.len()]),
            _ => self.master.part(part),
        }
    }

    pub(super) fn set_part(&mut self, cpu: &Cpu, part: Part, values: &[f32]) {
        if let Form::Table(rows) = &mut self.form {
            rows.catch_all_up(cpu.isa(), &mut self.master.value);
        }
        self.master.set_part(part, values);
        match part {
            Part::Value => self.values_changed(cpu),
            Part::Gradient => self.gradient_is_void = false,
            Part::FirstMoment | Part::SecondMoment => {}
        }
        if let Form::Table(rows) = &mut self.form {
            rows.look(&self.master);
        }
    }

    /// Copies row `row` of a table, up to date.
    pub(super) fn read_row(&self, cpu: &Cpu, row: usize, into: &mut [f32]) {
        let cols = self.master.cols;
        into.copy_from_slice(&self.master.value[row * cols..][..cols]);
        if let Form::Table(rows) = &self.form {
            rows.catch_up(cpu.isa(), row, into);
        }
    }

    /// The gradient of row `row` of a table, to be added to.
    pub(super) fn gradient_row(&mut self, row: usize) -> &mut [f32] {
        if let Form::Table(rows) = &mut self.form {
            rows.touch(row);
        }
        &mut self.master.gradient[row * self.master.cols..][..self.master.cols]
    }

    pub(super) fn squared_gradient_norm(&self, cpu: &Cpu) -> f64 {
        if self.gradient_is_void {
            return 0.0;
        }
        if let Form::Table(rows) = &self.form {
            return rows.squared_norm(cpu, &self.master);
        }
        let chunks: Vec<&[f32]> = self.master.gradient.chunks(optimizer::NORM_CHUNK).collect();
        let mut sums = vec![0.0_f64; chunks.len()];
        let shared = Shared::new(&mut sums);
        cpu.tasks(Kind::Optimizer, chunks.len(), |task| {
            #[expect(unsafe_code, reason = "tasks write disjoint elements")]
            // SAFETY: this element belongs to this task alone.
            let sum = unsafe { shared.part(task, 1) };
            sum[0] = optimizer::chunk_norm(cpu.isa(), chunks[task]);
        });
        sums.iter().sum()
    }

    pub(super) fn zero_gradient(&mut self) {
        match &mut self.form {
            Form::Table(rows) => rows.zero_gradient(&mut self.master),
            Form::Vector => self.master.gradient.fill(0.0),
            _ => self.gradient_is_void = self.master.is_trainable(),
        }
    }

    /// One optimiser step on a weight that learns, which renews its packed forms and clears its gradient.
    pub(super) fn adamw(&mut self, cpu: &Cpu, step: &AdamW) {
        let factors = AdamWFactors::from(step);
        if self.gradient_is_void {
            self.master.gradient.fill(0.0);
            self.gradient_is_void = false;
        }
        if let Form::Table(rows) = &mut self.form {
            rows.adamw(cpu, &mut self.master, &factors);
            return;
        }
        let (rows, cols) = (self.master.rows, self.master.cols);
        #[cfg(target_arch = "x86_64")]
        let packed = match &mut self.form {
            Form::Packed(packed) => Some(packed.bands()),
            _ => None,
        };
        #[cfg(target_arch = "x86_64")]
        let chunk = packed.as_ref().map_or(CHUNK, |_| super::halves::BAND * cols);
        #[cfg(not(target_arch = "x86_64"))]
        let chunk = CHUNK;
        let Master { value, gradient, first_moment, second_moment, .. } = &mut self.master;
        let len = value.len();
        let [value, first, second] = [value, first_moment, second_moment].map(|part| Shared::new(part));
        cpu.tasks(Kind::Optimizer, len.div_ceil(chunk), |task| {
            let at = task * chunk;
            let size = chunk.min(len - at);
            #[expect(unsafe_code, reason = "tasks take disjoint elements")]
            // SAFETY: these elements belong to this task alone.
            let [value, first, second] = [value, first, second].map(|part| unsafe { part.part(at, size) });
            optimizer::adamw_chunk(cpu.isa(), &factors, value, &gradient[at..at + size], first, second);
            #[cfg(target_arch = "x86_64")]
            if let Some(packed) = packed {
                packed.pack(task, value, rows, cols);
            }
        });
        if let Form::Transposed(transposed) = &mut self.form {
            single::transpose(cpu, &self.master.value, rows, cols, transposed);
        }
        self.zero_gradient();
    }
}
