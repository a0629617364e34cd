//! Products and attention on bf16 operands with f32 sums, for processors with AVX512-BF16.
//!
//! [`super::tile`] is the loop that does the work; `panels` puts operands into its order, with the rearrangements of
//! `vectors`; `product` runs tiles over linear layers and `attention` over heads.

mod attention;
mod panels;
mod product;
mod vectors;

pub(super) use attention::{backward as attention_backward, forward as attention_forward};
pub(super) use panels::{BAND, Packed};
pub(super) use product::Workspace;

use half::bf16;

use super::Cpu;
use super::epilogue::{Epilogue, Keep};
use crate::layout::Layout;

/// `x Wᵀ` for a weight, O×I, whose packed forms are `packed`.
pub(super) fn forward(
    cpu: &Cpu,
    (x, rows): (&[bf16], usize),
    packed: &Packed,
    inputs: usize,
    epilogue: &Epilogue<'_>,
    keep: Keep<'_>,
) {
    product::rows_times(cpu, x, rows, inputs, &packed.forward, epilogue, keep);
}

/// `d_out W` for a weight of `inputs` columns whose values, if not yet packed this way, are `values`.
pub(super) fn input_gradient(
    cpu: &Cpu,
    (d_out, rows): (&[bf16], usize),
    packed: &mut Packed,
    (values, inputs): (&[f32], usize),
    epilogue: &Epilogue<'_>,
    keep: Keep<'_>,
) {
    let panels = packed.backward(cpu, values, inputs);
    product::rows_times(cpu, d_out, rows, values.len() / inputs, panels, epilogue, keep);
}

/// `d_outᵀ x`, over `gradient` or on top of it.
pub(super) fn weight_gradient(
    cpu: &Cpu,
    operands: (&[bf16], &[bf16]),
    layout: &Layout,
    shape: (usize, usize),
    gradient: &mut [f32],
    add: bool,
) {
    product::weight_gradient(cpu, operands, layout, shape, gradient, add);
}
