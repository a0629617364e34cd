//! Rows of activations times a weight of bytes.

use half::bf16;

use super::quantize::{GROUP, Quantized, quantize_row};
use crate::cpu::Cpu;
use crate::cpu::epilogue::{Epilogue, Keep, Rectangle, finish_halves};
use crate::cpu::profile::Kind;
use crate::cpu::shared::Shared;
use crate::cpu::tile::{Bytes, COLUMNS, Left, ROWS, Target, for_each_tile, tile};

/// Rows that one task quantises.
const ROW_CHUNK: usize = 16;

/// Memory for quantised rows, kept from one call to the next.
#[derive(Debug, Default)]
pub(in crate::cpu) struct Workspace {
    bytes: Vec<u8>,
    scales: Vec<f32>,
    zeros: Vec<i32>,
}

/// `x Wᵀ` for `rows` rows of `inputs` columns, finished by `epilogue` and kept as `keep` says.
pub(in crate::cpu) fn forward(
    cpu: &Cpu,
    (x, rows): (&[bf16], usize),
    weight: &Quantized,
    inputs: usize,
    epilogue: &Epilogue<'_>,
    keep: Keep<'_>,
) {
    assert!(x.len() >= rows * inputs, "left operand shorter than its shape");
    let mut workspace = cpu.byte_workspace();
    quantize_rows(cpu, x, rows, inputs, &mut workspace);
    let Workspace { bytes, scales, zeros } = &*workspace;
    let groups = weight.groups;
    let memory = || ([0_i32; ROWS * COLUMNS], [0.0_f32; ROWS * COLUMNS]);
    for_each_tile(cpu, rows, (weight.count(), groups), memory, |(sums, results), row, height, panel| {
        let column = panel * COLUMNS;
        let left = Left { at: bytes[row * groups * GROUP..].as_ptr().cast(), row: groups, group: 1 };
        let target = Target { at: sums.as_mut_ptr(), row: COLUMNS, add: false };
        let columns = COLUMNS.min(weight.outputs - column);
        let rectangle = Rectangle { row, column, rows: height, columns, width: weight.outputs };
        let of_rows = (&scales[row..row + height], &zeros[row..row + height]);
        let of_columns = (&weight.scales[column..][..COLUMNS], &weight.sums[column..][..COLUMNS]);
        #[expect(unsafe_code, reason = "vector instructions on raw pointers")]
        // SAFETY: `height` rows of `groups` groups from `row`, a whole panel, a whole tile of sums; this precision exists
        // only where the instructions were detected.
        unsafe {
            tile::<Bytes>(height, groups, left, weight.panel(panel).as_ptr(), target);
            to_numbers(sums, of_rows, of_columns, results);
            finish_halves(epilogue, rectangle, results, COLUMNS, keep);
        }
    });
}

fn quantize_rows(cpu: &Cpu, x: &[bf16], rows: usize, inputs: usize, workspace: &mut Workspace) {
    let stride = inputs.next_multiple_of(GROUP);
    let Workspace { bytes, scales, zeros } = workspace;
    if bytes.len() < rows * stride {
        bytes.resize(rows * stride, 0);
    }
    if scales.len() < rows {
        scales.resize(rows, 0.0);
        zeros.resize(rows, 0);
    }
    let (bytes, scales, zeros) = (Shared::new(bytes), Shared::new(scales), Shared::new(zeros));
    cpu.tasks(Kind::Products, rows.div_ceil(ROW_CHUNK), |chunk| {
        let mut values = vec![0.0; inputs];
        for row in chunk * ROW_CHUNK..rows.min((chunk + 1) * ROW_CHUNK) {
            #[expect(unsafe_code, reason = "tasks take disjoint rows; instructions that were detected")]
            // SAFETY: this row belongs to this task alone; this precision exists only where the instructions do.
            unsafe {
                let bytes = bytes.part(row * stride, stride);
                let (scale, zero) = quantize_row(&x[row * inputs..][..inputs], &mut values, bytes);
                scales.part(row, 1)[0] = scale;
                zeros.part(row, 1)[0] = zero;
            }
        }
    });
}

/// From integer sums to what they stand for.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn to_numbers(
    sums: &[i32],
    (row_scales, zeros): (&[f32], &[i32]),
    (column_scales, column_sums): (&[f32], &[i32]),
    results: &mut [f32],
) {
    let rows = sums.chunks_exact(COLUMNS).zip(results.chunks_exact_mut(COLUMNS)).zip(row_scales.iter().zip(zeros));
    for ((sums, results), (scale, zero)) in rows {
        let columns = sums.iter().zip(column_scales.iter().zip(column_sums));
        for (result, (sum, (column_scale, column_sum))) in results.iter_mut().zip(columns) {
            *result = (sum - zero * column_sum) as f32 * (scale * column_scale);
        }
    }
}
