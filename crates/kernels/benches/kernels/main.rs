//! Rates of the kernels on the shapes of real encoders, beside what the processor could do.
//!
//! `cargo bench -p tunesmith-kernels` prints its tables for one thread and for all cores, in f32 and, where the processor
//! has it, in bf16; names after `--` choose among them (`products`, `attention`, `rows`, `weights`). Every figure is the
//! best of its repetitions. Run otherwise (`cargo test --benches`) each goes through its smallest shapes once, to see that
//! they work.

mod attention;
mod peak;
mod products;
mod rows;
mod weights;

use std::time::{Duration, Instant};

use kernels::{Backend, Cpu, Isa, Layout, Precision};

/// A backend with what the tables share.
struct Bench {
    cpu: Cpu,
    /// How long one call is repeated; zero where nobody asked for figures.
    budget: Duration,
}

type Table = (&'static str, fn(&Bench));

const TABLES: [Table; 4] = [
    ("products", products::table),
    ("attention", attention::table),
    ("rows", rows::table),
    ("weights", weights::table),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo passes `--bench` when it is asked to bench, and only then.
    let asked = arguments.iter().any(|argument| argument == "--bench");
    let named: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for precision in if Precision::detect() == Precision::F32 { &PRECISIONS[..1] } else { &PRECISIONS } {
        for threads in if cores > 1 { vec![1, cores] } else { vec![1] } {
            let cpu = Cpu::with(threads, Isa::detect(), *precision).expect("threads can be started");
            println!("\n== {precision:?} on {threads} thread(s), {:?} ==", cpu.isa());
            let bench = Bench { cpu, budget: Duration::from_millis(if asked { 100 } else { 0 }) };
            for (name, table) in TABLES {
                if named.is_empty() || named.iter().any(|given| *given == name) {
                    table(&bench);
                }
            }
        }
    }
}

const PRECISIONS: [Precision; 2] = [Precision::F32, Precision::Bf16];

type Buffer = <Cpu as Backend>::Buffer;

impl Bench {
    /// All of `shapes`, or the first alone where nobody asked for figures.
    fn shapes<'s, T>(&self, shapes: &'s [T]) -> &'s [T] {
        if self.budget.is_zero() { &shapes[..1] } else { shapes }
    }

    /// The shortest time of one call, in seconds, after a first one that warms the caches.
    fn fastest(&self, mut call: impl FnMut()) -> f64 {
        call();
        let start = Instant::now();
        let mut best = f64::INFINITY;
        loop {
            let before = Instant::now();
            call();
            best = best.min(before.elapsed().as_secs_f64());
            if start.elapsed() >= self.budget {
                return best;
            }
        }
    }

    /// A filled buffer in the precision of products.
    fn operand(&self, len: usize) -> Buffer {
        let mut buffer = self.cpu.operand(len);
        self.cpu.write(&mut buffer, &values(len));
        buffer
    }

    /// A filled buffer in f32.
    fn single(&self, len: usize) -> Buffer {
        let mut buffer = self.cpu.zeros(len);
        self.cpu.write(&mut buffer, &values(len));
        buffer
    }
}

/// Small numbers of either sign.
fn values(len: usize) -> Vec<f32> {
    (0..len).map(|n| (n % 17) as f32 * 0.01 - 0.08).collect()
}

/// A batch of `rows` rows in texts of `tokens`.
fn layout(rows: usize, tokens: usize) -> Layout {
    let ends: Vec<u32> = (0..=rows.div_ceil(tokens)).map(|text| rows.min(text * tokens) as u32).collect();
    Layout::new(&ends, &(0..ends.len() as u64 - 1).collect::<Vec<_>>())
}
