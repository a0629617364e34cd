//! Which parameters learn.

use encoder::{Activations, Batch, Place};
use kernels::{AdamW, Backend, Cpu, Isa, Loss, Part, Precision};

use crate::{FAMILIES, Fixture, folder, layout, named, network};

/// f32, and bf16 where it is to be had.
fn precisions() -> impl Iterator<Item = Precision> {
    let bf16 = (Precision::detect() == Precision::Bf16).then_some(Precision::Bf16);
    [Precision::F32].into_iter().chain(bf16)
}

/// Every parameter has a gradient and moves in one step; frozen ones do neither, and the others do not notice.
#[test]
fn every_parameter_learns_unless_frozen() {
    for (family, precision) in FAMILIES.into_iter().flat_map(|family| precisions().map(move |p| (family, p))) {
        let fixture = Fixture::read(&folder(family).join("reference.safetensors"));
        let (ids, labels, layout) = (fixture.ids("input_ids"), fixture.ids("labels"), layout(&fixture, ""));
        let mut gradients = Vec::new();
        for frozen in [None, Some(Place::Embeddings), Some(Place::Layer(0)), Some(Place::Layer(1))] {
            let mut network = network(Cpu::with(2, Isa::detect(), precision).unwrap(), family);
            network.freeze(|parameter| Some(parameter.place) <= frozen);
            let before = named(&network, Part::Value);
            let mut activations = Activations::for_training(&network);
            let batch = Batch { ids: &ids, layout: &layout };
            let loss = Loss::mean_over(&labels, &[], 0.0);
            network.forward_backward(batch, &labels, &loss, None, &mut activations);
            let gradient = named(&network, Part::Gradient);
            let step = AdamW {
                learning_rate: 1e-3,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.0,
                step: 1,
                gradient_scale: 1.0,
            };
            let (backend, weights) = network.weights_mut();
            let mut learning = Vec::new();
            for (parameter, weight) in weights {
                backend.adamw(weight, &step);
                if Some(parameter.place) > frozen {
                    learning.extend(parameter.names.clone());
                }
            }
            let after = named(&network, Part::Value);
            for (name, values) in &after {
                let moved = values.iter().zip(&before[name]).any(|(a, b)| a != b);
                assert_eq!(moved, learning.contains(name), "{family} {name} with {frozen:?} frozen");
                assert_eq!(gradient.contains_key(name), learning.contains(name));
            }
            gradients.push(gradient);
        }
        for fewer in &gradients[1..] {
            for (name, gradient) in fewer {
                assert_eq!(gradient, &gradients[0][name], "{family} {name}");
            }
        }
    }
}
