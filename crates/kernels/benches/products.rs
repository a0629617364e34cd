//! Rates of the linear layers' products on the shapes of real encoders, beside what the processor could do.
//!
//! `cargo bench -p tunesmith-kernels` prints a table in GFLOP/s, best of the repetitions, for one thread and for all
//! cores; "of peak" sets the rate against a loop of fused multiply-adds that touches no memory, timed right before the
//! row's products, since a shared machine changes from minute to minute. Run otherwise (`cargo test --benches`) it goes
//! through every weight's shape once with the fewest rows, to see that it works.

use std::hint::black_box;
use std::time::{Duration, Instant};

use kernels::{Backend, Cpu, Use};

/// Inputs and outputs of the linear layers of a MiniLM block (384 wide) and of a BERT base block (768 wide).
const SHAPES: [(usize, usize); 8] =
    [(384, 1152), (384, 384), (384, 1536), (1536, 384), (768, 2304), (768, 768), (768, 3072), (3072, 768)];
const ROWS: [usize; 3] = [200, 1024, 4096];

fn main() {
    // Cargo passes `--bench` when it is asked to bench, and only then.
    let asked = std::env::args().any(|argument| argument == "--bench");
    let (budget, rows) = if asked { (Duration::from_millis(200), &ROWS[..]) } else { (Duration::ZERO, &ROWS[..1]) };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for threads in if cores > 1 { vec![1, cores] } else { vec![1] } {
        let cpu = Cpu::new(threads).expect("threads can be started");
        println!("\n{threads} thread(s), {:?}; GFLOP/s (of peak)", cpu.isa());
        println!("  rows inputs outputs    peak        forward    d_input        d_weight");
        for (inputs, outputs) in SHAPES {
            for &rows in rows {
                row_of_table(&cpu, rows, inputs, outputs, budget);
            }
        }
    }
}

/// Times the three products of a linear layer: forward, gradient of the input and gradient of the weight.
fn row_of_table(cpu: &Cpu, rows: usize, inputs: usize, outputs: usize, budget: Duration) {
    let peak = peak::rate(cpu.threads(), budget);
    let values = |len: usize| (0..len).map(|n| (n % 17) as f32 * 0.01 - 0.08).collect::<Vec<_>>();
    let buffer = |len: usize| {
        let mut buffer = cpu.zeros(len);
        cpu.write(&mut buffer, &values(len));
        buffer
    };
    let mut weight = cpu.weight(Use::Matrix, outputs, inputs, values(outputs * inputs));
    let mut bias = cpu.weight(Use::Vector, 1, outputs, values(outputs));
    let (x, mut d_x) = (buffer(rows * inputs), buffer(rows * inputs));
    let (mut out, mut d_out) = (buffer(rows * outputs), buffer(rows * outputs));
    let flops = 2.0 * rows as f64 * inputs as f64 * outputs as f64;

    let forward = fastest(budget, || cpu.linear(&x, rows, &weight, &bias, None, None, &mut out));
    cpu.set_trainable(&mut bias, false);
    let d_weight =
        fastest(budget, || cpu.linear_backward(&mut d_out, &x, rows, &mut weight, &mut bias, None, None, false));
    cpu.set_trainable(&mut weight, false);
    let d_input = fastest(budget, || {
        cpu.linear_backward(&mut d_out, &x, rows, &mut weight, &mut bias, None, Some(&mut d_x), false);
    });

    print!("{rows:>6} {inputs:>6} {outputs:>7} {:>7.0}", peak / 1e9);
    for seconds in [forward, d_input, d_weight] {
        let rate = flops / seconds;
        print!("   {:>5.0} ({:>3.0}%)", rate / 1e9, 100.0 * rate / peak);
    }
    println!();
}

/// The shortest time of one call, in seconds, after a first one that warms the caches.
fn fastest(budget: Duration, mut call: impl FnMut()) -> f64 {
    call();
    let start = Instant::now();
    let mut best = f64::INFINITY;
    loop {
        let before = Instant::now();
        call();
        best = best.min(before.elapsed().as_secs_f64());
        if start.elapsed() >= budget {
            return best;
        }
    }
}

/// How many f32 operations a second the processor can do at best.
mod peak {
    use super::{Duration, black_box, fastest};
    use kernels::Isa;

    /// Independent sums in flight: more than two units with a latency of five cycles need.
    const CHAINS: usize = 12;
    const STEPS: usize = 100_000;

    /// Operations a second of fused multiply-adds on all of `threads`.
    pub(super) fn rate(threads: usize, budget: Duration) -> f64 {
        let one = || {
            let flops = (2 * lanes() * CHAINS * STEPS) as f64;
            flops / fastest(budget, || _ = black_box(multiply_add(black_box(0.999), black_box(0.001))))
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            threads.into_iter().map(|thread| thread.join().expect("the loop does not panic")).sum()
        })
    }

    fn lanes() -> usize {
        match Isa::detect() {
            Isa::Avx512 => 16,
            Isa::Avx2 => 8,
            // Four lanes are what the smallest vector registers of 64-bit processors hold.
            _ => 4,
        }
    }

    #[expect(unsafe_code, reason = "calls a function compiled for instructions that were detected")]
    fn multiply_add(factor: f32, term: f32) -> f32 {
        match Isa::detect() {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: AVX-512 F was detected.
            Isa::Avx512 => unsafe { avx512(factor, term) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: AVX2 and FMA were detected.
            Isa::Avx2 => unsafe { avx2(factor, term) },
            _ => portable(factor, term),
        }
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
}
