//! The bits depend on nothing but weights and texts: not on the batch, the threads, or what buffers held before.

use encoder::{Activations, Batch, Moment, Network};
use kernels::{AdamW, Backend, Cpu, Isa, Loss, Part, Precision};

use crate::small::{FAMILIES, Sizes, Texts, bits, network};

/// Sizes that no tile divides, and texts from one token to more than a tile.
const SIZES: Sizes = Sizes { words: 61, positions: 80, hidden: 60, heads: 4, inner: 100, dropout: 0.1 };
const LENGTHS: [usize; 9] = [5, 1, 33, 17, 80, 2, 16, 64, 7];

fn texts() -> Texts {
    Texts::new(SIZES.words, &LENGTHS)
}

/// Networks that learn, and those that only answer where `all` are wanted.
fn for_each_network(all: bool, mut check: impl FnMut(&str, &dyn Fn(usize) -> Network<Cpu>)) {
    let sets = Isa::available().into_iter().map(|isa| (isa, Precision::F32));
    let others: &[Precision] = if all { &[Precision::Bf16, Precision::Int8] } else { &[Precision::Bf16] };
    let others = others.iter().filter(|_| Isa::detect() == Isa::Avx512Bf16);
    for (isa, precision) in sets.chain(others.map(|&precision| (Isa::Avx512Bf16, precision))) {
        for family in FAMILIES {
            let make = |threads| network(Cpu::with(threads, isa, precision).unwrap(), family, SIZES);
            check(&format!("{isa:?} {precision:?} {family}"), &make);
        }
    }
}

fn logits(network: &Network<Cpu>, activations: &mut Activations<Cpu>, order: &[usize]) -> Vec<Vec<u32>> {
    let (ids, layout, _) = texts().pack(order);
    let logits = network.logits(Batch { ids: &ids, layout: &layout }, activations);
    logits.chunks_exact(3).map(|row| row.iter().map(|x| x.to_bits()).collect()).collect()
}

const BATCHES: [&[usize]; 5] =
    [&[0, 1, 2, 3, 4, 5, 6, 7, 8], &[8, 7, 6, 5, 4, 3, 2, 1, 0], &[4], &[2, 4, 2, 2], &[1, 5, 0, 8]];

#[test]
fn a_batch_is_its_texts_one_by_one() {
    for_each_network(true, |what, make| {
        let network = make(2);
        let mut activations = Activations::for_inference(&network);
        let alone: Vec<_> = (0..LENGTHS.len())
            .map(|text| logits(&network, &mut Activations::for_inference(&network), &[text]).concat())
            .collect();
        assert!(alone.windows(2).all(|pair| pair[0] != pair[1]), "{what}: texts must differ to mean anything");
        for batch in BATCHES {
            for (text, logits) in batch.iter().zip(logits(&network, &mut activations, batch)) {
                assert_eq!(logits, alone[*text], "{what}, text {text} in {batch:?}");
            }
        }
    });
}

/// A large batch, then smaller ones: what the buffers held before is not seen. And those for training serve as well.
#[test]
fn buffers_are_as_good_as_new() {
    for_each_network(false, |what, make| {
        let network = make(1);
        let mut used = [Activations::for_inference(&network), Activations::for_training(&network)];
        for batch in BATCHES {
            let fresh = logits(&network, &mut Activations::for_inference(&network), batch);
            for used in &mut used {
                assert_eq!(logits(&network, used, batch), fresh, "{what}, {batch:?}");
            }
        }
        let gradients = |activations: &mut Activations<Cpu>| {
            let mut network = make(1);
            step(&mut network, activations, &[1, 5, 0, 8], 0);
            bits(&network, Part::Gradient)
        };
        let fresh = gradients(&mut Activations::for_training(&network));
        assert!(gradients(&mut used[1]) == fresh, "{what}");
        // And after a backward of a larger batch.
        let mut used = Activations::for_training(&network);
        step(&mut make(1), &mut used, BATCHES[0], 3);
        assert!(gradients(&mut used) == fresh, "{what}");
    });
}

/// Adds the gradients of a batch with dropout; returns the loss.
fn step(network: &mut Network<Cpu>, activations: &mut Activations<Cpu>, order: &[usize], step: u64) -> f64 {
    let (ids, layout, labels) = texts().pack(order);
    let loss = Loss { class_weights: Vec::new(), label_smoothing: 0.1, normalizer: 4.0 };
    let moment = Some(Moment { seed: 9, step });
    network.forward_backward(Batch { ids: &ids, layout: &layout }, &labels, &loss, moment, activations)
}

fn adamw(network: &mut Network<Cpu>, step: u64) {
    let (backend, weights) = network.weights_mut();
    for (parameter, weight) in weights {
        let adamw = AdamW {
            learning_rate: 1e-2,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: if parameter.decays { 0.1 } else { 0.0 },
            step,
            gradient_scale: 0.5,
        };
        backend.adamw(weight, &adamw);
    }
}

#[test]
fn threads_change_no_bit() {
    for_each_network(false, |what, make| {
        let runs = [1, 2, 5].map(|threads| {
            let mut network = make(threads);
            let mut activations = Activations::for_training(&network);
            let (mut losses, mut gradients, mut norms) = (Vec::new(), Vec::new(), Vec::new());
            for number in 0..3 {
                losses.push(step(&mut network, &mut activations, BATCHES[number as usize], number).to_bits());
                gradients.push(bits(&network, Part::Gradient));
                let squares = network.weights().map(|(_, weight)| network.backend().squared_gradient_norm(weight));
                norms.push(squares.sum::<f64>().to_bits());
                adamw(&mut network, number + 1);
            }
            let parts = [Part::Value, Part::FirstMoment, Part::SecondMoment].map(|part| bits(&network, part));
            let logits = logits(&network, &mut Activations::for_inference(&network), BATCHES[0]);
            (losses, norms, gradients, parts, logits)
        });
        assert!(runs[0].3[0] != bits(&make(1), Part::Value), "{what}: three steps must move the weights");
        assert!(runs[0] == runs[1], "{what}: one thread and two");
        assert!(runs[0] == runs[2], "{what}: one thread and five");
    });
}

/// Dropout knows the example and not its place: the gradients of texts one by one add up to those of the batch. They
/// are added in single precision in another order, so within 1e-5 of the largest of a tensor, or of a hundredth of the
/// largest of all for a tensor of rounding noise (a key's bias has no true gradient); the losses, in double precision, to 1e-12.
#[test]
fn gradients_of_texts_add_up() {
    for_each_network(false, |what, make| {
        let order = BATCHES[0];
        let (mut whole, mut parts) = (make(2), make(2));
        let mut activations = Activations::for_training(&whole);
        let loss = step(&mut whole, &mut activations, order, 4);
        let sum: f64 = [&order[6..], &order[..1], &order[1..6]]
            .iter()
            .map(|texts| step(&mut parts, &mut activations, texts, 4))
            .sum();
        assert!((sum / loss - 1.0).abs() < 1e-12, "{what}: {sum}, expected {loss}");
        let other_step = step(&mut make(2), &mut activations, order, 5);
        assert!((other_step / loss - 1.0).abs() > 1e-6, "{what}: another step has another mask");

        let largest_of = |values: &[f32]| values.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        let overall = whole.tensors(Part::Gradient).map(|(.., values)| largest_of(&values)).fold(0.0, f32::max);
        let mut worst = 0.0_f32;
        for ((name, _, expected), (_, _, got)) in whole.tensors(Part::Gradient).zip(parts.tensors(Part::Gradient)) {
            let largest = largest_of(&expected).max(overall * 1e-2);
            for (got, expected) in got.iter().zip(expected.iter()) {
                let difference = (got - expected).abs() / largest;
                assert!(difference < 1e-5, "{what} {name}: {got}, expected {expected}");
                worst = worst.max(difference);
            }
        }
        println!("{what}: gradients of parts within {worst:.1e}");
    });
}
