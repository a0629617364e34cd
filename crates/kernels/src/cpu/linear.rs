//! Linear layers: which product computes them, and the sums of their biases.

use super::activation::Accuracy;
use super::buffer::CpuBuffer;
use super::epilogue::{Epilogue, Keep};
use super::isa::for_each_isa;
use super::profile::Kind;
use super::shared::Shared;
use super::weight::{CpuWeight, Form};
use super::{Cpu, activation, single};
use crate::backend::{Activation, InputGradient};
use crate::layout::Layout;

/// Columns of one task of the sums over rows.
const SUM_COLUMNS: usize = 128;

fn mixed() -> ! {
    panic!("a linear layer's operand does not fit its weight's precision, or a weight of bytes is asked to learn")
}

/// What an activation beside these operands needs.
fn accuracy(operand: &CpuBuffer) -> Accuracy {
    match operand {
        CpuBuffer::Single(_) => Accuracy::Single,
        CpuBuffer::Half(_) => Accuracy::Half,
    }
}

pub(super) fn forward(
    cpu: &Cpu,
    x: &CpuBuffer,
    rows: usize,
    weight: &CpuWeight,
    bias: &CpuWeight,
    activation: Option<Activation>,
    pre: Option<&mut CpuBuffer>,
    out: &mut CpuBuffer,
) {
    let (outputs, inputs) = (weight.master.rows, weight.master.cols);
    let pre = pre.filter(|_| activation.is_some()).map(CpuBuffer::shared);
    let accuracy = accuracy(x);
    let epilogue = Epilogue { bias: Some(&bias.master.value), pre, activation, accuracy, derivative: None };
    match (&weight.form, x, out) {
        (Form::Transposed(transposed), CpuBuffer::Single(x), CpuBuffer::Single(out)) => {
            single::rows_times(cpu, (x, rows), transposed, (inputs, outputs), out, false, &epilogue);
        }
        #[cfg(target_arch = "x86_64")]
        (Form::Packed(packed), CpuBuffer::Half(x), out) => {
            assert!(out.len() >= rows * outputs, "result shorter than its shape");
            super::halves::forward(cpu, (x, rows), packed, inputs, &epilogue, Keep::Set(out.shared()));
        }
        #[cfg(target_arch = "x86_64")]
        (Form::Quantized(weight), CpuBuffer::Half(x), out) => {
            assert!(out.len() >= rows * outputs, "result shorter than its shape");
            super::bytes::forward(cpu, (x, rows), weight, inputs, &epilogue, Keep::Set(out.shared()));
        }
        _ => mixed(),
    }
}

pub(super) fn backward(
    cpu: &Cpu,
    d_out: &CpuBuffer,
    x: &CpuBuffer,
    layout: &Layout,
    weight: &mut CpuWeight,
    bias: &mut CpuWeight,
    d_x: Option<InputGradient<'_, CpuBuffer>>,
) {
    let rows = layout.rows();
    let shape = (weight.master.rows, weight.master.cols);
    if bias.master.is_trainable() {
        add_sums_of_columns(cpu, d_out, rows, &mut bias.master.gradient);
    }
    // Without rows there is nothing to overwrite an old gradient with.
    if weight.master.is_trainable() && rows > 0 {
        let add = !std::mem::replace(&mut weight.gradient_is_void, false);
        let gradient = &mut weight.master.gradient;
        match (&weight.form, d_out, x) {
            (Form::Transposed(_), CpuBuffer::Single(d_out), CpuBuffer::Single(x)) => {
                single::transposed_times(cpu, (d_out, x), layout, shape, gradient, add);
            }
            #[cfg(target_arch = "x86_64")]
            (Form::Packed(_), CpuBuffer::Half(d_out), CpuBuffer::Half(x)) => {
                super::halves::weight_gradient(cpu, (d_out, x), layout, shape, gradient, add);
            }
            _ => mixed(),
        }
    }
    let Some(d_x) = d_x else { return };
    let (epilogue, to, add) = match d_x {
        InputGradient::Set(d_x) => (Epilogue::default(), d_x, false),
        InputGradient::Add(d_x) => (Epilogue::default(), d_x, true),
        InputGradient::Through { d_pre, activation, pre } => {
            let accuracy = accuracy(d_out);
            (Epilogue { derivative: Some((activation, pre)), accuracy, ..Epilogue::default() }, d_pre, false)
        }
    };
    match (&mut weight.form, d_out, to) {
        (Form::Transposed(_), CpuBuffer::Single(d_out), CpuBuffer::Single(to)) => {
            single::rows_times(cpu, (d_out, rows), &weight.master.value, shape, to, add, &epilogue);
        }
        #[cfg(target_arch = "x86_64")]
        (Form::Packed(packed), CpuBuffer::Half(d_out), to) => {
            assert!(to.len() >= rows * shape.1, "result shorter than its shape");
            let keep = if add { Keep::Add(to.shared()) } else { Keep::Set(to.shared()) };
            let values = (&weight.master.value[..], shape.1);
            super::halves::input_gradient(cpu, (d_out, rows), packed, values, &epilogue, keep);
        }
        _ => mixed(),
    }
}

pub(super) fn activation_backward(cpu: &Cpu, activation: Activation, pre: &CpuBuffer, d: &mut CpuBuffer, len: usize) {
    /// Elements of one task.
    const CHUNK: usize = 4 * 1024;
    let d = d.shared();
    cpu.tasks(Kind::Rows, len.div_ceil(CHUNK), |task| {
        let at = task * CHUNK;
        let (mut values, mut gradient) = (vec![0.0; CHUNK.min(len - at)], vec![0.0; CHUNK.min(len - at)]);
        pre.load(cpu.isa(), at, &mut values);
        #[expect(unsafe_code, reason = "tasks take disjoint elements")]
        // SAFETY: these elements belong to this task alone.
        unsafe {
            d.load(cpu.isa(), at, &mut gradient);
            activation::backward(cpu.isa(), activation, &values, &mut gradient);
            d.store(cpu.isa(), at, &gradient);
        }
    });
}

/// `sums[c] += Σ x[r, c]`, rows in order on top of what is there: a batch in pieces gives the same bits.
fn add_sums_of_columns(cpu: &Cpu, x: &CpuBuffer, rows: usize, sums: &mut [f32]) {
    let width = sums.len();
    let sums = Shared::new(sums);
    cpu.tasks(Kind::Rows, width.div_ceil(SUM_COLUMNS), |task| {
        let column = task * SUM_COLUMNS;
        let columns = SUM_COLUMNS.min(width - column);
        #[expect(unsafe_code, reason = "tasks take disjoint columns")]
        // SAFETY: these columns belong to this task alone.
        let sums = unsafe { sums.part(column, columns) };
        add_rows(cpu.isa(), x, rows, (width, column), sums);
    });
}

for_each_isa! {
    /// Adds `rows` rows of `x`, whose width and first column are given, in order.
    fn add_rows(x: &CpuBuffer, rows: usize, place: (usize, usize), sums: &mut [f32]) {
        let (width, column) = place;
        match x {
            CpuBuffer::Single(x) => {
                for row in x.chunks_exact(width).take(rows) {
                    for (sum, &x) in sums.iter_mut().zip(&row[column..]) {
                        *sum += x;
                    }
                }
            }
            CpuBuffer::Half(x) => {
                for row in x.chunks_exact(width).take(rows) {
                    for (sum, x) in sums.iter_mut().zip(&row[column..]) {
                        *sum += f32::from_bits(u32::from(x.to_bits()) << 16);
                    }
                }
            }
        }
    }
}
