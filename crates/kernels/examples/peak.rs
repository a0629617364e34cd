//! What the processor can do at best, to set a measured rate against.
//!
//! `cargo run --release -p tunesmith-kernels --example peak` prints one line of JSON: for f32 (fused multiply-adds), bf16
//! (`vdpbf16ps`) and int8 (`vpdpbusd`) the instructions used and the rate of one core and of all in GFLOP/s (int8: GOP/s), a
//! multiplication and an addition being two; `null` where the processor has no such instruction. Every loop keeps its
//! operands in registers and touches no memory.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Independent sums in flight: more than two units with a latency of six cycles need.
const CHAINS: usize = 12;
/// Turns of a loop between two looks at the clock, about a millisecond.
const STEPS: usize = 200_000;
/// How long each rate is looked for.
const BUDGET: Duration = Duration::from_millis(300);

/// A way to multiply and add.
struct Way {
    instructions: &'static str,
    /// Operations of one instruction.
    operations: usize,
    /// `STEPS` times `CHAINS` of them.
    run: fn(),
}

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let [f32, bf16, int8] =
        [Some(single()), brain(), bytes()].map(|way| way.map_or("null".into(), |way| json(&way, cores)));
    println!(r#"{{"cores": {cores}, "f32": {f32}, "bf16": {bf16}, "int8": {int8}}}"#);
}

fn json(way: &Way, cores: usize) -> String {
    let (instructions, one, all) = (way.instructions, rate(way, 1) / 1e9, rate(way, cores) / 1e9);
    format!(r#"{{"instructions": "{instructions}", "one_core": {one:.1}, "all_cores": {all:.1}}}"#)
}

/// Operations a second on so many threads at once.
fn rate(way: &Way, threads: usize) -> f64 {
    let one = || {
        let (start, mut best) = (Instant::now(), f64::INFINITY);
        while start.elapsed() < BUDGET {
            let before = Instant::now();
            (way.run)();
            best = best.min(before.elapsed().as_secs_f64());
        }
        (way.operations * CHAINS * STEPS) as f64 / best
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().expect("the loop does not panic")).sum()
    })
}

#[cfg(target_arch = "x86_64")]
use x86::{brain, bytes, single};

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "calls functions compiled for instructions that were detected")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    use super::{CHAINS, STEPS, Way, portable};

    pub(super) fn single() -> Way {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: AVX-512 F was detected.
            return Way { instructions: "AVX-512 FMA", operations: 2 * 16, run: || unsafe { fma512() } };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: AVX2 and FMA were detected.
            return Way { instructions: "AVX2 FMA", operations: 2 * 8, run: || unsafe { fma256() } };
        }
        portable()
    }

    pub(super) fn brain() -> Option<Way> {
        // SAFETY: AVX-512 BF16 was detected.
        let run = || unsafe { dpbf16() };
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16")).then_some(Way {
            instructions: "AVX512-BF16",
            operations: 2 * 32,
            run,
        })
    }

    pub(super) fn bytes() -> Option<Way> {
        // SAFETY: AVX-512 VNNI was detected.
        let run = || unsafe { dpbusd() };
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni")).then_some(Way {
            instructions: "AVX512-VNNI",
            operations: 2 * 64,
            run,
        })
    }

    #[target_feature(enable = "avx512f")]
    fn fma512() {
        let (factor, term) = (_mm512_set1_ps(black_box(0.999)), _mm512_set1_ps(black_box(0.001)));
        let mut sums = [term; CHAINS];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(*sum, factor, term);
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx2,fma")]
    fn fma256() {
        let (factor, term) = (_mm256_set1_ps(black_box(0.999)), _mm256_set1_ps(black_box(0.001)));
        let mut sums = [term; CHAINS];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(*sum, factor, term);
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    fn dpbf16() {
        let value = _mm512_set1_ps(black_box(0.01));
        let factors = _mm512_cvtne2ps_pbh(value, value);
        let mut sums = [value; CHAINS];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = _mm512_dpbf16_ps(*sum, factors, factors);
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx512f,avx512vnni")]
    fn dpbusd() {
        let factors = _mm512_set1_epi8(black_box(3));
        let mut sums = [_mm512_setzero_si512(); CHAINS];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = _mm512_dpbusd_epi32(*sum, factors, factors);
            }
        }
        black_box(sums);
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn single() -> Way {
    portable()
}

#[cfg(not(target_arch = "x86_64"))]
fn brain() -> Option<Way> {
    None
}

#[cfg(not(target_arch = "x86_64"))]
fn bytes() -> Option<Way> {
    None
}

/// What the compiler makes of a loop over four lanes without fused instructions: a lower bound of the peak.
fn portable() -> Way {
    let run = || {
        let (factor, term) = (black_box(0.999_f32), black_box(0.001_f32));
        let mut sums = [[term; 4]; CHAINS];
        for _ in 0..STEPS {
            for lane in sums.as_flattened_mut() {
                *lane = *lane * factor + term;
            }
        }
        black_box(sums);
    };
    Way { instructions: "portable", operations: 2 * 4, run }
}
