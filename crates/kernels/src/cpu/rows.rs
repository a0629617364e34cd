//! Operations that go row by row: embeddings, dropout, normalisation, first rows. Each row is loaded as f32, worked on
//! and stored.

use super::buffer::CpuBuffer;
use super::profile::Kind;
use super::shared::Shared;
use super::weight::CpuWeight;
use super::{Cpu, activation, norm};
use crate::{Dropout, Layout};

/// Rows of one task at most.
const ROW_CHUNK: usize = 16;

/// Runs `work` on every row, with scratch memory for `count` rows of `width`.
fn for_each_row<const COUNT: usize>(
    cpu: &Cpu,
    rows: usize,
    width: usize,
    work: impl Fn(usize, [&mut [f32]; COUNT]) + Sync,
) {
    cpu.tasks(Kind::Rows, rows.div_ceil(ROW_CHUNK), |chunk| {
        let mut memory = vec![0.0; COUNT * width];
        for row in chunk * ROW_CHUNK..rows.min((chunk + 1) * ROW_CHUNK) {
            let mut runs = memory.chunks_exact_mut(width);
            work(row, std::array::from_fn(|_| runs.next().expect("as many runs as asked for")));
        }
    });
}

pub(super) fn embed(
    cpu: &Cpu,
    ids: &[u32],
    layout: &Layout,
    words: &CpuWeight,
    positions: &CpuWeight,
    types: Option<&CpuWeight>,
    out: &mut CpuBuffer,
) {
    let width = words.master.cols;
    let mut first_type = vec![0.0; width];
    if let Some(types) = types {
        types.read_row(cpu, 0, &mut first_type);
    }
    assert!(out.len() >= ids.len() * width, "result shorter than its shape");
    let out = out.shared();
    for_each_row(cpu, ids.len(), width, |row, [sum, position]: [&mut [f32]; 2]| {
        words.read_row(cpu, ids[row] as usize, sum);
        positions.read_row(cpu, layout.example_and_position(row).1 as usize, position);
        activation::add(cpu.isa(), sum, position);
        if types.is_some() {
            activation::add(cpu.isa(), sum, &first_type);
        }
        #[expect(unsafe_code, reason = "tasks write disjoint rows")]
        // SAFETY: this row belongs to this task alone.
        unsafe {
            out.store(cpu.isa(), row * width, sum);
        }
    });
}

pub(super) fn embed_backward(
    cpu: &Cpu,
    d_out: &CpuBuffer,
    ids: &[u32],
    layout: &Layout,
    words: &mut CpuWeight,
    positions: &mut CpuWeight,
    types: Option<&mut CpuWeight>,
    padding_id: Option<u32>,
) {
    let width = words.master.cols;
    // Several rows of a batch may meet in one row of a table, so rows go one after another; the tables side by side.
    let add_to = |table: &mut CpuWeight, row_of: &dyn Fn(usize) -> Option<usize>| {
        if !table.master.is_trainable() {
            return;
        }
        let mut d = vec![0.0; width];
        for row in 0..ids.len() {
            if let Some(to) = row_of(row) {
                d_out.load(cpu.isa(), row * width, &mut d);
                activation::add(cpu.isa(), table.gradient_row(to), &d);
            }
        }
    };
    let word = |row: usize| Some(ids[row]).filter(|id| Some(*id) != padding_id).map(|id| id as usize);
    let position = |row: usize| Some(layout.example_and_position(row).1 as usize);
    cpu.join(
        Kind::Rows,
        || add_to(words, &word),
        || {
            add_to(positions, &position);
            if let Some(types) = types {
                add_to(types, &|_| Some(0));
            }
        },
    );
}

pub(super) fn dropout(cpu: &Cpu, x: &mut CpuBuffer, width: usize, layout: &Layout, dropout: &Dropout) {
    let x = x.shared();
    for_each_row(cpu, layout.rows(), width, |row, [run]| {
        let (example, position) = layout.example_and_position(row);
        #[expect(unsafe_code, reason = "tasks take disjoint rows")]
        // SAFETY: this row belongs to this task alone.
        unsafe {
            x.load(cpu.isa(), row * width, run);
            norm::drop_row(cpu.isa(), run, dropout, dropout.row(example, position));
            x.store(cpu.isa(), row * width, run);
        }
    });
}

pub(super) fn layer_norm(
    cpu: &Cpu,
    (x, residual): (&CpuBuffer, Option<&CpuBuffer>),
    dropout: Option<&Dropout>,
    layout: &Layout,
    (weight, bias): (&CpuWeight, &CpuWeight),
    epsilon: f32,
    (normalized, inverse_std): (&mut CpuBuffer, &mut CpuBuffer),
    out: &mut CpuBuffer,
) {
    let width = weight.master.cols;
    let (normalized, out) = (normalized.shared(), out.shared());
    let inverse_std = Shared::new(&mut inverse_std.single_mut()[..layout.rows()]);
    for_each_row(cpu, layout.rows(), width, |row, [sum, other]| {
        let at = row * width;
        x.load(cpu.isa(), at, sum);
        if let Some(dropout) = dropout {
            let (example, position) = layout.example_and_position(row);
            norm::drop_row(cpu.isa(), sum, dropout, dropout.row(example, position));
        }
        if let Some(residual) = residual {
            residual.load(cpu.isa(), at, other);
            activation::add(cpu.isa(), sum, other);
        }
        let inverse = norm::forward_row(cpu.isa(), &weight.master.value, &bias.master.value, epsilon, sum, other);
        #[expect(unsafe_code, reason = "tasks write disjoint rows")]
        // SAFETY: this row belongs to this task alone.
        unsafe {
            normalized.store(cpu.isa(), at, sum);
            out.store(cpu.isa(), at, other);
            inverse_std.part(row, 1)[0] = inverse;
        }
    });
}

pub(super) fn layer_norm_backward(
    cpu: &Cpu,
    d_out: &mut CpuBuffer,
    (normalized, inverse_std): (&CpuBuffer, &CpuBuffer),
    dropout: Option<&Dropout>,
    layout: &Layout,
    (weight, bias): (&mut CpuWeight, &mut CpuWeight),
    d_x: Option<&mut CpuBuffer>,
) {
    let width = weight.master.cols;
    let inverse_std = inverse_std.single();
    let (d_out, d_x) = (d_out.shared(), d_x.map(CpuBuffer::shared));
    let runs = layout.runs(ROW_CHUNK);
    // Each run adds up from zero and the runs are added in order: pieces of a batch give the same bits as the whole.
    let mut sums = vec![0.0_f32; runs.len() * 2 * width];
    let shared = Shared::new(&mut sums);
    cpu.tasks(Kind::Rows, runs.len(), |run| {
        let mut memory = vec![0.0; 2 * width];
        let (gradient, unit) = memory.split_at_mut(width);
        #[expect(unsafe_code, reason = "runs are disjoint")]
        // SAFETY: these sums belong to this task alone.
        let (d_weight, d_bias) = unsafe { shared.part(run * 2 * width, 2 * width) }.split_at_mut(width);
        for row in runs[run].clone() {
            let at = row * width;
            normalized.load(cpu.isa(), at, unit);
            #[expect(unsafe_code, reason = "runs are disjoint")]
            // SAFETY: this row belongs to this task alone.
            unsafe {
                d_out.load(cpu.isa(), at, gradient);
                let scale = &weight.master.value;
                norm::backward_row(cpu.isa(), gradient, unit, inverse_std[row], scale, d_weight, d_bias);
                d_out.store(cpu.isa(), at, gradient);
                if let Some(d_x) = d_x {
                    if let Some(dropout) = dropout {
                        let (example, position) = layout.example_and_position(row);
                        norm::drop_row(cpu.isa(), gradient, dropout, dropout.row(example, position));
                    }
                    d_x.store(cpu.isa(), at, gradient);
                }
            }
        }
    });
    for sums in sums.chunks_exact(2 * width) {
        for (sums, weight) in sums.chunks_exact(width).zip([&mut *weight, &mut *bias]) {
            if weight.master.is_trainable() {
                activation::add(cpu.isa(), &mut weight.master.gradient, sums);
            }
        }
    }
}

pub(super) fn first_rows(cpu: &Cpu, x: &CpuBuffer, width: usize, layout: &Layout, out: &mut CpuBuffer) {
    let out = out.shared();
    for_each_row(cpu, layout.texts(), width, |text, [run]| {
        x.load(cpu.isa(), layout.range(text).start * width, run);
        #[expect(unsafe_code, reason = "tasks write disjoint rows")]
        // SAFETY: this row belongs to this task alone.
        unsafe {
            out.store(cpu.isa(), text * width, run);
        }
    });
}

pub(super) fn first_rows_backward(cpu: &Cpu, d_out: &CpuBuffer, width: usize, layout: &Layout, d_x: &mut CpuBuffer) {
    let d_x = d_x.shared();
    cpu.tasks(Kind::Rows, layout.texts(), |text| {
        let mut run = vec![0.0; width];
        for row in layout.range(text) {
            if row == layout.range(text).start {
                d_out.load(cpu.isa(), text * width, &mut run);
            } else {
                run.fill(0.0);
            }
            #[expect(unsafe_code, reason = "tasks write disjoint rows")]
            // SAFETY: the rows of this text belong to this task alone.
            unsafe {
                d_x.store(cpu.isa(), row * width, &run);
            }
        }
    });
}
