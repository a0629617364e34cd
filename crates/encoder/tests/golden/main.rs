//! Both backends against PyTorch and `transformers`: the fixtures of `golden/`, made by versions pinned there.
//!
//! `single` holds every backend in single precision against them, `half` the one in bf16 and `bytes` the
//! one that answers on bytes, each within what its rounding explains; `learning` looks at which parameters move. `-- --nocapture` prints the largest differences.

mod bytes;
mod half;
mod learning;
mod single;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use encoder::tensors::TensorFolder;
use encoder::{Activations, Batch, Config, Network, Values};
use kernels::{AdamW, Backend, Layout, Loss, Part};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// Every tensor of a fixture, as numbers in double precision.
struct Fixture(BTreeMap<String, Vec<f64>>);

impl Fixture {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let numbers = |view: &safetensors::tensor::TensorView<'_>| -> Vec<f64> {
            match view.dtype() {
                Dtype::F32 => {
                    view.data().chunks(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect()
                }
                Dtype::F64 => view.data().chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect(),
                Dtype::I64 => view.data().chunks(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64).collect(),
                other => panic!("a fixture holds {other:?}"),
            }
        };
        Self(tensors.iter().map(|(name, view)| (name.to_owned(), numbers(&view))).collect())
    }

    fn get(&self, name: &str) -> &[f64] {
        self.0.get(name).unwrap_or_else(|| panic!("the fixture lacks {name}"))
    }

    fn ids(&self, name: &str) -> Vec<u32> {
        self.get(name).iter().map(|&x| x as u32).collect()
    }
}

fn folder(family: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/fixtures").join(family)
}

fn network<B: Backend>(backend: B, family: &str) -> Network<B> {
    let folder = folder(family);
    let config = Config::read(&folder.join("config.json")).unwrap();
    let tensors = TensorFolder::open(&folder).unwrap();
    let (values, report) = Values::load(&config, &tensors, 0, false).unwrap();
    assert_eq!(report, encoder::LoadReport::default(), "every weight of {family} has its place");
    Network::new(backend, config, values)
}

fn layout(fixture: &Fixture, prefix: &str) -> Layout {
    let ends = fixture.ids(&format!("{prefix}cu_seqlens"));
    Layout::new(&ends, &(0..ends.len() as u64 - 1).collect::<Vec<_>>())
}

/// Tensors by their names in the checkpoint.
type Named = BTreeMap<String, Vec<f32>>;

/// Hidden states, logits, loss and gradients of one batch.
type Passes = (Vec<Vec<f32>>, Vec<f32>, f64, Named);

/// Losses, gradient norms and final weights of a training trace.
type Trace = (Vec<f64>, Vec<f64>, Named);

/// What the tests ask of a network, whatever its backend.
trait Runner {
    /// The values of all weights.
    fn values(&self) -> Named;
    fn forward_and_gradients(&mut self, fixture: &Fixture) -> Passes;
    fn train(&mut self, fixture: &Fixture, settings: &Value) -> Trace;
}

impl<B: Backend> Runner for Network<B> {
    fn values(&self) -> Named {
        named(self, Part::Value)
    }

    fn forward_and_gradients(&mut self, fixture: &Fixture) -> Passes {
        let (ids, labels, layout) = (fixture.ids("input_ids"), fixture.ids("labels"), layout(fixture, ""));
        let batch = Batch { ids: &ids, layout: &layout };
        let states = self.hidden_states(batch);
        let mut inference = Activations::for_inference(self);
        let logits = self.logits(batch, &mut inference);
        let mut training = Activations::for_training(self);
        let loss = Loss::mean_over(&labels, &[], 0.0);
        let loss = self.forward_backward(batch, &labels, &loss, None, &mut training);
        (states, logits, loss, named(self, Part::Gradient))
    }

    fn train(&mut self, fixture: &Fixture, settings: &Value) -> Trace {
        let list = |key: &str| settings[key].as_array().cloned().unwrap_or_default();
        let frozen: Vec<String> = list("frozen").iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        let decayed: Vec<String> = list("decayed").iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        let weights: Vec<f64> = list("class_weights").iter().map(|w| w.as_f64().unwrap()).collect();
        let number = |key: &str| settings[key].as_f64().unwrap_or_else(|| panic!("the settings lack {key}"));
        self.freeze(|parameter| frozen.contains(&parameter.names[0]));
        let weight_decay = number("weight_decay");
        let mut activations = Activations::for_training(self);
        let (mut losses, mut norms) = (Vec::new(), Vec::new());
        for (step, &learning_rate) in fixture.get("lr").iter().enumerate() {
            let prefix = format!("batch.{}.", list("batch_of_step")[step]);
            let (ids, labels) = (fixture.ids(&format!("{prefix}input_ids")), fixture.ids(&format!("{prefix}labels")));
            let layout = layout(fixture, &prefix);
            let loss = Loss::mean_over(&labels, &weights, number("label_smoothing_factor"));
            let batch = Batch { ids: &ids, layout: &layout };
            losses.push(self.forward_backward(batch, &labels, &loss, None, &mut activations));
            let backend = self.backend();
            let norm = self.weights().map(|(_, w)| backend.squared_gradient_norm(w)).sum::<f64>().sqrt();
            norms.push(norm);
            let clip = (number("max_grad_norm") / (norm + 1e-6)).min(1.0) as f32;
            let (backend, weights) = self.weights_mut();
            for (parameter, weight) in weights {
                if backend.is_trainable(weight) {
                    assert_eq!(parameter.decays, decayed.contains(&parameter.names[0]), "{:?}", parameter.names);
                }
                let weight_decay = if parameter.decays { weight_decay } else { 0.0 };
                let (step, gradient_scale) = (step as u64 + 1, clip);
                let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8);
                backend
                    .adamw(weight, &AdamW { learning_rate, beta1, beta2, epsilon, weight_decay, step, gradient_scale });
            }
        }
        (losses, norms, named(self, Part::Value))
    }
}

fn named<B: Backend>(network: &Network<B>, part: Part) -> BTreeMap<String, Vec<f32>> {
    network.tensors(part).map(|(name, _, values)| (name.to_owned(), values.into_owned())).collect()
}

const FAMILIES: [&str; 2] = ["bert", "distilbert"];

const TRACES: [&str; 6] =
    ["plain", "weight_decay", "frozen", "class_weights", "label_smoothing", "class_weights_label_smoothing"];

/// The recorded numbers of a training of ten steps, and its settings.
fn trace(family: &str, variant: &str) -> (Fixture, Value) {
    let fixture = Fixture::read(&folder(family).join(format!("trace_{variant}.safetensors")));
    let settings = std::fs::read(folder(family).join(format!("trace_{variant}.json"))).unwrap();
    (fixture, serde_json::from_slice(&settings).unwrap())
}

/// Softmax does not see a shift of all its scores, so the key's bias has no gradient but rounding noise.
fn has_no_true_gradient(name: &str) -> bool {
    name.ends_with("key.bias") || name.ends_with("k_lin.bias")
}
