//! The CPU backend against itself, bit for bit: threads, company in the batch, splitting and instruction sets.

use kernels::{Activation, Cpu, Dropout, Heads, Isa, Layout, Site};
use proptest::prelude::*;

use crate::numbers::{numbered, pack};
use crate::operations::{self, Outcome};

fn cpu(threads: usize) -> Cpu {
    Cpu::new(threads).unwrap()
}

fn assert_same_bits(what: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (index, (g, e)) in got.iter().zip(expected).enumerate() {
        assert_eq!(g.to_bits(), e.to_bits(), "{what}: element {index} is {g:e}, expected {e:e}");
    }
}

fn assert_same(what: &str, got: &[(String, Outcome)], expected: &[(String, Outcome)]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for ((operation, got), (_, expected)) in got.iter().zip(expected) {
        assert_eq!(got.all().count(), expected.all().count(), "{what}: {operation}");
        for ((name, got), (_, expected)) in got.all().zip(expected.all()) {
            assert_same_bits(&format!("{what}: {operation} {name}"), got, expected);
        }
    }
}

/// Inputs and outputs, activation, and whether the input's gradient is added: one and several slices of the weight,
/// products that the library cuts in depth, and a head of two outputs.
const LINEAR: [(usize, usize, Option<Activation>, bool); 5] = [
    (384, 1100, Some(Activation::Gelu), true),
    (1100, 96, None, false),
    (64, 3072, Some(Activation::Relu), true),
    (3072, 40, Some(Activation::GeluTanh), false),
    (384, 2, Some(Activation::Tanh), true),
];

/// Every operation over the batches, one after another, with weights that gather their gradients.
fn every_operation(cpu: &Cpu, batches: &[Layout]) -> Vec<(String, Outcome)> {
    let mut outcomes = Vec::new();
    for (inputs, outputs, activation, add) in LINEAR {
        let outcome = operations::linear(cpu, batches, (inputs, outputs), activation, add);
        outcomes.push((format!("linear {inputs} to {outputs} {activation:?}"), outcome));
    }
    let heads = Heads { count: 3, width: 32 };
    outcomes.push(("attention".into(), operations::attention(cpu, batches, heads, None)));
    let dropout = Dropout::new(0.1, 1, 2, 3, Site::Attention);
    outcomes.push(("attention with dropout".into(), operations::attention(cpu, batches, heads, dropout.as_ref())));
    outcomes.push(("layer norm".into(), operations::layer_norm(cpu, batches, 384, None)));
    let dropout = Dropout::new(0.1, 1, 2, 3, Site::Output);
    outcomes.push(("layer norm with dropout".into(), operations::layer_norm(cpu, batches, 384, dropout.as_ref())));
    outcomes.push(("embed".into(), operations::embed(cpu, batches, 384)));
    outcomes.extend(dropout.map(|dropout| ("dropout".into(), operations::dropout(cpu, batches, 384, &dropout))));
    outcomes
}

#[test]
fn any_number_of_threads() {
    let batch = [pack(&numbered(&[1, 40, 129, 2, 64, 64]))];
    let (expected, step) = (every_operation(&cpu(1), &batch), operations::adamw(&cpu(1), (48, 1100)));
    for threads in [2, 3, 8] {
        let cpu = cpu(threads);
        let what = format!("{threads} threads");
        assert_same(&what, &every_operation(&cpu, &batch), &expected);
        for ((name, got), (_, expected)) in operations::adamw(&cpu, (48, 1100)).all().zip(step.all()) {
            assert_same_bits(&format!("{what}: AdamW {name}"), got, expected);
        }
    }
}

/// The rows of each text of the batch against those of the text alone.
fn assert_company_does_not_matter(texts: &[(u64, usize)]) {
    let cpu = cpu(2);
    let layout = pack(texts);
    let per_text = |layout: &Layout| {
        let mut outcomes = every_operation(&cpu, std::slice::from_ref(layout));
        outcomes.push(("first rows".into(), operations::first_rows(&cpu, layout, 384)));
        outcomes
    };
    let together = per_text(&layout);
    let losses = operations::cross_entropy(&cpu, &layout);
    let one_row_each = Layout::one_row_each(layout.examples());
    for (text, &(example, rows)) in texts.iter().enumerate() {
        let single = pack(&[(example, rows)]);
        for ((operation, together), (_, alone)) in together.iter().zip(&per_text(&single)) {
            for ((name, got), (_, expected)) in together.of_text(&layout, text).zip(alone.of_text(&single, 0)) {
                let what = format!("{operation} {name} of text {text} of {rows} rows");
                assert_same_bits(&what, got, expected);
            }
        }
        let (one_row, alone) = (Layout::one_row_each(&[example]), operations::cross_entropy(&cpu, &single));
        for ((name, got), (_, expected)) in losses.of_text(&one_row_each, text).zip(alone.of_text(&one_row, 0)) {
            assert_same_bits(&format!("cross-entropy {name} of text {text}"), got, expected);
        }
    }
}

#[test]
fn long_and_short_texts_in_one_batch() {
    assert_company_does_not_matter(&numbered(&[1, 200, 15, 16, 17, 64, 65, 128, 2]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Examples are numbered before they are shuffled, so that a text's number and its place have nothing in common.
    #[test]
    fn any_company_and_any_place(
        texts in prop::collection::vec(1_usize..=40, 1..8).prop_map(|rows| numbered(&rows)).prop_shuffle(),
    ) {
        assert_company_does_not_matter(&texts);
    }
}

/// A batch of 512 rows against two of 256. Gradients of matrices are added up in groups of 256 rows, those of biases and
/// normalisations in groups of 32, those of tables row by row; so a cut at a multiple of 256 rows changes no bit.
#[test]
fn a_batch_cut_in_two() {
    let texts = numbered(&[100, 31, 125, 200, 56]);
    let cpu = cpu(2);
    let whole = every_operation(&cpu, &[pack(&texts)]);
    let halves = every_operation(&cpu, &[pack(&texts[..3]), pack(&texts[3..])]);
    assert_same("two halves", &halves, &whole);
}

/// Instruction sets do not change the loops written here: they add up in 16 lanes whatever the width of a register, and
/// no fused multiply-add is written. Products come from a library that chooses its instructions by itself, so they are
/// kept out: attention is not compared, and activations are reached through an identity matrix, whose products are exact.
#[test]
fn any_instruction_set() {
    let batch = [pack(&numbered(&[1, 40, 9]))];
    let activations = [Activation::Gelu, Activation::GeluTanh, Activation::Relu, Activation::Tanh];
    let run = |isa: Isa| {
        let cpu = Cpu::with_isa(2, isa).unwrap();
        let mut outcomes: Vec<_> = activations
            .map(|activation| (format!("{activation:?}"), operations::activation(&cpu, &batch[0], 50, activation)))
            .into();
        for dropout in [None, Dropout::new(0.1, 1, 2, 3, Site::Output)] {
            outcomes.push(("layer norm".into(), operations::layer_norm(&cpu, &batch, 203, dropout.as_ref())));
            if let Some(dropout) = &dropout {
                outcomes.push(("dropout".into(), operations::dropout(&cpu, &batch, 203, dropout)));
            }
        }
        outcomes.push(("embed".into(), operations::embed(&cpu, &batch, 203)));
        outcomes
    };
    let expected = run(Isa::Portable);
    for isa in Isa::available() {
        assert_same(&format!("{isa:?}"), &run(isa), &expected);
    }
}
