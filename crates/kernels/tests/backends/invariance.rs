//! The CPU backend against itself, bit for bit, in every precision: threads, company in the batch, instruction sets.

use kernels::{Activation, Cpu, Dropout, Heads, Isa, Layout, Precision, Queries, Site};
use proptest::prelude::*;

use crate::numbers::{numbered, pack};
use crate::operations::{self, On, Outcome};
use crate::settings::{best, precisions};

pub(crate) fn assert_same_bits(what: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (index, (g, e)) in got.iter().zip(expected).enumerate() {
        assert_eq!(g.to_bits(), e.to_bits(), "{what}: element {index} is {g:e}, expected {e:e}");
    }
}

/// Outcomes of operations by the operation's name.
pub(crate) type Outcomes = Vec<(String, Outcome)>;

pub(crate) fn assert_same(what: &str, got: &Outcomes, expected: &Outcomes) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for ((operation, got), (_, expected)) in got.iter().zip(expected) {
        assert_eq!(got.all().count(), expected.all().count(), "{what}: {operation}");
        for (got, expected) in got.all().zip(expected.all()) {
            let what = format!("{what}: {operation} {} in {:?}", got.name, got.place);
            assert_same_bits(&what, &got.values, &expected.values);
        }
    }
}

/// Inputs, outputs and activation of a linear layer.
pub(crate) type Linear = (usize, usize, Option<Activation>);

/// One and several slices of the weight, products that the library cuts in depth, and a head of two outputs.
const LINEAR: [Linear; 5] = [
    (384, 1100, Some(Activation::Gelu)),
    (1100, 96, None),
    (64, 3072, Some(Activation::Relu)),
    (3072, 40, Some(Activation::GeluTanh)),
    (384, 2, Some(Activation::Tanh)),
];

/// Every operation over the batches, one after another, with weights that gather their gradients. Rows are `width`
/// wide where they can have any width.
pub(crate) fn every_operation(cpu: &Cpu, batches: &[Layout], layers: &[Linear], width: usize) -> Outcomes {
    let on = &On::drawn(cpu);
    let mut outcomes = Vec::new();
    for &(inputs, outputs, activation) in layers {
        let outcome = operations::linear(on, batches, (inputs, outputs), activation);
        outcomes.push((format!("linear {inputs} to {outputs} {activation:?}"), outcome));
    }
    let dropouts = [None, Dropout::new(0.1, 1, 2, 3, Site::Output)];
    for dropout in dropouts {
        let kind = if dropout.is_some() { "with dropout" } else { "plain" };
        for queries in [Queries::All, Queries::First] {
            let heads = Heads { count: 3, width: 32 };
            let outcome = operations::attention(on, batches, heads, queries, dropout.as_ref());
            outcomes.push((format!("attention of {queries:?} {kind}"), outcome));
        }
        for turned in [false, true] {
            let outcome = operations::layer_norm(on, batches, width, dropout.as_ref(), turned);
            outcomes.push((format!("layer norm {kind}, turned {turned}"), outcome));
        }
    }
    outcomes.push(("embed".into(), operations::embed(on, batches, width)));
    outcomes.push(("cross-entropy".into(), operations::cross_entropy(on, batches)));
    outcomes.extend(dropouts[1].map(|dropout| ("dropout".into(), operations::dropout(on, batches, width, &dropout))));
    outcomes
}

#[test]
fn any_number_of_threads() {
    let batch = [pack(&numbered(&[1, 40, 129, 2, 64, 64]))];
    for precision in precisions() {
        let run = |threads| {
            let cpu = best(threads, precision);
            let mut outcomes = every_operation(&cpu, &batch, &LINEAR, 384);
            outcomes.push(("AdamW".into(), operations::adamw(&On::drawn(&cpu), (48, 1100))));
            outcomes
        };
        let expected = run(1);
        for threads in [2, 3, 8] {
            assert_same(&format!("{precision:?} on {threads} threads"), &run(threads), &expected);
        }
    }
}

/// The rows of each text of the batch against those of the text alone.
fn assert_company_does_not_matter(precision: Precision, texts: &[(u64, usize)]) {
    let cpu = best(2, precision);
    let run = |layout: &Layout| {
        let mut outcomes = every_operation(&cpu, std::slice::from_ref(layout), &LINEAR, 384);
        outcomes.push(("first rows".into(), operations::first_rows(&On::drawn(&cpu), layout, 384)));
        outcomes
    };
    let layout = pack(texts);
    let together = run(&layout);
    for (text, &(example, rows)) in texts.iter().enumerate() {
        let single = pack(&[(example, rows)]);
        for ((operation, together), (_, alone)) in together.iter().zip(&run(&single)) {
            for ((name, got), (_, expected)) in together.of_text(&layout, text).zip(alone.of_text(&single, 0)) {
                let what = format!("{precision:?} {operation} {name} of text {text} of {rows} rows");
                assert_same_bits(&what, got, expected);
            }
        }
    }
}

#[test]
fn long_and_short_texts_in_one_batch() {
    for precision in precisions() {
        assert_company_does_not_matter(precision, &numbered(&[1, 200, 15, 16, 17, 64, 65, 128, 2]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// Examples are numbered before they are shuffled, so that a text's number and its place have nothing in common.
    #[test]
    fn any_company_and_any_place(
        texts in prop::collection::vec(1_usize..=40, 1..8).prop_map(|rows| numbered(&rows)).prop_shuffle(),
    ) {
        for precision in precisions() {
            assert_company_does_not_matter(precision, &texts);
        }
    }
}

/// Instruction sets do not change the loops written here: they add up in 16 lanes whatever the width of a register, and
/// no fused multiply-add is written. Products in f32 come from a library that chooses its instructions by itself, so they
/// are kept out: attention is not compared, and activations are reached through an identity matrix, whose products are
/// exact. Products in bf16 exist for one instruction set alone.
#[test]
fn any_instruction_set() {
    let batch = [pack(&numbered(&[1, 40, 9]))];
    let activations = [Activation::Gelu, Activation::GeluTanh, Activation::Relu, Activation::Tanh];
    let run = |isa: Isa| {
        let cpu = Cpu::with(2, isa, Precision::F32).unwrap();
        let on = On::drawn(&cpu);
        let mut outcomes: Outcomes = activations
            .map(|activation| (format!("{activation:?}"), operations::activation(&cpu, &batch[0], 50, activation)))
            .into();
        for dropout in [None, Dropout::new(0.1, 1, 2, 3, Site::Output)] {
            for turned in [false, true] {
                let outcome = operations::layer_norm(&on, &batch, 203, dropout.as_ref(), turned);
                outcomes.push((format!("layer norm, turned {turned}"), outcome));
            }
            if let Some(dropout) = &dropout {
                outcomes.push(("dropout".into(), operations::dropout(&on, &batch, 203, dropout)));
            }
        }
        outcomes.push(("embed".into(), operations::embed(&on, &batch, 203)));
        outcomes.push(("AdamW".into(), operations::adamw(&on, (33, 50))));
        outcomes
    };
    let expected = run(Isa::Portable);
    for isa in Isa::available() {
        assert_same(&format!("{isa:?}"), &run(isa), &expected);
    }
}
