//! The backward of a whole network against differences of its loss, for every element of every parameter.
//!
//! Dropout masks are functions of (seed, step), so the loss is a smooth function of the weights, dropout and all.
//!
//! Step and bound: every operation rounds its output to single precision, 6·10⁻⁸ of it, and some twenty follow each
//! other; the five-point difference at h = 2⁻⁷ turns 10⁻⁷ of a loss around 1 into about 10⁻⁵, more where it is steep.
//! What it leaves out, h⁴/30 of the fifth derivative, is as much at this step: at 2⁻⁶ the differences are larger by the
//! one and at 2⁻⁸ by the other. Seen were 1.2·10⁻⁴ of the largest element of a tensor (or of 0.1, where all are smaller);
//! the bound is four times that. A missing term shows in the first digits. `-- --nocapture` prints the largest.

use encoder::{Activations, Batch, Moment, Network};
use kernels::{Backend, Loss, Part, Reference};

use crate::small::{FAMILIES, Sizes, Texts, network};

const SIZES: Sizes = Sizes { words: 9, positions: 6, hidden: 6, heads: 2, inner: 8, dropout: 0.25 };
const STEP: f32 = 1.0 / 128.0;
const BOUND: f64 = 5e-4;

/// Overwrites element `index` of the `nth` weight.
fn set(network: &mut Network<Reference>, nth: usize, values: &[f32]) {
    let (backend, mut weights) = network.weights_mut();
    let (_, weight) = weights.nth(nth).unwrap();
    backend.set_part(weight, Part::Value, values);
}

#[test]
fn every_element_of_every_parameter() {
    let texts = Texts::new(SIZES.words, &[4, 1, 6, 3]);
    let (ids, layout, labels) = texts.pack(&[0, 1, 2, 3]);
    let batch = Batch { ids: &ids, layout: &layout };
    let loss = Loss::mean_over(&labels, &[1.0, 2.0, 0.5], 0.1);
    for family in FAMILIES {
        let mut network = network(Reference, family, SIZES);
        let parameters: Vec<_> = network.weights().map(|(parameter, _)| parameter.clone()).collect();
        // Differences across the corner of DistilBERT's ReLU mean nothing: its bias keeps every value on one side.
        let dense = parameters.iter().position(|p| p.names == ["pre_classifier.bias"]);
        if let Some(dense) = dense {
            set(&mut network, dense, &[4.0, -4.0, 4.0, 4.0, -4.0, 4.0]);
        }
        for moment in [None, Some(Moment { seed: 3, step: 8 })] {
            let mut activations = Activations::for_training(&network);
            let (backend, weights) = network.weights_mut();
            weights.for_each(|(_, weight)| backend.zero_gradient(weight));
            network.forward_backward(batch, &labels, &loss, moment, &mut activations);
            let gradients: Vec<_> =
                network.weights().map(|(_, weight)| Reference.part(weight, Part::Gradient).into_owned()).collect();
            let mut overall = 0.0_f64;
            for (nth, (parameter, gradient)) in parameters.iter().zip(&gradients).enumerate() {
                let (_, weight) = network.weights().nth(nth).unwrap();
                let values = Reference.part(weight, Part::Value).into_owned();
                let largest = gradient.iter().fold(0.1_f64, |m, &x| m.max(f64::from(x).abs()));
                for (index, &got) in gradient.iter().enumerate() {
                    let mut moved = |steps: f32| {
                        let mut moved = values.clone();
                        moved[index] += steps * STEP;
                        set(&mut network, nth, &moved);
                        // What was added may be rounded.
                        let by = f64::from(moved[index]) - f64::from(values[index]);
                        (by, network.forward_backward(batch, &labels, &loss, moment, &mut activations))
                    };
                    let slope = |(by, up): (f64, f64), (back, down): (f64, f64)| (up - down) / (by - back);
                    let (near, far) = (slope(moved(1.0), moved(-1.0)), slope(moved(2.0), moved(-2.0)));
                    let expected = (4.0 * near - far) / 3.0;
                    let difference = (f64::from(got) - expected).abs() / largest;
                    let name = &parameter.names[0];
                    assert!(
                        difference < BOUND,
                        "{family} {name} [{index}], dropout {}: {got}, differences give {expected}",
                        moment.is_some()
                    );
                    overall = overall.max(difference);
                }
                set(&mut network, nth, &values);
            }
            println!("{family}, dropout {}: {overall:.1e}", moment.is_some());
        }
    }
}
