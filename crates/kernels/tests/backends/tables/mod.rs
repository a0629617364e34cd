//! Tables pass over rows that a step does not have to look at; the bits are those of a step that looks at all of them.

mod eager;

use kernels::{AdamW, Backend, Cpu, CpuWeight, Layout, Part, Use};
use proptest::prelude::*;

use crate::invariance::assert_same_bits;
use crate::numbers::{Numbers, pack};
use crate::operations::{On, Place, read};
use crate::settings::cpus;
use eager::Eager;

const WIDTH: usize = 19;
const WORDS: usize = 150;
const POSITIONS: usize = 70;
const TYPES: usize = 2;

const PARTS: [Part; 4] = [Part::Value, Part::Gradient, Part::FirstMoment, Part::SecondMoment];

/// The three tables of a network on a backend, and beside them what they should be.
struct Tables<'b> {
    cpu: &'b Cpu,
    what: String,
    lazy: [CpuWeight; 3],
    eager: [Eager; 3],
    random: Numbers,
    step: u64,
}

impl<'b> Tables<'b> {
    fn new(cpu: &'b Cpu, seed: u64) -> Self {
        let mut random = Numbers::new(seed);
        let values = [WORDS, POSITIONS, TYPES].map(|rows| random.take(rows * WIDTH));
        let lazy = values.each_ref().map(|values| cpu.weight(Use::Table, values.len() / WIDTH, WIDTH, values.clone()));
        let what = format!("{:?} {:?}", cpu.isa(), cpu.precision());
        Self { cpu, what, lazy, eager: values.map(Eager::new), random, step: 0 }
    }

    /// A random number below `count`.
    fn below(&mut self, count: usize) -> usize {
        (((self.random.take(1)[0] + 1.0) * 0.5 * count as f32) as usize).min(count - 1)
    }

    /// One to three short texts of random words.
    fn batch(&mut self) -> (Layout, Vec<u32>) {
        let texts: Vec<(u64, usize)> = (0..=self.below(3) as u64)
            .map(|text| (text, 1 + self.below(if self.step.is_multiple_of(9) { 60 } else { 4 })))
            .collect();
        let layout = pack(&texts);
        let ids = (0..layout.rows()).map(|_| self.below(WORDS) as u32).collect();
        (layout, ids)
    }

    /// Adds the gradients of a batch; id 3 is the padding.
    fn backward(&mut self) {
        let (layout, ids) = self.batch();
        let d_rows = self.random.take(layout.rows() * WIDTH);
        let d = On::drawn(self.cpu).buffer(Place::Single, &d_rows);
        let [words, positions, types] = &mut self.lazy;
        self.cpu.embed_backward(&d, &ids, &layout, words, positions, Some(types), Some(3));
        for (row, d) in d_rows.chunks_exact(WIDTH).enumerate() {
            let position = layout.example_and_position(row).1 as usize;
            let rows = [(ids[row] != 3).then_some(ids[row] as usize), Some(position), Some(0)];
            for (table, row) in self.eager.iter_mut().zip(rows) {
                row.into_iter().for_each(|row| table.add(row, d));
            }
        }
    }

    /// A step whose learning rate, decay and clip differ from the last one's; now and then there is no decay.
    fn step(&mut self) {
        self.step += 1;
        let [rate, decay, scale] = [(); 3].map(|()| f64::from(self.random.take(1)[0] + 1.0));
        let step = AdamW {
            learning_rate: if self.step % 7 == 3 { 0.0 } else { 0.05 * rate },
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: if self.step % 11 == 5 { 0.0 } else { decay },
            step: self.step,
            gradient_scale: scale as f32,
        };
        for (lazy, eager) in self.lazy.iter_mut().zip(&mut self.eager) {
            self.cpu.adamw(lazy, &step);
            if self.cpu.is_trainable(lazy) {
                eager.step(&step);
            }
        }
    }

    /// Looks random words up.
    fn check_rows(&mut self) {
        let (layout, ids) = self.batch();
        let [words, positions, types] = &self.lazy;
        for with_types in [false, true] {
            let mut out = self.cpu.zeros(ids.len() * WIDTH);
            self.cpu.embed(&ids, &layout, words, positions, with_types.then_some(types), &mut out);
            for (row, got) in read(self.cpu, &out).chunks_exact(WIDTH).enumerate() {
                let position = layout.example_and_position(row).1 as usize;
                let [words, positions, types] = &self.eager;
                let all = words.row(ids[row] as usize).iter().zip(positions.row(position)).zip(types.row(0));
                let expected: Vec<f32> = all.map(|((w, p), t)| if with_types { w + p + t } else { w + p }).collect();
                assert_same_bits(&format!("{} row {row} after step {}", self.what, self.step), got, &expected);
            }
        }
    }

    /// Reads everything.
    fn check_parts(&self) {
        for (table, (lazy, eager)) in self.lazy.iter().zip(&self.eager).enumerate() {
            for part in PARTS {
                let got = self.cpu.part(lazy, part);
                if part != Part::Value && !self.cpu.is_trainable(lazy) {
                    assert!(got.is_empty());
                    continue;
                }
                let what = format!("{} {part:?} of table {table} after step {}", self.what, self.step);
                assert_same_bits(&what, &got, eager.part(part));
            }
            let expected: f64 = eager.gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
            let got = self.cpu.squared_gradient_norm(lazy);
            let expected = if self.cpu.is_trainable(lazy) { expected } else { 0.0 };
            assert!(
                (got - expected).abs() <= 1e-12 * expected,
                "{}: squared norm {got}, expected {expected}",
                self.what
            );
        }
    }

    /// Sets a part of each table to what it is by the eager computation.
    fn set(&mut self, part: Part) {
        for (lazy, eager) in self.lazy.iter_mut().zip(&self.eager) {
            self.cpu.set_part(lazy, part, eager.part(part));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    /// More steps than decays may be outstanding, read after some of them.
    #[test]
    fn a_step_that_passes_over_rows_is_one_that_does_not(seed in 0_u64..1000) {
        for cpu in cpus() {
            let mut tables = Tables::new(&cpu, seed);
            for _ in 0..150 {
                for _ in 0..tables.below(3) {
                    tables.backward();
                }
                if tables.below(4) == 0 {
                    tables.check_rows();
                }
                if tables.below(10) == 0 {
                    tables.check_parts();
                }
                tables.step();
            }
            tables.check_rows();
            tables.check_parts();
        }
    }

    /// A table made anew from parts that were read goes on as if it had never been put away.
    #[test]
    fn resumed_is_never_stopped(seed in 0_u64..1000) {
        for cpu in cpus() {
            let mut tables = Tables::new(&cpu, seed);
            for _ in 0..5 {
                for _ in 0..15 + tables.below(20) {
                    tables.backward();
                    tables.step();
                }
                tables.backward();
                let parts = PARTS.map(|part| tables.lazy.each_ref().map(|table| cpu.part(table, part).into_owned()));
                let fresh = Tables::new(&cpu, seed + 1);
                tables.lazy = fresh.lazy;
                for (part, values) in PARTS.into_iter().zip(&parts) {
                    for (table, values) in tables.lazy.iter_mut().zip(values) {
                        cpu.set_part(table, part, values);
                    }
                }
                tables.check_parts();
            }
            tables.step();
            tables.check_rows();
            tables.check_parts();
        }
    }
}

/// A part may come from outside at any time: alone, without the others, while decays are outstanding.
#[test]
fn a_part_from_outside() {
    for cpu in cpus() {
        for part in PARTS {
            let mut tables = Tables::new(&cpu, 21);
            for _ in 0..3 {
                tables.backward();
                tables.step();
            }
            // Every row is given something, so that rows that stood still start to move; a mean of gradients is no
            // larger than the root of the mean of their squares, so that steps stay below the learning rate.
            let size = if part == Part::FirstMoment { 1e-9 } else { 1.0 };
            for table in 0..3 {
                let len = tables.eager[table].value.len();
                *tables.eager[table].part_mut(part) = tables.random.take(len).iter().map(|x| x.abs() * size).collect();
            }
            tables.set(part);
            tables.check_rows();
            tables.check_parts();
            for _ in 0..3 {
                tables.step();
                tables.check_parts();
                tables.backward();
            }
            tables.check_rows();
        }
    }
}

/// A frozen table keeps its values, decays that were outstanding included, and thaws without moments.
#[test]
fn a_table_that_stops_learning() {
    for cpu in cpus() {
        let mut tables = Tables::new(&cpu, 22);
        for round in 0..4 {
            for _ in 0..30 {
                tables.backward();
                tables.step();
            }
            let frozen = round % 3;
            tables.backward();
            cpu.set_trainable(&mut tables.lazy[frozen], false);
            for part in [Part::Gradient, Part::FirstMoment, Part::SecondMoment] {
                tables.eager[frozen].part_mut(part).fill(0.0);
            }
            tables.check_parts();
            for _ in 0..3 {
                tables.backward();
                tables.eager[frozen].gradient.fill(0.0);
                tables.step();
                tables.check_rows();
                tables.check_parts();
            }
            cpu.set_trainable(&mut tables.lazy[frozen], true);
            tables.check_parts();
        }
    }
}

/// Gradients that are thrown away leave no trace, but for the decays of later steps.
#[test]
fn gradients_thrown_away() {
    for cpu in cpus() {
        let mut tables = Tables::new(&cpu, 23);
        for _ in 0..80 {
            tables.backward();
            tables.lazy.iter_mut().for_each(|table| cpu.zero_gradient(table));
            tables.eager.iter_mut().for_each(|table| table.gradient.fill(0.0));
            tables.check_parts();
            if tables.below(2) == 0 {
                tables.backward();
            }
            tables.step();
        }
        tables.check_rows();
        tables.check_parts();
    }
}
