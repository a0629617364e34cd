//! What a weight remembers: gradients between steps, and the packed forms behind its values.

use kernels::{AdamW, Backend, Cpu, InputGradient, Layout, Part, Precision, Reference, Use};
use proptest::prelude::*;

use crate::numbers::{Numbers, ids_of, numbered, pack, rows_of};
use crate::operations::{On, PLACES, Place, read};
use crate::settings::{best, cpus, precisions};

const STEP: AdamW = AdamW {
    learning_rate: 0.1,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.1,
    step: 1,
    gradient_scale: 1.0,
};

/// What may happen to a weight.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A backward pass over some texts.
    Backward(u64),
    Clear,
    Step,
    /// A gradient comes from outside.
    Gradient(u64),
    /// Values come from outside.
    Values(u64),
    Learn(bool),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0_u64..100).prop_map(Event::Backward),
        1 => Just(Event::Clear),
        2 => Just(Event::Step),
        1 => (0_u64..100).prop_map(Event::Gradient),
        1 => (0_u64..100).prop_map(Event::Values),
        2 => prop::bool::weighted(0.7).prop_map(Event::Learn),
    ];
    prop::collection::vec(event, 1..12)
}

const INPUTS: usize = 35;
const OUTPUTS: usize = 18;

/// A matrix, a vector and a table on one backend.
struct Weights<'b, B: Backend> {
    on: On<'b, B>,
    matrix: B::Weight,
    vector: B::Weight,
    table: B::Weight,
}

impl<'b, B: Backend> Weights<'b, B> {
    fn new(on: On<'b, B>) -> Self {
        let table = on.backend.weight(Use::Table, 70, INPUTS, vec![0.5; 70 * INPUTS]);
        let (matrix, vector) = (on.matrix(OUTPUTS, INPUTS, &[0.5; OUTPUTS * INPUTS]), on.vector(&[0.5; OUTPUTS]));
        Self { on, matrix, vector, table }
    }

    fn each(&mut self, mut change: impl FnMut(&B, &mut B::Weight)) {
        for weight in [&mut self.matrix, &mut self.vector, &mut self.table] {
            change(self.on.backend, weight);
        }
    }

    fn happen(&mut self, event: Event) {
        let numbers = |backend: &B, weight: &B::Weight, seed| {
            let (rows, cols) = backend.shape(weight);
            Numbers::new(seed).take(rows * cols)
        };
        match event {
            Event::Backward(seed) => {
                let layout = pack(&[(seed, 3), (seed + 1, 1 + seed as usize % 30)]);
                let [x, d_out] = [(INPUTS, 1), (OUTPUTS, 2)]
                    .map(|(width, salt)| self.on.buffer(Place::Operand, &rows_of(&layout, width, salt)));
                let d = self.on.buffer(Place::Single, &rows_of(&layout, INPUTS, 3));
                let backend = self.on.backend;
                backend.linear_backward(&d_out, &x, &layout, &mut self.matrix, &mut self.vector, None);
                let mut positions =
                    backend.weight(Use::Table, layout.longest(), INPUTS, vec![0.0; layout.longest() * INPUTS]);
                let ids = ids_of(&layout, 70);
                backend.embed_backward(&d, &ids, &layout, &mut self.table, &mut positions, None, None);
            }
            Event::Clear => self.each(|backend, weight| backend.zero_gradient(weight)),
            Event::Step => self.each(|backend, weight| backend.adamw(weight, &STEP)),
            Event::Gradient(seed) => self.each(|backend, weight| {
                if backend.is_trainable(weight) {
                    backend.set_part(weight, Part::Gradient, &numbers(backend, weight, seed));
                }
            }),
            Event::Values(seed) => self.each(|backend, weight| {
                backend.set_part(weight, Part::Value, &numbers(backend, weight, seed));
            }),
            Event::Learn(learn) => self.each(|backend, weight| backend.set_trainable(weight, learn)),
        }
    }

    fn gradients(&self) -> [Vec<f32>; 3] {
        [&self.matrix, &self.vector, &self.table]
            .map(|weight| self.on.backend.part(weight, Part::Gradient).into_owned())
    }

    fn norms(&self) -> [f64; 3] {
        [&self.matrix, &self.vector, &self.table].map(|weight| self.on.backend.squared_gradient_norm(weight))
    }
}

/// Whatever happened before, gradients are those of the reference; the bound is that of `agreement`, with sums of at
/// most twelve backward passes. A gradient does not depend on the values, so steps may drift apart.
fn assert_gradients_follow(precision: Precision, events: &[Event]) {
    let cpu = best(2, precision);
    let mut expected = Weights::new(On::rounded(&Reference, precision));
    let mut got = Weights::new(On::drawn(&cpu));
    for (index, &event) in events.iter().enumerate() {
        expected.happen(event);
        got.happen(event);
        let what = || format!("{precision:?} after {:?}", &events[..=index]);
        let both = got.gradients().into_iter().zip(expected.gradients());
        for (usage, (got, expected)) in ["matrix", "vector", "table"].into_iter().zip(both) {
            assert_eq!(got.len(), expected.len(), "{usage} {}", what());
            let largest = expected.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
            for (g, e) in got.iter().zip(expected) {
                assert!((g - e).abs() <= 1e-4 * largest, "{usage} {}: {g}, expected {e}", what());
            }
        }
        for (got, expected) in got.norms().into_iter().zip(expected.norms()) {
            assert!((got - expected).abs() <= 1e-4 * expected, "{}: norm {got}, expected {expected}", what());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn gradients_follow_what_happens(events in events()) {
        for precision in precisions() {
            assert_gradients_follow(precision, &events);
        }
    }
}

/// Learning on: a weight that learns already loses nothing, and gains nothing.
#[test]
fn told_to_learn_twice() {
    for precision in precisions() {
        for learn in [Event::Learn(true), Event::Clear] {
            assert_gradients_follow(precision, &[Event::Backward(1), Event::Step, learn, Event::Backward(2)]);
            assert_gradients_follow(precision, &[Event::Backward(1), learn, Event::Backward(2)]);
        }
    }
}

/// A product and the gradient of an input with `weight`, in either place.
fn products(cpu: &Cpu, weight: &mut <Cpu as Backend>::Weight) -> Vec<Vec<f32>> {
    let on = On::drawn(cpu);
    let (rows, cols) = cpu.shape(weight);
    let layout = pack(&numbered(&[2, 1]));
    let mut bias = on.vector(&vec![0.0; rows]);
    let [x, d_out] =
        [(cols, 1), (rows, 2)].map(|(width, salt)| on.buffer(Place::Operand, &rows_of(&layout, width, salt)));
    let of_place = |place| {
        let (mut out, mut d_x) = (on.empty(place, 3 * rows), on.empty(place, 3 * cols));
        cpu.linear(&x, 3, weight, &bias, None, None, &mut out);
        cpu.linear_backward(&d_out, &x, &layout, weight, &mut bias, Some(InputGradient::Set(&mut d_x)));
        cpu.zero_gradient(weight);
        [read(cpu, &out), read(cpu, &d_x)]
    };
    PLACES.map(of_place).concat()
}

/// Steps and new values reach what products read: the same bits as with a weight made of the values.
#[test]
fn packed_forms_follow_the_values() {
    for cpu in cpus() {
        for (rows, cols) in [(1, 1), (31, 33), (32, 32), (33, 64), (64, 96), (70, 1000)] {
            let what = format!("{:?} {:?} {rows}x{cols}", cpu.isa(), cpu.precision());
            let mut numbers = Numbers::new(8);
            let mut values = || numbers.take(rows * cols);
            let mut weight = cpu.weight(Use::Matrix, rows, cols, values());
            // The form that gradients of inputs read is made when it is first asked for: before or after a step.
            for asked_before in [false, true] {
                if asked_before {
                    products(&cpu, &mut weight);
                }
                let check = |weight: &mut <Cpu as Backend>::Weight, after: &str| {
                    let values = cpu.part(weight, Part::Value).into_owned();
                    let fresh = products(&cpu, &mut cpu.weight(Use::Matrix, rows, cols, values));
                    assert!(products(&cpu, weight) == fresh, "{what} after {after}, asked before: {asked_before}");
                };
                cpu.set_part(&mut weight, Part::Gradient, &values());
                cpu.adamw(&mut weight, &STEP);
                check(&mut weight, "a step");
                cpu.set_part(&mut weight, Part::Value, &values());
                check(&mut weight, "new values");
                cpu.set_part(&mut weight, Part::Gradient, &values());
                cpu.adamw(&mut weight, &STEP);
                check(&mut weight, "new values and a step");
            }
            let mut copy = weight.clone();
            assert!(products(&cpu, &mut copy) == products(&cpu, &mut weight), "{what}: a clone");
        }
    }
}

/// What lies behind the shape of an operation is left alone, gradients of a batch without rows are none.
#[test]
fn a_batch_without_rows() {
    for cpu in cpus() {
        let on = On::drawn(&cpu);
        let mut weight = on.matrix(3, 5, &[1.0; 15]);
        let mut bias = on.vector(&[1.0; 3]);
        cpu.set_part(&mut weight, Part::Gradient, &[0.5; 15]);
        cpu.zero_gradient(&mut weight);
        let nothing = on.empty(Place::Operand, 0);
        let layout = Layout::new(&[0, 0, 0], &[4, 5]);
        let mut d_x = on.buffer(Place::Single, &[7.0; 5]);
        cpu.linear_backward(&nothing, &nothing, &layout, &mut weight, &mut bias, Some(InputGradient::Set(&mut d_x)));
        assert_eq!(cpu.part(&weight, Part::Gradient)[..], [0.0; 15], "{:?} {:?}", cpu.isa(), cpu.precision());
        assert_eq!(cpu.part(&bias, Part::Gradient)[..], [0.0; 3]);
        assert_eq!(read(&cpu, &d_x), [7.0; 5]);
    }
}
