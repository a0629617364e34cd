//! Weights that do not learn: no gradient, no moments, no step; and their neighbours learn as before.

use kernels::{AdamW, Backend, InputGradient, Layout, Part, Reference, Use};

use crate::numbers::{ids_of, numbered, pack, rows_of};
use crate::operations::{On, Place, read};
use crate::settings::cpus;

const WIDTH: usize = 5;
const STEP: AdamW = AdamW {
    learning_rate: 0.1,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.1,
    step: 1,
    gradient_scale: 1.0,
};

/// Runs a backward pass with all weights learning and with each one frozen in turn; nothing else may change.
fn freeze_each<B: Backend, const N: usize>(
    backend: &B,
    usages: [(Use, usize); N],
    backward: impl Fn(&mut [B::Weight; N]) -> Vec<f32>,
) {
    let weights = || {
        usages.map(|(usage, rows)| {
            let mut weight = backend.weight(usage, rows, WIDTH, vec![0.5; rows * WIDTH]);
            backend.set_part(&mut weight, Part::Gradient, &vec![0.25; rows * WIDTH]);
            weight
        })
    };
    let gradient = |weight: &B::Weight| backend.part(weight, Part::Gradient).into_owned();
    let mut all = weights();
    let result = backward(&mut all);
    for frozen in 0..N {
        let mut some = weights();
        backend.set_trainable(&mut some[frozen], false);
        assert_eq!(backward(&mut some), result, "the input's gradient depends on weight {frozen} learning");
        for (index, (weight, learning)) in some.iter_mut().zip(&all).enumerate() {
            if index != frozen {
                assert_eq!(gradient(weight), gradient(learning), "weight {index} with weight {frozen} frozen");
                assert!(gradient(weight).iter().any(|&g| g != 0.25), "weight {index} takes a gradient");
                continue;
            }
            for part in [Part::Gradient, Part::FirstMoment, Part::SecondMoment] {
                assert!(backend.part(weight, part).is_empty(), "weight {index} is frozen and has a {part:?}");
            }
            assert_eq!(backend.squared_gradient_norm(weight), 0.0);
            backend.adamw(weight, &STEP);
            assert!(backend.part(weight, Part::Value).iter().all(|&value| value == 0.5), "a frozen weight moved");
        }
    }
}

fn frozen_weights_stay<B: Backend>(backend: &B) {
    let layout: Layout = pack(&numbered(&[2, 40, 3]));
    let rows = layout.rows();
    let on = On::drawn(backend);
    let buffer = |place, salt| on.buffer(place, &rows_of(&layout, WIDTH, salt));
    let (single, operand) = (|salt| buffer(Place::Single, salt), |salt| buffer(Place::Operand, salt));

    freeze_each(backend, [(Use::Matrix, WIDTH), (Use::Vector, 1)], |[weight, bias]| {
        let mut d_x = single(3);
        let to = Some(InputGradient::Set(&mut d_x));
        backend.linear_backward(&operand(1), &operand(2), &layout, weight, bias, to);
        read(backend, &d_x)
    });
    freeze_each(backend, [(Use::Vector, 1), (Use::Vector, 1)], |[weight, bias]| {
        let (mut d, unit, mut d_x) = (single(1), operand(2), operand(3));
        let inverse_std = on.buffer(Place::Single, &vec![1.0; rows]);
        let d_x = Some(&mut d_x);
        backend.residual_dropout_layer_norm_backward(&mut d, &unit, &inverse_std, None, &layout, weight, bias, d_x);
        read(backend, &d)
    });
    freeze_each(backend, [(Use::Table, 11), (Use::Table, 40), (Use::Table, 2)], |[words, positions, types]| {
        let ids = ids_of(&layout, 11);
        backend.embed_backward(&single(1), &ids, &layout, words, positions, Some(types), None);
        Vec::new()
    });
}

#[test]
fn frozen_weights_of_the_reference_stay() {
    frozen_weights_stay(&Reference);
}

#[test]
fn frozen_weights_of_the_cpu_stay() {
    for cpu in cpus() {
        frozen_weights_stay(&cpu);
    }
}

/// Thawed weights begin anew, with a gradient and moments of zero.
#[test]
fn thawed_weights_learn_again() {
    for backend in cpus() {
        for usage in [Use::Matrix, Use::Vector, Use::Table] {
            let rows = if usage == Use::Vector { 1 } else { 2 };
            let mut weight = backend.weight(usage, rows, 4 / rows, vec![1.0; 4]);
            for part in [Part::Gradient, Part::FirstMoment, Part::SecondMoment] {
                backend.set_part(&mut weight, part, &[1.0; 4]);
            }
            backend.set_trainable(&mut weight, false);
            backend.set_trainable(&mut weight, true);
            for part in [Part::Gradient, Part::FirstMoment, Part::SecondMoment] {
                assert_eq!(backend.part(&weight, part)[..], [0.0; 4], "{usage:?} {part:?}");
            }
            backend.set_part(&mut weight, Part::Gradient, &[1.0; 4]);
            backend.adamw(&mut weight, &STEP);
            // The first step of AdamW is the learning rate, whatever the gradient, on top of the decay.
            let expected = 1.0 - 0.1 * 0.1 - 0.1;
            let values = backend.part(&weight, Part::Value);
            assert!(values.iter().all(|value| (value - expected).abs() < 1e-6), "{usage:?}: {values:?}");
        }
    }
}
