//! Every operation of the CPU backend against the reference, on awkward shapes, under every instruction set and in
//! every precision.
//!
//! The reference adds up in double precision. The CPU adds up k products in single precision, so the difference grows
//! as ε·√k times the size of the terms; [`SUMMATION`], 2·10⁻⁵ of the largest element, leaves a factor of two
//! over what was seen. In bf16 both multiply the same rounded numbers, and sums are f32 as before; what is kept as an
//! operand is then rounded to the nearest of eight significant bits, which is [`ROUNDING`] of the element at most. Only
//! attention rounds in between (see `rounding`). `-- --nocapture` prints the largest differences.

mod attention;
mod layers;
mod rounding;
mod rows;

use kernels::{Cpu, Layout, Precision, Reference};

use crate::numbers::{numbered, pack};
use crate::operations::{Kept, On, Outcome, Place};
use crate::settings::{cpus_in, precisions};

/// Of the largest element: sums in single precision.
const SUMMATION: f32 = 2e-5;
/// Of the element itself: rounding to bf16.
const ROUNDING: f32 = 1.0 / 256.0;

/// How far an element may be off: the sum of the three.
#[derive(Clone, Copy)]
struct Bound<'a> {
    of_largest: f32,
    of_element: f32,
    /// For each element, what rounding inside the operation may do to it.
    inside: Option<&'a [f32]>,
}

/// The bound of what is computed in f32 and then stored.
fn stored(precision: Precision, place: Place) -> Bound<'static> {
    let rounded = precision == Precision::Bf16 && place == Place::Operand;
    Bound { of_largest: SUMMATION, of_element: if rounded { ROUNDING } else { 0.0 }, inside: None }
}

fn assert_close(what: &str, got: &[f32], expected: &[f32], bound: Bound<'_>) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-3_f32, |m, x| m.max(x.abs()));
    let (mut worst, mut of_bound) = (0.0_f32, 0.0_f32);
    for (index, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!(g.is_finite(), "{what}: element {index} is {g}");
        let inside = bound.inside.map_or(0.0, |inside| inside[index]);
        let allowed = bound.of_largest * largest + bound.of_element * e.abs() + inside;
        let difference = (g - e).abs();
        assert!(difference <= allowed, "{what}: element {index} is {g}, expected {e}, give or take {allowed:.1e}");
        (worst, of_bound) = (worst.max(difference), of_bound.max(difference / allowed));
    }
    println!(
        "{what}: largest difference {:.1e} of the largest element, {of_bound:.2} of what is allowed",
        worst / largest
    );
}

fn assert_agree<'a>(what: &str, got: &Outcome, expected: &Outcome, bound: impl Fn(&Kept) -> Bound<'a>) {
    assert_eq!(got.all().count(), expected.all().count());
    for (got, expected) in got.all().zip(expected.all()) {
        assert_eq!((&got.name, got.place), (&expected.name, expected.place));
        let what = format!("{what} {} in {:?}", got.name, got.place);
        assert_close(&what, &got.values, &expected.values, bound(got));
    }
}

/// Runs an operation on the reference and on every backend, and holds them against each other.
fn assert_all_agree<'a>(
    what: &str,
    on_reference: impl Fn(&On<'_, Reference>) -> Outcome,
    on_cpu: impl Fn(&On<'_, Cpu>) -> Outcome,
    bound: impl Fn(Precision, &Kept) -> Bound<'a>,
) {
    for precision in precisions() {
        let expected = on_reference(&On::rounded(&Reference, precision));
        for cpu in cpus_in(precision) {
            let what = format!("{:?} {precision:?} {what}", cpu.isa());
            assert_agree(&what, &on_cpu(&On::drawn(&cpu)), &expected, |kept| bound(precision, kept));
        }
    }
}

fn layouts() -> Vec<Layout> {
    [&[1][..], &[2, 1, 17], &[16, 33, 5], &[64, 0, 65], &[130]].map(|lengths| pack(&numbered(lengths))).into()
}
