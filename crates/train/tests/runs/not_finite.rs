//! A loss that is no number ends the run; what was good stays.

use encoder::tensors::TensorFile;
use kernels::Part;
use train::{Error, TrainingArguments, latest_checkpoint};

use crate::tiny::{Attempt, Ground, bits, saving};

/// Two steps that are fine, then one that throws the weights out of the range of numbers.
#[test]
fn the_last_checkpoint_and_the_weights_are_those_before_the_step() {
    let ground = Ground::new();
    for save_every in [1.0, 500.0] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = TrainingArguments { learning_rate: 1e30, save_steps: save_every, ..saving() };
        let done = ground.run(ground.attempt(&arguments, folder.path()));
        let Error::NotFinite { step, value, kept, .. } = done.error() else { panic!("{}", done.error()) };
        assert!(*step > 1, "the first step's weights were given, its loss is a number");
        assert!(!value.is_finite());
        let gradient = bits(&done.classifier, Part::Gradient);
        assert!(gradient.values().flatten().all(|bits| f32::from_bits(*bits) == 0.0), "a later step must not see it");
        let Some(checkpoint) = latest_checkpoint(folder.path()) else {
            assert_eq!(save_every, 500.0);
            assert!(kept.contains("no checkpoint"), "{kept}");
            continue;
        };
        assert!(checkpoint.ends_with(format!("checkpoint-{}", step - 1)), "{checkpoint:?} before step {step}");
        assert!(kept.contains(checkpoint.to_str().unwrap()), "{kept}");
        let saved = TensorFile::open(checkpoint.join("model.safetensors")).unwrap();
        for (name, bits) in done.weights() {
            let expected: Vec<u32> = saved.read_f32(&name).unwrap().iter().map(|x| x.to_bits()).collect();
            assert!(bits == expected, "{name} was harmed by the step");
        }
        // It is whole: the run can go on from it, to the same end.
        let again = ground.run(Attempt { resume: Some(checkpoint), ..ground.attempt(&arguments, folder.path()) });
        assert!(matches!(again.error(), Error::NotFinite { step: second, .. } if second == step), "{}", again.error());
    }
}
