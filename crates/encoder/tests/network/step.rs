//! An optimiser step over a whole network: the norm first, then every weight that learns; or none at all.

use encoder::{Activations, Batch, Network, Parameter};
use kernels::{AdamW, Backend, Cpu, Isa, Loss, Part, Precision};

use crate::small::{Sizes, Texts, bits, network};

const SIZES: Sizes = Sizes { words: 61, positions: 20, hidden: 20, heads: 2, inner: 36, dropout: 0.0 };

/// A step whose clip depends on the norm.
fn settings(parameter: &Parameter, norm: f64) -> AdamW {
    AdamW {
        learning_rate: 1e-2,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: if parameter.decays { 0.1 } else { 0.0 },
        step: 1,
        gradient_scale: (0.5 / norm).min(1.0) as f32,
    }
}

/// A network with gradients of some texts.
fn learning() -> Network<Cpu> {
    let mut network = network(Cpu::with(2, Isa::detect(), Precision::detect()).unwrap(), "bert", SIZES);
    network.freeze(|parameter| parameter.names[0].contains("position_embeddings"));
    let (ids, layout, labels) = Texts::new(SIZES.words, &[5, 1, 20, 3]).pack(&[0, 1, 2, 3]);
    let mut activations = Activations::for_training(&network);
    let loss = Loss::mean_over(&labels, &[], 0.0);
    network.forward_backward(Batch { ids: &ids, layout: &layout }, &labels, &loss, None, &mut activations);
    network
}

fn gradients_are_gone(network: &Network<Cpu>) -> bool {
    network.tensors(Part::Gradient).all(|(.., values)| values.iter().all(|&g| g == 0.0))
}

#[test]
fn a_step_is_that_of_every_weight() {
    let (mut together, mut one_by_one) = (learning(), learning());
    let squares = one_by_one.weights().map(|(_, weight)| one_by_one.backend().squared_gradient_norm(weight));
    let expected = squares.sum::<f64>().sqrt();
    assert!(expected > 0.5, "the clip must do something: norm {expected}");
    let norm = together.step(true, settings);
    assert_eq!(norm.to_bits(), expected.to_bits(), "norm {norm}, expected {expected}");
    let (backend, weights) = one_by_one.weights_mut();
    for (parameter, weight) in weights {
        backend.adamw(weight, &settings(parameter, norm));
    }
    for part in [Part::Value, Part::FirstMoment, Part::SecondMoment] {
        assert!(bits(&together, part) == bits(&one_by_one, part), "{part:?}");
    }
    let moved =
        bits(&together, Part::Value).iter().zip(bits(&learning(), Part::Value)).filter(|(a, b)| **a != *b).count();
    assert_eq!(moved, bits(&together, Part::Value).len() - 1, "all but the frozen weight move");
    assert!(gradients_are_gone(&together));
}

#[test]
fn a_step_that_may_not_be_leaves_the_weights() {
    let mut stopped = learning();
    let before = bits(&stopped, Part::Value);
    assert!(stopped.step(false, settings).is_finite());
    assert!(bits(&stopped, Part::Value) == before && gradients_are_gone(&stopped));

    for poison in [f32::NAN, f32::INFINITY] {
        for nth in [0, 7] {
            let mut network = learning();
            let (backend, weights) = network.weights_mut();
            let (_, weight) = weights.filter(|(_, weight)| backend.is_trainable(weight)).nth(nth).unwrap();
            let mut gradient = backend.part(weight, Part::Gradient).into_owned();
            gradient[3] = poison;
            backend.set_part(weight, Part::Gradient, &gradient);
            assert!(!network.step(true, settings).is_finite(), "{poison} in weight {nth}");
            assert!(bits(&network, Part::Value) == before, "{poison} in weight {nth} moved a weight");
            assert!(gradients_are_gone(&network), "{poison} in weight {nth} stays in a gradient");
            // And the next step is as if nothing had been.
            assert_eq!(network.step(true, settings), 0.0);
        }
    }
}
