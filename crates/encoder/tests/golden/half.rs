//! bf16 beside PyTorch's single precision.
//!
//! Weights, and whatever goes from one operation to the next, are rounded to 2⁻⁸ of a number at most, with errors of
//! either sign and 2⁻⁹ of it as their root mean square. So results are compared as a whole: the norm of the difference over
//! the norm of what was expected.
//!
//! - A hidden state has some ten roundings behind it that count, and a last one of its own: 2⁻⁹·√10 is 0.6%.
//! - Gradients have all roundings of the forward and as many of their own behind them, and are differences of such
//!   numbers besides: five times that were seen, in the first block's.
//! - AdamW divides by the size of the gradient: where it is near zero and its sign is lost, an element goes the other
//!   way. That is a small part of all elements, and of how far weights move in ten steps.

use kernels::{Cpu, Isa, Precision};

use crate::{FAMILIES, Fixture, Runner, TRACES, folder, has_no_true_gradient, network, trace};

fn runner(family: &str) -> Option<Box<dyn Runner>> {
    let cpu = (Precision::detect() == Precision::Bf16).then(|| Cpu::with(2, Isa::detect(), Precision::Bf16).unwrap());
    cpu.map(|cpu| -> Box<dyn Runner> { Box::new(network(cpu, family)) })
}

/// The norm of the difference over the norm of what was expected.
pub(crate) fn difference(got: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let squares = got.iter().zip(expected).map(|(&g, e)| (f64::from(g) - e).powi(2)).sum::<f64>();
    (squares / expected.iter().map(|e| e * e).sum::<f64>()).sqrt()
}

#[test]
fn hidden_states_logits_loss_and_gradients() {
    for family in FAMILIES {
        let Some(mut network) = runner(family) else { return };
        let fixture = Fixture::read(&folder(family).join("reference.safetensors"));
        let (states, logits, loss, gradients) = network.forward_and_gradients(&fixture);
        for (index, state) in states.iter().enumerate() {
            let by = difference(state, fixture.get(&format!("hidden_states.{index}")));
            println!("{family} hidden state {index}: {by:.1e}");
            assert!(by < 0.01, "{family} hidden state {index}: {by:e}");
        }
        let by = difference(&logits, fixture.get("logits"));
        let loss_by = (loss - fixture.get("loss")[0]).abs();
        println!("{family} logits: {by:.1e}, loss: {loss_by:.1e}");
        assert!(by < 0.02, "{family} logits: {by:e}");
        assert!(loss_by < 5e-3, "{family} loss {loss}");
        let expected: Vec<_> = fixture.0.keys().filter_map(|name| name.strip_prefix("grad.")).collect();
        assert_eq!(gradients.keys().map(String::as_str).collect::<Vec<_>>(), expected, "{family}");
        let mut overall = 0.0_f64;
        for (name, gradient) in &gradients {
            if has_no_true_gradient(name) {
                // Rounding alone; gradients of other biases are around 0.1.
                let largest = gradient.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
                assert!(largest < 1e-3, "{family} gradient of {name}: {largest}");
                continue;
            }
            let by = difference(gradient, fixture.get(&format!("grad.{name}")));
            overall = overall.max(by);
            assert!(by < 0.05, "{family} gradient of {name}: {by:e}");
        }
        println!("{family} gradients: {overall:.1e}");
    }
}

#[test]
fn ten_steps_of_adamw() {
    for (family, variant) in FAMILIES.into_iter().flat_map(|family| TRACES.map(|variant| (family, variant))) {
        let (Some(mut network), (fixture, settings)) = (runner(family), trace(family, variant)) else { return };
        let before = network.values();
        let (losses, norms, weights) = network.train(&fixture, &settings);
        let mut worst = [0.0_f64; 2];
        for (step, (loss, expected)) in losses.iter().zip(fixture.get("loss")).enumerate() {
            let by = (loss - expected).abs();
            assert!(by < 1e-2, "{family} {variant} step {step}: loss {loss}, expected {expected}");
            worst[0] = worst[0].max(by);
        }
        for (step, (norm, expected)) in norms.iter().zip(fixture.get("grad_norm")).enumerate() {
            let by = (norm / expected - 1.0).abs();
            assert!(by < 0.1, "{family} {variant} step {step}: norm {norm}, expected {expected}");
            worst[1] = worst[1].max(by);
        }
        // How far each weight moved, and how far it should have.
        let (mut moved, mut expected) = (Vec::new(), Vec::new());
        for (name, values) in weights.iter().filter(|(name, _)| !has_no_true_gradient(name)) {
            let ends = fixture.get(&format!("final.{name}"));
            for ((&start, &end), &should_end) in before[name].iter().zip(values).zip(ends) {
                moved.push(end - start);
                expected.push(should_end - f64::from(start));
            }
        }
        let by = difference(&moved, &expected);
        println!("{family} {variant}: losses {:.1e}, norms {:.1e}, movement {by:.1e}", worst[0], worst[1]);
        assert!(by < 0.1, "{family} {variant}: weights moved elsewhere by {by}");
    }
}
