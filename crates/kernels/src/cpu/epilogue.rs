//! What follows a product while its tile is in cache: bias, activation, and the way to where results are kept.

use half::bf16;

use super::activation::{self, Accuracy};
use super::buffer::{CpuBuffer, SharedBuffer, narrow_run, widen_run};
use super::isa::for_each_isa;
use crate::Activation;

/// The steps behind a product, in this order; each only where it is given.
#[derive(Clone, Copy, Default)]
pub(super) struct Epilogue<'a> {
    /// Added to each row.
    pub(super) bias: Option<&'a [f32]>,
    /// Takes the value before the activation, rows×columns of the whole result.
    pub(super) pre: Option<SharedBuffer<'a>>,
    /// Applied to each element.
    pub(super) activation: Option<Activation>,
    /// How near the activation and its derivative must come.
    pub(super) accuracy: Accuracy,
    /// Each element is multiplied by the derivative of this activation at this value of the whole result's shape.
    pub(super) derivative: Option<(Activation, &'a CpuBuffer)>,
}

/// A rectangle of a product's result.
#[derive(Clone, Copy)]
pub(super) struct Rectangle {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Columns of the whole result.
    pub(super) width: usize,
}

impl Rectangle {
    /// Where row `row` of the rectangle starts in the whole result.
    #[inline(always)]
    pub(super) fn at(&self, row: usize) -> usize {
        (self.row + row) * self.width + self.column
    }
}

/// Where a product's result goes.
#[derive(Clone, Copy)]
pub(super) enum Keep<'a> {
    /// It stays in the tile.
    InPlace,
    /// Over what the buffer held.
    Set(SharedBuffer<'a>),
    /// On top of what the buffer holds.
    Add(SharedBuffer<'a>),
}

/// Elements of the largest tile that [`finish`] takes.
pub(super) const LARGEST: usize = 12 * 32;

for_each_isa! {
    /// Finishes a tile whose rows stand one after another, each of `stride` elements. Nobody else may touch the
    /// rectangle's elements meanwhile.
    pub(super) fn finish(epilogue: &Epilogue<'_>, rectangle: Rectangle, tile: &mut [f32], stride: usize, keep: Keep<'_>) {
        finish_tile(epilogue, rectangle, tile, stride, keep, &narrow_run);
    }
}

/// [`finish`] with the instruction that rounds to bf16.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")]
pub(super) fn finish_halves(
    epilogue: &Epilogue<'_>,
    rectangle: Rectangle,
    tile: &mut [f32],
    stride: usize,
    keep: Keep<'_>,
) {
    finish_tile(epilogue, rectangle, tile, stride, keep, &|from: &[f32], into: &mut [bf16]| {
        super::buffer::narrow_halves(from, into);
    });
}

/// One step after another over the whole tile, so that the activation's long chains overlap.
#[inline(always)]
fn finish_tile(
    epilogue: &Epilogue<'_>,
    rectangle: Rectangle,
    tile: &mut [f32],
    stride: usize,
    keep: Keep<'_>,
    narrow: &impl Fn(&[f32], &mut [bf16]),
) {
    let Rectangle { rows, column, columns, .. } = rectangle;
    let tile = &mut tile[..rows * stride];
    if let Some(bias) = epilogue.bias {
        let bias = &bias[column..column + columns];
        for run in tile.chunks_exact_mut(stride) {
            for (x, &bias) in run.iter_mut().zip(bias) {
                *x += bias;
            }
        }
    }
    if let Some(pre) = epilogue.pre {
        for (row, run) in tile.chunks_exact(stride).enumerate() {
            store(pre, rectangle.at(row), &run[..columns], narrow);
        }
    }
    if let Some(activation) = epilogue.activation {
        activation::apply_run(activation, epilogue.accuracy, tile);
    }
    if let Some((activation, pre)) = epilogue.derivative {
        let mut memory = [0.0_f32; LARGEST];
        let values = &mut memory[..tile.len()];
        for (row, run) in values.chunks_exact_mut(stride).enumerate() {
            let at = rectangle.at(row);
            match pre {
                CpuBuffer::Single(pre) => run[..columns].copy_from_slice(&pre[at..at + columns]),
                CpuBuffer::Half(pre) => widen_run(&pre[at..at + columns], &mut run[..columns]),
            }
        }
        activation::backward_run(activation, epilogue.accuracy, values, tile);
    }
    for (row, run) in tile.chunks_exact(stride).enumerate() {
        let (at, run) = (rectangle.at(row), &run[..columns]);
        match keep {
            Keep::InPlace => {}
            Keep::Set(to) => store(to, at, run, narrow),
            Keep::Add(to) => add(to, at, run, narrow),
        }
    }
}

#[inline(always)]
#[expect(unsafe_code, reason = "rectangles of one product are disjoint")]
fn store(to: SharedBuffer<'_>, at: usize, run: &[f32], narrow: &impl Fn(&[f32], &mut [bf16])) {
    // SAFETY: the rectangle belongs to the caller of `finish` alone.
    unsafe {
        match to {
            SharedBuffer::Single(to) => to.part(at, run.len()).copy_from_slice(run),
            SharedBuffer::Half(to) => narrow(run, to.part(at, run.len())),
        }
    }
}

#[inline(always)]
#[expect(unsafe_code, reason = "rectangles of one product are disjoint")]
fn add(to: SharedBuffer<'_>, at: usize, run: &[f32], narrow: &impl Fn(&[f32], &mut [bf16])) {
    // SAFETY: the rectangle belongs to the caller of `finish` alone.
    unsafe {
        match to {
            SharedBuffer::Single(to) => to.part(at, run.len()).iter_mut().zip(run).for_each(|(to, &x)| *to += x),
            SharedBuffer::Half(to) => {
                let to = to.part(at, run.len());
                let mut memory = [0.0_f32; LARGEST];
                let sums = &mut memory[..run.len()];
                widen_run(to, sums);
                sums.iter_mut().zip(run).for_each(|(sum, &x)| *sum += x);
                narrow(sums, to);
            }
        }
    }
}
