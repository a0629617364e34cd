//! How many operations a second the processor can do at best on the numbers that products read.

use std::hint::black_box;

use kernels::{Isa, Precision};

use crate::Bench;

/// Independent sums in flight: more than two units with a latency of six cycles need.
const CHAINS: usize = 12;
/// Turns of one call, about half a millisecond.
const STEPS: usize = 100_000;

/// Operations a second of multiply-adds on all threads of the bench's backend.
pub(crate) fn rate(bench: &Bench) -> f64 {
    let (run, operations) = loop_of(bench.cpu.isa(), bench.cpu.precision());
    let one = || {
        let flops = (operations * CHAINS * STEPS) as f64;
        flops / bench.fastest(|| _ = black_box(run(black_box(0.999), black_box(0.001))))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..bench.cpu.threads()).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().expect("the loop does not panic")).sum()
    })
}

/// The loop for these instructions, and the operations of one of them.
#[expect(unsafe_code, reason = "calls functions compiled for instructions that were detected")]
fn loop_of(isa: Isa, precision: Precision) -> (fn(f32, f32) -> f32, usize) {
    match (isa, precision) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: AVX512-BF16 was detected.
        (Isa::Avx512Bf16, Precision::Bf16) => (|factor, term| unsafe { avx512_bf16(factor, term) }, 4 * 16),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: AVX-512 F was detected.
        (Isa::Avx512 | Isa::Avx512Bf16, _) => (|factor, term| unsafe { avx512(factor, term) }, 2 * 16),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: AVX2 and FMA were detected.
        (Isa::Avx2, _) => (|factor, term| unsafe { avx2(factor, term) }, 2 * 8),
        // Four lanes are what the smallest vector registers of 64-bit processors hold.
        _ => (portable, 2 * 4),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
fn avx512_bf16(factor: f32, term: f32) -> f32 {
    use std::arch::x86_64::{_mm512_cvtne2ps_pbh, _mm512_dpbf16_ps, _mm512_reduce_add_ps, _mm512_set1_ps};
    let (factor, term) = (_mm512_set1_ps(factor), _mm512_set1_ps(term));
    let (factor, small) = (_mm512_cvtne2ps_pbh(factor, factor), _mm512_cvtne2ps_pbh(term, term));
    let mut sums = [term; CHAINS];
    for _ in 0..STEPS {
        for sum in &mut sums {
            *sum = _mm512_dpbf16_ps(*sum, factor, small);
        }
    }
    let mut total = 0.0;
    for sum in sums {
        total += _mm512_reduce_add_ps(sum);
    }
    total
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512(factor: f32, term: f32) -> f32 {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_reduce_add_ps, _mm512_set1_ps};
    let (factor, term) = (_mm512_set1_ps(factor), _mm512_set1_ps(term));
    let mut sums = [term; CHAINS];
    for _ in 0..STEPS {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(*sum, factor, term);
        }
    }
    let mut total = 0.0;
    for sum in sums {
        total += _mm512_reduce_add_ps(sum);
    }
    total
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(factor: f32, term: f32) -> f32 {
    use std::arch::x86_64::{_mm256_cvtss_f32, _mm256_fmadd_ps, _mm256_set1_ps};
    let (factor, term) = (_mm256_set1_ps(factor), _mm256_set1_ps(term));
    let mut sums = [term; CHAINS];
    for _ in 0..STEPS {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, factor, term);
        }
    }
    let mut total = 0.0;
    for sum in sums {
        total += _mm256_cvtss_f32(sum);
    }
    total
}

/// What the compiler makes of a loop over four lanes without fused instructions: a lower bound of the peak.
fn portable(factor: f32, term: f32) -> f32 {
    let mut sums = [[term; 4]; CHAINS];
    for _ in 0..STEPS {
        for lane in sums.as_flattened_mut() {
            *lane = *lane * factor + term;
        }
    }
    sums.as_flattened().iter().sum()
}
