//! A batch of more rows than are computed at once: no bit of a gradient or logit differs from that of its pieces, whatever the
//! limit was, and the losses add up; each text has the answer it has alone.

use encoder::{Activations, Batch, Moment, Network};
use kernels::{Cpu, Isa, Layout, Loss, Part, Precision};

use crate::small::{FAMILIES, Sizes, Texts, bits, network};

const SIZES: Sizes = Sizes { words: 61, positions: 512, hidden: 20, heads: 2, inner: 36, dropout: 0.1 };

/// More than 4,000 rows: texts that fill a group of 256 rows, share one, and need several.
const LENGTHS: [usize; 20] = [512, 300, 5, 1, 256, 255, 2, 400, 128, 128, 512, 100, 512, 77, 31, 512, 260, 256, 3, 40];

const LOSS: Loss = Loss { class_weights: Vec::new(), label_smoothing: 0.1, normalizer: 20.0 };

/// Adds the gradients of all texts, cut into pieces of `limit` rows where one is given; returns the loss, and the bits of
/// the logits that it was made of.
fn step(network: &mut Network<Cpu>, limit: Option<usize>) -> (f64, Vec<u32>) {
    let texts = Texts::new(SIZES.words, &LENGTHS);
    let (ids, layout, labels) = texts.pack(&(0..LENGTHS.len()).collect::<Vec<_>>());
    let mut activations = Activations::for_training(network);
    let mut logits = Vec::new();
    let mut pass = |ids: &[u32], layout: &Layout, labels: &[u32]| {
        let moment = Some(Moment { seed: 9, step: 3 });
        let loss = network.forward_backward(Batch { ids, layout }, labels, &LOSS, moment, &mut activations);
        logits.extend(activations.logits().iter().map(|x| x.to_bits()));
        loss
    };
    let Some(limit) = limit else { return (pass(&ids, &layout, &labels), logits) };
    let pieces = layout.pieces(limit);
    assert!(pieces.len() > 1, "something must be cut");
    let rows = |texts: &std::ops::Range<usize>| layout.range(texts.start).start..layout.range(texts.end - 1).end;
    let losses = pieces.into_iter().map(|texts| pass(&ids[rows(&texts)], &layout.slice(texts.clone()), &labels[texts]));
    (losses.sum(), logits)
}

/// Those of `wanted` that the processor computes in.
fn precisions(wanted: &[Precision]) -> impl Iterator<Item = Precision> {
    wanted.iter().copied().filter(|&precision| precision == Precision::F32 || Isa::detect() == Isa::Avx512Bf16)
}

#[test]
fn answers_are_those_of_each_text() {
    for precision in precisions(&[Precision::F32, Precision::Bf16, Precision::Int8]) {
        let network = network(Cpu::with(2, Isa::detect(), precision).unwrap(), "bert", SIZES);
        let texts = Texts::new(SIZES.words, &LENGTHS);
        let mut activations = Activations::for_inference(&network);
        let mut logits = |order: &[usize]| {
            let (ids, layout, _) = texts.pack(order);
            network.logits(Batch { ids: &ids, layout: &layout }, &mut activations)
        };
        let all = logits(&(0..LENGTHS.len()).collect::<Vec<_>>());
        for (text, together) in all.chunks_exact(3).enumerate() {
            let bits = |logits: &[f32]| logits.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(together), bits(&logits(&[text])), "{precision:?} text {text}");
        }
    }
}

#[test]
fn gradients_are_those_of_the_pieces() {
    for precision in precisions(&[Precision::F32, Precision::Bf16]) {
        for family in FAMILIES {
            let make = || network(Cpu::with(2, Isa::detect(), precision).unwrap(), family, SIZES);
            let mut whole = make();
            let (loss, logits) = step(&mut whole, None);
            assert_eq!(logits.len(), LENGTHS.len() * 3);
            let expected = bits(&whole, Part::Gradient);
            assert!(expected.iter().all(|(_, bits)| bits.iter().any(|&bits| bits << 1 != 0)), "gradients are there");
            for limit in [256, 700, 2048] {
                let mut cut = make();
                let (sum, same_logits) = step(&mut cut, Some(limit));
                let got = bits(&cut, Part::Gradient);
                let differ = got.iter().zip(&expected).filter(|(got, expected)| got != expected);
                let differ: Vec<&str> = differ.map(|((name, _), _)| name.as_str()).collect();
                let what = format!("{precision:?} {family}, pieces of {limit} rows");
                assert!(differ.is_empty(), "{what}: gradients of {differ:?}");
                assert!(same_logits == logits, "{what}: other logits");
                // Sums of sums in double precision, in another order.
                assert!((sum / loss - 1.0).abs() < 1e-14, "{what}: {sum}, expected {loss}");
            }
        }
    }
}
