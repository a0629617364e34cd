//! The whole network: forward, backward, and what both keep.

use kernels::{Backend, Layout, Loss, Part};

use crate::embeddings::{EmbeddingActivations, Embeddings};
use crate::head::{Head, HeadActivations, HeadShape};
use crate::layer::{Layer, LayerActivations, LayerGradients, Moment, Shape};
use crate::parameters::{Parameter, Place, parameters};
use crate::{Config, Values};

/// An encoder with a classification head on some backend.
pub struct Network<B: Backend> {
    backend: B,
    config: Config,
    shape: Shape,
    head_shape: HeadShape,
    parameters: Vec<Parameter>,
    embeddings: Embeddings<B>,
    layers: Vec<Layer<B>>,
    head: Head<B>,
}

/// Texts as the network sees them.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Token ids of all texts, one after another: N.
    pub ids: &'a [u32],
    /// Which rows belong to which text.
    pub layout: &'a Layout,
}

impl<B: Backend> Network<B> {
    /// A network with these values, of which there is one for each of [`parameters()`].
    pub fn new(backend: B, config: Config, values: Values) -> Self {
        let parameters = parameters(&config);
        let mut weights = parameters.iter().zip(values.0).map(|(parameter, values)| {
            let mut weight = backend.weight(parameter.usage, parameter.rows, parameter.cols, values);
            let fixed = parameter.usage == kernels::Use::Table
                && !config.positions_learn
                && parameter.names[0].ends_with(&format!("{}.weight", config.family.names.positions));
            backend.set_trainable(&mut weight, !fixed);
            weight
        });
        let embeddings = Embeddings::new(&mut weights, config.family.names.types.is_some());
        let layers = (0..config.num_hidden_layers).map(|_| Layer::new(&mut weights)).collect();
        let head = Head::new(&mut weights);
        drop(weights);
        let shape = Shape {
            heads: config.heads(),
            intermediate: config.intermediate_size,
            activation: config.hidden_act,
            epsilon: config.layer_norm_eps,
            attention_dropout: config.attention_dropout,
            attention_output_dropout: config.attention_output_dropout,
            hidden_dropout: config.hidden_dropout,
        };
        let head_shape = HeadShape {
            hidden: config.hidden_size,
            classes: config.num_labels(),
            layers: config.num_hidden_layers,
            activation: config.family.head_activation,
            dropout: config.classifier_dropout,
        };
        Self { backend, config, shape, head_shape, parameters, embeddings, layers, head }
    }

    /// The configuration it was built from.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where it computes.
    #[must_use]
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Every parameter with its weight, in the order of [`parameters()`].
    pub fn weights(&self) -> impl Iterator<Item = (&Parameter, &B::Weight)> {
        let layers = self.layers.iter().flat_map(Layer::weights);
        let weights = self.embeddings.weights().into_iter().chain(layers).chain(self.head.weights());
        self.parameters.iter().zip(weights)
    }

    /// [`Network::weights`], to be changed, with the backend that changes them.
    pub fn weights_mut(&mut self) -> (&B, impl Iterator<Item = (&Parameter, &mut B::Weight)>) {
        let layers = self.layers.iter_mut().flat_map(Layer::weights_mut);
        let weights = self.embeddings.weights_mut().into_iter().chain(layers).chain(self.head.weights_mut());
        (&self.backend, self.parameters.iter().zip(weights))
    }

    /// The parts of each weight as plain numbers, under each name a checkpoint gives it.
    pub fn tensors(&self, part: Part) -> impl Iterator<Item = (&str, Vec<usize>, std::borrow::Cow<'_, [f32]>)> {
        self.weights().flat_map(move |(parameter, weight)| {
            let values = self.backend.part(weight, part);
            let len = parameter.tensor_len();
            parameter.names.iter().enumerate().filter(move |_| !values.is_empty()).map(move |(index, name)| {
                let all = self.backend.part(weight, part);
                let tensor = match all {
                    std::borrow::Cow::Borrowed(all) => std::borrow::Cow::Borrowed(&all[index * len..][..len]),
                    std::borrow::Cow::Owned(all) => std::borrow::Cow::Owned(all[index * len..][..len].to_vec()),
                };
                (name.as_str(), parameter.shape(), tensor)
            })
        })
    }

    /// Overwrites a part of every weight that has it with the tensors that `read` gives for each name and shape.
    ///
    /// # Errors
    /// The first error of `read`; weights before it are then already overwritten.
    pub fn set_tensors<E>(
        &mut self,
        part: Part,
        mut read: impl FnMut(&str, &[usize]) -> Result<Vec<f32>, E>,
    ) -> Result<(), E> {
        let (backend, weights) = self.weights_mut();
        for (parameter, weight) in weights {
            if backend.part(weight, part).is_empty() {
                continue;
            }
            let mut values = Vec::with_capacity(parameter.rows * parameter.cols);
            for name in &parameter.names {
                values.extend(read(name, &parameter.shape())?);
            }
            backend.set_part(weight, part, &values);
        }
        Ok(())
    }

    /// Number of values in all parameters, and in those that learn.
    #[must_use]
    pub fn count_parameters(&self) -> (usize, usize) {
        let count = |(parameter, weight): (&Parameter, &B::Weight)| {
            let len = parameter.rows * parameter.cols;
            (len, if self.backend.is_trainable(weight) { len } else { 0 })
        };
        self.weights().map(count).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// Stops every parameter from learning for which `frozen` says so.
    pub fn freeze(&mut self, frozen: impl Fn(&Parameter) -> bool) {
        let (backend, weights) = self.weights_mut();
        for (parameter, weight) in weights {
            if frozen(parameter) {
                backend.set_trainable(weight, false);
            }
        }
    }

    /// The lowest place with a parameter that learns: the backward goes no further.
    fn lowest_learning(&self) -> Option<Place> {
        self.weights().filter(|(_, weight)| self.backend.is_trainable(weight)).map(|(p, _)| p.place).min()
    }

    /// One forward and backward over a batch: adds to the gradients of all weights and returns the loss.
    ///
    /// # Shapes
    /// `labels`: B.
    ///
    /// # Panics
    /// If an id is not below `vocab_size`, or a text is longer than `max_position_embeddings`; both are checked where
    /// texts are tokenised.
    pub fn forward_backward(
        &mut self,
        batch: Batch<'_>,
        labels: &[u32],
        loss: &Loss,
        moment: Option<Moment>,
        activations: &mut Activations<B>,
    ) -> f64 {
        activations.reserve(self, batch.layout);
        self.forward(batch, moment, activations);
        let head = &mut activations.head;
        let classes = self.head_shape.classes;
        let value = self.backend.cross_entropy(&head.logits, classes, labels, loss, &mut head.d_logits);
        self.backward(batch, moment, activations);
        value
    }

    fn forward(&self, batch: Batch<'_>, moment: Option<Moment>, activations: &mut Activations<B>) {
        let Batch { ids, layout } = batch;
        let Activations { embeddings, hidden, layers, head, .. } = activations;
        let sizes = (self.config.hidden_size, self.shape.epsilon, self.config.hidden_dropout);
        self.embeddings.forward(&self.backend, sizes, ids, layout, moment, embeddings, &mut hidden[0]);
        for (index, layer) in self.layers.iter().enumerate() {
            // A network that will not learn keeps one set of activations and two buffers in turn.
            let saved = index % layers.len();
            let (x, out) = (index % hidden.len(), (index + 1) % hidden.len());
            let [x, out] = hidden.get_disjoint_mut([x, out]).expect("input and output are different buffers");
            layer.forward(&self.backend, &self.shape, layout, (moment, index), x, &mut layers[saved], out);
        }
        let last = &hidden[self.layers.len() % hidden.len()];
        self.head.forward(&self.backend, &self.head_shape, last, layout, moment, head);
    }

    fn backward(&mut self, batch: Batch<'_>, moment: Option<Moment>, activations: &mut Activations<B>) {
        let Batch { ids, layout } = batch;
        let Some(lowest) = self.lowest_learning() else { return };
        let Activations { embeddings, hidden, layers, head, training, .. } = activations;
        let Gradients { d, layer: gradients } = training.as_mut().expect("activations made for training");
        let goes_below_head = (lowest < Place::Head).then_some(&mut *d);
        self.head.backward(&self.backend, &self.head_shape, layout, moment, head, goes_below_head);
        for (index, layer) in self.layers.iter_mut().enumerate().rev() {
            if lowest > Place::Layer(index) {
                return;
            }
            let needs_input = lowest < Place::Layer(index);
            let (x, saved) = (&hidden[index], &layers[index]);
            let (backend, shape) = (&self.backend, &self.shape);
            layer.backward(backend, shape, layout, (moment, index), x, saved, gradients, d, needs_input);
        }
        if lowest == Place::Embeddings {
            let sizes = (self.config.hidden_size, self.config.hidden_dropout, self.config.pad_token_id);
            self.embeddings.backward(&self.backend, sizes, ids, layout, moment, embeddings, d);
        }
    }

    /// Logits of a batch without dropout.
    ///
    /// # Shapes
    /// Returns B×C.
    ///
    /// # Panics
    /// As [`Network::forward_backward`].
    pub fn logits(&self, batch: Batch<'_>, activations: &mut Activations<B>) -> Vec<f32> {
        activations.reserve(self, batch.layout);
        self.forward(batch, None, activations);
        let mut logits = vec![0.0; batch.layout.texts() * self.head_shape.classes];
        self.backend.read(&activations.head.logits, &mut logits);
        logits
    }

    /// Output of the embeddings and of each layer, N×H each: what `output_hidden_states` gives in `transformers`.
    pub fn hidden_states(&self, batch: Batch<'_>) -> Vec<Vec<f32>> {
        let mut activations = Activations::for_training(self);
        activations.reserve(self, batch.layout);
        self.forward(batch, None, &mut activations);
        let read = |buffer: &B::Buffer| {
            let mut rows = vec![0.0; batch.layout.rows() * self.config.hidden_size];
            self.backend.read(buffer, &mut rows);
            rows
        };
        activations.hidden.iter().map(read).collect()
    }

    /// Bytes that [`Activations`] of an evaluation of `rows` rows at once take.
    #[must_use]
    pub fn inference_bytes(&self, rows: usize) -> usize {
        let row = 13 * self.config.hidden_size + self.config.intermediate_size + self.shape.heads.count + 3;
        4 * rows * row
    }

    /// Bytes that [`Activations`] of a training step over `rows` rows and `texts` texts take.
    #[must_use]
    pub fn training_bytes(&self, rows: usize, texts: usize) -> usize {
        let (hidden, inner) = (self.config.hidden_size, self.config.intermediate_size);
        let layers = self.layers.len();
        let each_layer = 9 * hidden + 2 * inner + self.shape.heads.count + 2;
        let row = layers * each_layer + (layers + 1) * hidden + 2 * hidden + 1 + (6 * hidden + inner);
        4 * (rows * row + texts * (5 * hidden + 2 * self.head_shape.classes))
    }
}

/// Buffers of a forward pass, and of a backward where there is one; grown to the largest batch seen, then reused.
pub struct Activations<B: Backend> {
    rows: usize,
    texts: usize,
    embeddings: EmbeddingActivations<B>,
    /// Training: the input of each layer and the last one's output. Otherwise two that serve in turn.
    hidden: Vec<B::Buffer>,
    layers: Vec<LayerActivations<B>>,
    head: HeadActivations<B>,
    training: Option<Gradients<B>>,
}

struct Gradients<B: Backend> {
    /// Gradient of the rows between two layers, N×H.
    d: B::Buffer,
    layer: LayerGradients<B>,
}

impl<B: Backend> Activations<B> {
    /// For [`Network::forward_backward`].
    #[must_use]
    pub fn for_training(network: &Network<B>) -> Self {
        Self::sized(network, 0, 0, true)
    }

    /// For [`Network::logits`] alone: takes a fraction of the memory.
    #[must_use]
    pub fn for_inference(network: &Network<B>) -> Self {
        Self::sized(network, 0, 0, false)
    }

    fn sized(network: &Network<B>, rows: usize, texts: usize, training: bool) -> Self {
        let (backend, shape) = (&network.backend, &network.shape);
        let width = network.config.hidden_size;
        let (states, layers) = if training { (network.layers.len() + 1, network.layers.len()) } else { (2, 1) };
        Self {
            rows,
            texts,
            embeddings: EmbeddingActivations::new(backend, width, rows),
            hidden: (0..states).map(|_| backend.zeros(rows * width)).collect(),
            layers: (0..layers).map(|_| LayerActivations::new(backend, shape, rows, training)).collect(),
            head: HeadActivations::new(backend, &network.head_shape, texts),
            training: training.then(|| Gradients {
                d: backend.zeros(rows * width),
                layer: LayerGradients::new(backend, shape, rows),
            }),
        }
    }

    /// Makes room for a batch of this layout.
    fn reserve(&mut self, network: &Network<B>, layout: &Layout) {
        if layout.rows() > self.rows || layout.texts() > self.texts {
            let training = self.training.is_some();
            let (rows, texts) = (layout.rows().max(self.rows), layout.texts().max(self.texts));
            // The old buffers go first, so that the peak is that of the new ones.
            *self = Self::sized(network, 0, 0, training);
            *self = Self::sized(network, rows, texts, training);
        }
    }
}
