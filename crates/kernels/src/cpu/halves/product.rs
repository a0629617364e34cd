//! Products of bf16 operands with f32 sums: rows times a packed weight, and the gradient of a weight.

use half::bf16;

use super::panels::{Panels, pack_rows, row_pairs};
use crate::cpu::Cpu;
use crate::cpu::epilogue::{Epilogue, Keep, Rectangle, finish_halves};
use crate::cpu::profile::Kind;
use crate::cpu::shared::Shared;
use crate::cpu::tile::{COLUMNS, Halves, Left, ROWS, TASKS_PER_THREAD, Target, for_each_tile, tile};
use crate::layout::Layout;

/// Memory for packed activations, kept from one call to the next.
#[derive(Debug, Default)]
pub(in crate::cpu) struct Workspace {
    left: Panels,
    right: Panels,
}

/// `x[rows, depth] · right`, finished by `epilogue` and kept as `keep` says.
///
/// # Shapes
/// `x`: rows×`depth`; `right`: depth×n in panels; the result: rows×n.
pub(super) fn rows_times(
    cpu: &Cpu,
    x: &[bf16],
    rows: usize,
    depth: usize,
    right: &Panels,
    epilogue: &Epilogue<'_>,
    keep: Keep<'_>,
) {
    assert!(x.len() >= rows * depth, "left operand shorter than its shape");
    assert_eq!(right.pairs, depth.div_ceil(2), "operands of different depth");
    let mut even = Vec::new();
    let x = if depth.is_multiple_of(2) {
        x
    } else {
        // A pair must not reach into the next row.
        for row in x.chunks_exact(depth).take(rows) {
            even.extend_from_slice(row);
            even.push(bf16::ZERO);
        }
        &even
    };
    let pairs = right.pairs;
    let sums = || [0.0_f32; ROWS * COLUMNS];
    for_each_tile(cpu, rows, (right.count(), pairs), sums, |sums, row, height, panel| {
        let column = panel * COLUMNS;
        let left = Left { at: x[row * 2 * pairs..].as_ptr().cast(), row: pairs, group: 1 };
        let target = Target { at: sums.as_mut_ptr(), row: COLUMNS, add: false };
        let columns = COLUMNS.min(right.columns - column);
        let rectangle = Rectangle { row, column, rows: height, columns, width: right.columns };
        #[expect(unsafe_code, reason = "vector instructions on raw pointers")]
        // SAFETY: `height` rows of `pairs` pairs from `row`, a whole panel, a whole tile of sums; bf16 operands exist
        // only where AVX512-BF16 was detected.
        unsafe {
            tile::<Halves>(height, pairs, left, right.panel(panel).as_ptr(), target);
            finish_halves(epilogue, rectangle, sums, COLUMNS, keep);
        }
    });
}

/// `gradient[o, i] (+)= d_outᵀ · x`, each text's rows in pairs.
///
/// # Shapes
/// `d_out`: N×o; `x`: N×i; `gradient`: o×i.
pub(super) fn weight_gradient(
    cpu: &Cpu,
    (d_out, x): (&[bf16], &[bf16]),
    layout: &Layout,
    (outputs, inputs): (usize, usize),
    gradient: &mut [f32],
    add: bool,
) {
    /// Columns of a panel of the left operand: four tiles.
    const LEFT_COLUMNS: usize = 4 * ROWS;
    let row_pairs = row_pairs(layout);
    let pairs = row_pairs.len();
    let mut workspace = cpu.workspace();
    let Workspace { left, right } = &mut *workspace;
    pack_rows(cpu, d_out, outputs, &row_pairs, LEFT_COLUMNS, left);
    pack_rows(cpu, x, inputs, &row_pairs, COLUMNS, right);
    let (left, right) = (&*left, &*right);
    let bands = right.count();
    let gradient = Shared::new(&mut gradient[..outputs * inputs]);
    // One task: a panel of outputs, all panels of inputs; small ones are cut further for the threads' sake.
    let slice = bands.div_ceil((TASKS_PER_THREAD * cpu.threads()).div_ceil(left.count())).max(1);
    let slices = bands.div_ceil(slice);
    cpu.tasks(Kind::Products, left.count() * slices, |task| {
        let (band, first_panel) = (task / slices, task % slices * slice);
        let mut sums = [0.0_f32; ROWS * COLUMNS];
        let first_output = band * LEFT_COLUMNS;
        // Along the rows of the gradient, so that it is written as a few streams.
        for output in (first_output..outputs.min(first_output + LEFT_COLUMNS)).step_by(ROWS) {
            let height = ROWS.min(outputs - output);
            for panel in first_panel..bands.min(first_panel + slice) {
                let column = panel * COLUMNS;
                let columns = COLUMNS.min(inputs - column);
                let at = left.panel(band)[output - first_output..].as_ptr();
                let operand = Left { at, row: 1, group: LEFT_COLUMNS };
                let right = right.panel(panel).as_ptr();
                #[expect(unsafe_code, reason = "vector instructions on raw pointers; tasks write disjoint rectangles")]
                // SAFETY: these rows and columns of the gradient belong to this task alone; a tile narrower than a
                // panel goes through its own memory.
                unsafe {
                    if columns == COLUMNS {
                        let target = Target { at: gradient.at(output * inputs + column), row: inputs, add };
                        tile::<Halves>(height, pairs, operand, right, target);
                        continue;
                    }
                    for (row, sums) in sums.chunks_exact_mut(COLUMNS).enumerate().take(height) {
                        sums[..columns].copy_from_slice(gradient.part((output + row) * inputs + column, columns));
                    }
                    tile::<Halves>(height, pairs, operand, right, Target { at: sums.as_mut_ptr(), row: COLUMNS, add });
                    for (row, sums) in sums.chunks_exact(COLUMNS).enumerate().take(height) {
                        gradient.part((output + row) * inputs + column, columns).copy_from_slice(&sums[..columns]);
                    }
                }
            }
        }
    });
}
