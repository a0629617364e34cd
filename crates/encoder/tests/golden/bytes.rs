//! Answers on bytes beside PyTorch's single precision.
//!
//! Each row of activations has 255 steps and each output's weights 254, so a number is off by a few thousandths of the
//! largest beside it; as in bf16, results are compared as a whole, and some ten such products follow each other.

use encoder::{Activations, Batch};
use kernels::{Cpu, Isa, Precision};

use crate::half::difference;
use crate::{FAMILIES, Fixture, folder, layout, network};

#[test]
fn hidden_states_and_logits() {
    if Isa::detect() != Isa::Avx512Bf16 {
        return;
    }
    for family in FAMILIES {
        let fixture = Fixture::read(&folder(family).join("reference.safetensors"));
        let network = network(Cpu::with(2, Isa::detect(), Precision::Int8).unwrap(), family);
        let (ids, layout) = (fixture.ids("input_ids"), layout(&fixture, ""));
        let batch = Batch { ids: &ids, layout: &layout };
        for (index, state) in network.hidden_states(batch).iter().enumerate() {
            let by = difference(state, fixture.get(&format!("hidden_states.{index}")));
            println!("{family} hidden state {index}: {by:.1e}");
            assert!(by < 0.03, "{family} hidden state {index}: {by:e}");
        }
        let logits = network.logits(batch, &mut Activations::for_inference(&network));
        let by = difference(&logits, fixture.get("logits"));
        println!("{family} logits: {by:.1e}");
        assert!(by < 0.03, "{family} logits: {by:e}");
    }
}
