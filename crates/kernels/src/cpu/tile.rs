//! The innermost loop: a tile of sums of products of narrow numbers.
//!
//! `vdpbf16ps` multiplies the two bf16 numbers of each 32-bit lane with those of another register and adds both products
//! to an f32 lane; `vpdpbusd` does so with four bytes and an i32 lane. Either way a lane's numbers, two or four, are a
//! *group* of depth. A tile of 12×32 sums takes 24 of the 32 registers; each group costs two loads of the right operand,
//! twelve broadcasts of the left, and 24 such instructions, which is what the processor does at best.
//!
//! Every sum runs over the depth in order, whatever the tile's height: its bits depend on its row and column alone. A
//! sum that starts from what memory holds goes on as if it had never been stored.

use std::arch::x86_64::{
    __m512, __m512bh, __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_dpbf16_ps, _mm512_dpbusd_epi32, _mm512_loadu_si512,
    _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
};

use super::Cpu;
use super::profile::Kind;

/// Rows of a tile at most.
pub(in crate::cpu) const ROWS: usize = 12;
/// Columns of a tile, and of a panel of the right operand.
pub(in crate::cpu) const COLUMNS: usize = 32;
const VECTORS: usize = COLUMNS / 16;
/// Groups of depth that the right operand is fetched ahead: the processor's own prefetching ends with each page of
/// memory, which is 32 groups.
const AHEAD: usize = 16;

/// The left operand of a tile, in groups: group `g` of row `i` stands at `i * row + g * group`, and one of the strides
/// is 1.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Left {
    pub(in crate::cpu) at: *const u32,
    pub(in crate::cpu) row: usize,
    pub(in crate::cpu) group: usize,
}

/// The result of a tile, f32 or i32: row `i` stands at `i * row`.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Target<T> {
    pub(in crate::cpu) at: *mut T,
    pub(in crate::cpu) row: usize,
    /// Start from what is there instead of zero.
    pub(in crate::cpu) add: bool,
}

/// What a lane holds and how it is multiplied.
#[expect(unsafe_code, reason = "vector instructions that must be there")]
pub(in crate::cpu) trait Numbers {
    type Sum;
    /// `sum + a · b`, lane by lane.
    ///
    /// # Safety
    /// The instructions must be there.
    unsafe fn dot(sum: __m512i, a: __m512i, b: __m512i) -> __m512i;
}

/// Pairs of bf16 on both sides, f32 sums.
pub(in crate::cpu) struct Halves;

/// Four unsigned bytes on the left, four signed ones on the right, i32 sums.
pub(in crate::cpu) struct Bytes;

#[expect(unsafe_code, reason = "vector instructions, and bits of a register under another type")]
impl Numbers for Halves {
    type Sum = f32;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
    unsafe fn dot(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: all types are 512 bits without invalid values.
        unsafe {
            let (a, b) = (std::mem::transmute::<__m512i, __m512bh>(a), std::mem::transmute::<__m512i, __m512bh>(b));
            let sum = _mm512_dpbf16_ps(std::mem::transmute::<__m512i, __m512>(sum), a, b);
            std::mem::transmute::<__m512, __m512i>(sum)
        }
    }
}

#[expect(unsafe_code, reason = "vector instructions")]
impl Numbers for Bytes {
    type Sum = i32;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    unsafe fn dot(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        _mm512_dpbusd_epi32(sum, a, b)
    }
}

/// Bytes of a panel that one task goes over for each tile of rows: half of a small second-level cache.
const SLICE_BYTES: usize = 256 * 1024;
/// Rows of one task.
const ROW_GROUP: usize = 8 * ROWS;
/// Tasks per thread that even out what each takes.
pub(in crate::cpu) const TASKS_PER_THREAD: usize = 4;

/// Cuts a product of `rows` rows with `panels` panels of `groups` groups into tiles and runs `work` on each with its
/// first row, its height and its panel. A task's panels stay in the second-level cache while its rows pass. `M` is
/// memory that a task carries from tile to tile.
pub(in crate::cpu) fn for_each_tile<M>(
    cpu: &Cpu,
    rows: usize,
    (panels, groups): (usize, usize),
    memory: impl Fn() -> M + Sync,
    work: impl Fn(&mut M, usize, usize, usize) + Sync,
) {
    let row_groups = rows.div_ceil(ROW_GROUP);
    let enough = (TASKS_PER_THREAD * cpu.threads()).div_ceil(row_groups.max(1));
    let slice = (SLICE_BYTES / (groups.max(1) * COLUMNS * 4)).clamp(1, panels.div_ceil(enough).max(1));
    cpu.tasks(Kind::Products, row_groups * panels.div_ceil(slice), |task| {
        let (first_row, first_panel) = (task % row_groups * ROW_GROUP, task / row_groups * slice);
        let mut memory = memory();
        for row in (first_row..rows.min(first_row + ROW_GROUP)).step_by(ROWS) {
            for panel in first_panel..panels.min(first_panel + slice) {
                work(&mut memory, row, ROWS.min(rows - row), panel);
            }
        }
    });
}

/// `target[rows, 32] (+)= left[rows, groups] · right[groups, 32]`; `right` is a panel: 32 groups for each of depth.
///
/// # Safety
/// The operands must be valid for these shapes and strides, at most [`ROWS`] rows; AVX512-BF16 and -VNNI must be there.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni")]
#[expect(unsafe_code, reason = "vector instructions on raw pointers")]
pub(in crate::cpu) unsafe fn tile<N: Numbers>(
    rows: usize,
    groups: usize,
    left: Left,
    right: *const u32,
    target: Target<N::Sum>,
) {
    macro_rules! of_height {
        ($($height:literal)*) => {
            match rows {
                // SAFETY: the caller's promise.
                $($height if left.group == 1 => unsafe { of::<N, $height, true>(groups, left, right, target) },
                // SAFETY: the caller's promise.
                $height => unsafe { of::<N, $height, false>(groups, left, right, target) },)*
                _ => debug_assert!(rows == 0, "a tile of {rows} rows"),
            }
        };
    }
    of_height!(1 2 3 4 5 6 7 8 9 10 11 12);
}

/// A tile of `HEIGHT` rows; `ALONG`: the groups of a row of the left operand are neighbours, else those of a column are.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni")]
#[expect(unsafe_code, reason = "vector instructions on raw pointers")]
unsafe fn of<N: Numbers, const HEIGHT: usize, const ALONG: bool>(
    groups: usize,
    left: Left,
    right: *const u32,
    target: Target<N::Sum>,
) {
    debug_assert!(if ALONG { left.group == 1 } else { left.row == 1 }, "one stride of the left operand is 1");
    let mut sums = [[_mm512_setzero_si512(); VECTORS]; HEIGHT];
    let (mut a, mut b) = (left.at, right);
    // SAFETY: all addresses lie within the shapes that the caller promised.
    unsafe {
        if target.add {
            for (row, sums) in sums.iter_mut().enumerate() {
                for (vector, sum) in sums.iter_mut().enumerate() {
                    *sum = _mm512_loadu_si512(target.at.add(row * target.row + 16 * vector).cast());
                }
            }
        }
        for _ in 0..groups {
            let mut panel = [_mm512_setzero_si512(); VECTORS];
            for (vector, panel) in panel.iter_mut().enumerate() {
                // Never faults, so it may look past the end: there the next panel begins.
                _mm_prefetch::<_MM_HINT_T0>(b.wrapping_add(AHEAD * COLUMNS + 16 * vector).cast());
                *panel = _mm512_loadu_si512(b.add(16 * vector).cast::<__m512i>());
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                let at = if ALONG { a.add(row * left.row) } else { a.add(row) };
                let group = _mm512_set1_epi32(at.read_unaligned().cast_signed());
                for (sum, panel) in sums.iter_mut().zip(panel) {
                    *sum = N::dot(*sum, group, panel);
                }
            }
            a = if ALONG { a.add(1) } else { a.add(left.group) };
            b = b.add(COLUMNS);
        }
        for (row, sums) in sums.iter().enumerate() {
            for (vector, sum) in sums.iter().enumerate() {
                _mm512_storeu_si512(target.at.add(row * target.row + 16 * vector).cast(), *sum);
            }
        }
    }
}
