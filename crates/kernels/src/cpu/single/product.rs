//! Matrix products, cut into tiles whose shapes depend on the weight alone.
//!
//! The products of one tile come from the crate `gemm`, called single-threaded. Two things keep the bits independent
//! of the batch and of the threads: every call has one of a few shapes fixed by the weight (a last tile of rows is
//! padded with zeros), and each element of a result is added up by one call, or by calls in a fixed order.
//!
//! Rows of a result are contiguous, and so are those of the right operand; that is why a weight is kept both as the
//! checkpoint has it (O×I, for the gradient of the input) and transposed (I×O, for the forward product): the library
//! then has nothing to pack, and reaches the rate of large products with 16 rows.

use crate::cpu::Cpu;
use crate::cpu::epilogue::{Epilogue, Keep, Rectangle, finish};
use crate::cpu::profile::Kind;
use crate::cpu::shared::Shared;
use crate::layout::{GROUP_ROWS, Layout};

/// Rows of one call: small, so that little is computed on padding.
const ROW_TILE: usize = 16;
/// Rows of one task, which runs its tiles over one slice of the weight.
const ROW_GROUP: usize = 8 * ROW_TILE;
/// Columns of a slice at most; with it the slice stays in the second-level cache while the rows pass.
const SLICE_COLUMNS: usize = 256;
/// Elements of a slice at most: half a mebibyte.
const SLICE_ELEMENTS: usize = 128 * 1024;

/// The columns of the slices that `columns` are cut into for a product of `depth`: nearly equal, multiples of 32.
fn slice_width(columns: usize, depth: usize) -> usize {
    let widest = (SLICE_ELEMENTS / depth.max(1)).clamp(64, SLICE_COLUMNS);
    columns.div_ceil(columns.div_ceil(widest)).next_multiple_of(32)
}

/// A strided view of the left operand: element (i, l) stands at `i * row + l * col`.
#[derive(Clone, Copy)]
pub(super) struct Strides {
    pub(super) row: usize,
    pub(super) col: usize,
}

/// `c[m, n] (+)= a[m, k] · b[k, n]` with the library, on this thread.
///
/// # Safety
/// The three operands must be valid for these shapes and strides, and `c` must not overlap the others.
#[expect(unsafe_code, reason = "the library takes raw pointers")]
unsafe fn product(
    (m, n, k): (usize, usize, usize),
    a: *const f32,
    a_strides: Strides,
    b: *const f32,
    b_row: usize,
    c: *mut f32,
    c_row: usize,
    add: bool,
) {
    let stride = |n: usize| isize::try_from(n).expect("a stride fits in memory");
    // Seen as column-major the result is cᵀ = bᵀ aᵀ, whose left operand then has contiguous columns.
    // SAFETY: the caller's promise, with the operands exchanged.
    unsafe {
        gemm::gemm(
            n,
            m,
            k,
            c,
            stride(c_row),
            1,
            add,
            b,
            stride(b_row),
            1,
            a,
            stride(a_strides.row),
            stride(a_strides.col),
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// `c[m, n] (+)= a[m, k] · b[k, n]` on this thread, for shapes that one text decides alone.
pub(super) fn small(
    (m, n, k): (usize, usize, usize),
    a: &[f32],
    a_strides: Strides,
    b: &[f32],
    b_row: usize,
    c: &mut [f32],
    c_row: usize,
    add: bool,
) {
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    assert!(a.len() > (m - 1) * a_strides.row + (k - 1) * a_strides.col, "left operand too short");
    assert!(b.len() >= (k - 1) * b_row + n && c.len() >= (m - 1) * c_row + n, "right operand or result too short");
    #[expect(unsafe_code, reason = "the library takes raw pointers")]
    // SAFETY: the shapes were checked above, and `c` is borrowed alone.
    unsafe {
        product((m, n, k), a.as_ptr(), a_strides, b.as_ptr(), b_row, c.as_mut_ptr(), c_row, add);
    }
}

/// `out[rows, n] (+)= x[rows, k] · b[k, n]`, finished row by row while a slice is in cache.
///
/// # Shapes
/// `x`: rows×k; `b`: k×n; `out`: rows×n, all contiguous.
pub(in crate::cpu) fn rows_times(
    cpu: &Cpu,
    (x, rows): (&[f32], usize),
    b: &[f32],
    (k, n): (usize, usize),
    out: &mut [f32],
    add: bool,
    epilogue: &Epilogue<'_>,
) {
    assert!(x.len() >= rows * k && b.len() >= k * n && out.len() >= rows * n, "operand shorter than its shape");
    let width = slice_width(n, k);
    let groups = rows.div_ceil(ROW_GROUP);
    let out = Shared::new(out);
    let task = |task: usize| {
        let (first_column, first_row) = (task / groups * width, task % groups * ROW_GROUP);
        let columns = width.min(n - first_column);
        let mut tail = Vec::new();
        for row in (first_row..rows.min(first_row + ROW_GROUP)).step_by(ROW_TILE) {
            let taken = ROW_TILE.min(rows - row);
            let b = b[first_column..].as_ptr();
            let full = taken == ROW_TILE;
            if !full {
                tail = vec![0.0; ROW_TILE * (k + columns)];
                tail[..taken * k].copy_from_slice(&x[row * k..(row + taken) * k]);
            }
            let (padded, result) = tail.split_at_mut(if full { 0 } else { ROW_TILE * k });
            let strides = Strides { row: k, col: 1 };
            let shape = (ROW_TILE, columns, k);
            #[expect(unsafe_code, reason = "the library takes raw pointers; tasks write disjoint rectangles")]
            // SAFETY: rows `row..row + taken` and columns `first_column..first_column + columns` of `out` belong to
            // this task alone; shapes were checked on entry, and a tile of fewer rows goes through its own copy.
            unsafe {
                if full {
                    let target = out.at(row * n + first_column);
                    product(shape, x[row * k..].as_ptr(), strides, b, n, target, n, add);
                } else {
                    // What is added to goes in first: the library adds a deep product in several parts.
                    for (tile_row, result) in result.chunks_exact_mut(columns).enumerate().take(taken) {
                        result.copy_from_slice(out.part((row + tile_row) * n + first_column, columns));
                    }
                    product(shape, padded.as_ptr(), strides, b, n, result.as_mut_ptr(), columns, add);
                }
                for tile_row in 0..taken {
                    let target = out.part((row + tile_row) * n + first_column, columns);
                    if !full {
                        target.copy_from_slice(&result[tile_row * columns..][..columns]);
                    }
                    let rectangle = Rectangle { row: row + tile_row, column: first_column, rows: 1, columns, width: n };
                    finish(cpu.isa(), epilogue, rectangle, target, columns, Keep::InPlace);
                }
            }
        }
    };
    cpu.tasks(Kind::Products, n.div_ceil(width) * groups, task);
}

/// `gradient[o, i] (+)= d_outᵀ · x`: the gradient of a weight, groups of rows in order.
///
/// # Shapes
/// `d_out`: N×o; `x`: N×i; `gradient`: o×i, all contiguous.
pub(in crate::cpu) fn transposed_times(
    cpu: &Cpu,
    (d_out, x): (&[f32], &[f32]),
    layout: &Layout,
    (o, i): (usize, usize),
    gradient: &mut [f32],
    add: bool,
) {
    let rows = layout.rows();
    assert!(
        d_out.len() >= rows * o && x.len() >= rows * i && gradient.len() >= o * i,
        "operand shorter than its shape"
    );
    let width = slice_width(i, GROUP_ROWS);
    let height = 64;
    let slices = i.div_ceil(width);
    let gradient = Shared::new(gradient);
    let groups = layout.groups(GROUP_ROWS);
    let task = |task: usize| {
        let (first_row, first_column) = (task / slices * height, task % slices * width);
        let (height, columns) = (height.min(o - first_row), width.min(i - first_column));
        let mut add = add;
        for group in &groups {
            let shape = (height, columns, group.len());
            let strides = Strides { row: 1, col: o };
            #[expect(unsafe_code, reason = "the library takes raw pointers; tasks write disjoint rectangles")]
            // SAFETY: this rectangle of the gradient belongs to this task alone; shapes were checked on entry.
            unsafe {
                let a = d_out[group.start * o + first_row..].as_ptr();
                let b = x[group.start * i + first_column..].as_ptr();
                product(shape, a, strides, b, i, gradient.at(first_row * i + first_column), i, add);
            }
            add = true;
        }
    };
    cpu.tasks(Kind::Products, o.div_ceil(height) * slices, task);
}

/// Writes the transpose of `from`, rows×cols, to `to`, cols×rows.
pub(in crate::cpu) fn transpose(cpu: &Cpu, from: &[f32], rows: usize, cols: usize, to: &mut [f32]) {
    const BLOCK: usize = 16;
    assert!(from.len() >= rows * cols && to.len() == rows * cols, "operand shorter than its shape");
    let to = Shared::new(to);
    cpu.tasks(Kind::Optimizer, cols.div_ceil(BLOCK), |band| {
        let first_col = band * BLOCK;
        #[expect(unsafe_code, reason = "bands are disjoint")]
        // SAFETY: these rows of the transpose belong to this task alone.
        let to = unsafe { to.part(first_col * rows, BLOCK.min(cols - first_col) * rows) };
        for first_row in (0..rows).step_by(BLOCK) {
            let height = BLOCK.min(rows - first_row);
            for (offset, to) in to.chunks_exact_mut(rows).enumerate() {
                let to = &mut to[first_row..][..height];
                for (row, to) in to.iter_mut().enumerate() {
                    *to = from[(first_row + row) * cols + first_col + offset];
                }
            }
        }
    });
}
