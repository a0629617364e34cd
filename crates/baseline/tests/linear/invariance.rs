//! The same rows give the same bits, whatever computes them, and logits do not depend on what is asked beside them.

use baseline::{Settings, fit};
use proptest::prelude::*;

use crate::golden::example;

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let ((texts, labels), (asked, _)) = (example("train.csv"), example("test.csv"));
    let of = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&texts, &labels, 5, &Settings::default()).unwrap().logits(&asked))
    };
    let one = of(1);
    assert!(of(2) == one && of(5) == one);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_texts_can_be_learnt(
        rows in prop::collection::vec((".{0,30}|[a-c ]{0,12}", 0u32..4), 1..24),
        asked in prop::collection::vec(".{0,30}|[a-c ]{0,12}", 1..5),
    ) {
        let (texts, labels): (Vec<String>, Vec<u32>) = rows.into_iter().unzip();
        let model = fit(&texts, &labels, 4, &Settings::default()).unwrap();
        let together = model.logits(&asked);
        prop_assert!(together.iter().all(|logit| logit.is_finite()));
        let alone: Vec<f32> = asked.iter().flat_map(|text| model.logits(std::slice::from_ref(text))).collect();
        prop_assert_eq!(together, alone);
    }
}
