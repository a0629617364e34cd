//! The whole network: forward, backward, and what both keep.

use std::sync::Arc;

use kernels::{AdamW, Backend, Layout, Loss, Part};

use crate::embeddings::{EmbeddingActivations, Embeddings};
use crate::head::{Head, HeadActivations, HeadShape};
use crate::layer::{Layer, LayerActivations, LayerGradients, Moment, Shape, Wanted};
use crate::parameters::{Parameter, Place, parameters};
use crate::{Config, Values};

/// An encoder with a classification head on some backend.
pub struct Network<B: Backend> {
    backend: Arc<B>,
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
        Self { backend: Arc::new(backend), config, shape, head_shape, parameters, embeddings, layers, head }
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

    /// Multiplies all logits from now on, by multiplying the weight and bias of the classifier.
    pub fn scale_logits(&mut self, factor: f64) {
        let (backend, weights) = self.weights_mut();
        // The classifier is the last linear layer.
        let [bias, weight] = {
            let mut last: Vec<_> = weights.collect();
            [last.pop(), last.pop()].map(|found| found.expect("every network has a classifier").1)
        };
        for weight in [weight, bias] {
            let values: Vec<f32> =
                backend.part(weight, Part::Value).iter().map(|&x| single(f64::from(x) * factor)).collect();
            backend.set_part(weight, Part::Value, &values);
        }
    }

    /// Keeps something in the configuration, see [`Config::set_own`].
    pub fn set_own(&mut self, own: serde_json::Value) {
        self.config.set_own(own);
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

    /// One forward and backward over a batch: adds to the gradients of all weights and returns the loss. A large batch
    /// is computed in pieces of about `ROWS_AT_ONCE` rows, which changes no bit. [`Activations::logits`] has the logits.
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
        let mut sum = 0.0;
        let classes = self.head_shape.classes;
        // Taken out, because buffers are made anew where a piece is larger than those before.
        let mut logits = std::mem::take(&mut activations.logits);
        logits.resize(batch.layout.texts() * classes, 0.0);
        for texts in batch.layout.pieces(ROWS_AT_ONCE) {
            let rows = batch.layout.range(texts.start).start..batch.layout.range(texts.end - 1).end;
            let layout = batch.layout.slice(texts.clone());
            let piece = Batch { ids: &batch.ids[rows], layout: &layout };
            self.forward_backward_of_piece(piece, &labels[texts.clone()], loss, moment, activations, &mut sum);
            self.backend.read(&activations.head.logits, &mut logits[texts.start * classes..texts.end * classes]);
        }
        activations.logits = logits;
        loss.of_sum(sum)
    }

    fn forward_backward_of_piece(
        &mut self,
        batch: Batch<'_>,
        labels: &[u32],
        loss: &Loss,
        moment: Option<Moment>,
        activations: &mut Activations<B>,
        sum: &mut f64,
    ) {
        activations.reserve(self, batch.layout);
        let first = batch.layout.first_rows();
        let backend = Arc::clone(&self.backend);
        backend.enter(|| {
            self.forward(batch, Wanted::First(&first), moment, activations);
            let head = &mut activations.head;
            let classes = self.head_shape.classes;
            self.backend.cross_entropy(&head.logits, classes, labels, loss, &mut head.d_logits, sum);
            self.backward(batch, &first, moment, activations);
        });
    }

    /// One optimiser step with the gradients gathered so far, and what `settings` say of each parameter, which hear the
    /// norm of all gradients together. Returns that norm. Where it is not finite, or `go` is not set, the weights stay
    /// and the gradients are dropped.
    pub fn step(&mut self, go: bool, settings: impl Fn(&Parameter, f64) -> AdamW + Sync) -> f64 {
        let backend = Arc::clone(&self.backend);
        backend.enter(|| {
            let squares: f64 = self.weights().map(|(_, weight)| backend.squared_gradient_norm(weight)).sum();
            let norm = squares.sqrt();
            for (parameter, weight) in self.weights_mut().1 {
                if go && norm.is_finite() {
                    backend.adamw(weight, &settings(parameter, norm));
                } else {
                    backend.zero_gradient(weight);
                }
            }
            norm
        })
    }

    fn forward(&self, batch: Batch<'_>, wanted: Wanted<'_>, moment: Option<Moment>, activations: &mut Activations<B>) {
        let Batch { ids, layout } = batch;
        let Activations { embeddings, hidden, layers, last, head, .. } = activations;
        let sizes = (self.config.hidden_size, self.shape.epsilon, self.config.hidden_dropout);
        self.embeddings.forward(&self.backend, sizes, ids, layout, moment, embeddings, &mut hidden[0]);
        let (final_layer, others) = self.layers.split_last().expect("a network has at least one layer");
        for (index, layer) in others.iter().enumerate() {
            // A network that will not learn keeps one set of activations and two buffers in turn.
            let saved = index % layers.len();
            let (x, out) = (index % hidden.len(), (index + 1) % hidden.len());
            let [x, out] = hidden.get_disjoint_mut([x, out]).expect("input and output are different buffers");
            layer.forward(&self.backend, &self.shape, layout, Wanted::All, (moment, index), x, &mut layers[saved], out);
        }
        let index = others.len();
        let (saved, x) = (index % layers.len(), &hidden[index % hidden.len()]);
        final_layer.forward(&self.backend, &self.shape, layout, wanted, (moment, index), x, &mut layers[saved], last);
        if let Wanted::First(first) = wanted {
            self.head.forward(&self.backend, &self.head_shape, last, first, moment, head);
        }
    }

    fn backward(&mut self, batch: Batch<'_>, first: &Layout, moment: Option<Moment>, activations: &mut Activations<B>) {
        let Batch { ids, layout } = batch;
        let Some(lowest) = self.lowest_learning() else { return };
        let Activations { embeddings, hidden, layers, last, head, training, .. } = activations;
        let Gradients { d, d_first, layer: gradients } = training.as_mut().expect("activations made for training");
        let goes_below_head = (lowest < Place::Head).then_some(&mut *d_first);
        self.head.backward(&self.backend, &self.head_shape, last, first, moment, head, goes_below_head);
        let final_layer = self.layers.len() - 1;
        for (index, layer) in self.layers.iter_mut().enumerate().rev() {
            if lowest > Place::Layer(index) {
                return;
            }
            let wanted = if index == final_layer { Wanted::First(first) } else { Wanted::All };
            let needs_input = lowest < Place::Layer(index);
            let (x, saved) = (&hidden[index], &layers[index]);
            let (backend, shape, d) = (&self.backend, &self.shape, (&mut *d, &mut *d_first));
            layer.backward(backend, shape, layout, wanted, (moment, index), x, saved, gradients, d, needs_input);
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
        let mut logits = vec![0.0; batch.layout.texts() * self.head_shape.classes];
        for texts in batch.layout.pieces(ROWS_AT_ONCE_ANSWERING) {
            let rows = batch.layout.range(texts.start).start..batch.layout.range(texts.end - 1).end;
            let layout = batch.layout.slice(texts.clone());
            let piece = Batch { ids: &batch.ids[rows], layout: &layout };
            let classes = self.head_shape.classes;
            self.logits_of_piece(piece, activations, &mut logits[texts.start * classes..texts.end * classes]);
        }
        logits
    }

    fn logits_of_piece(&self, batch: Batch<'_>, activations: &mut Activations<B>, logits: &mut [f32]) {
        activations.reserve(self, batch.layout);
        let first = batch.layout.first_rows();
        self.backend.enter(|| {
            self.forward(batch, Wanted::First(&first), None, activations);
            self.backend.read(&activations.head.logits, logits);
        });
    }

    /// Output of the embeddings and of each layer, N×H each: what `output_hidden_states` gives in `transformers`.
    pub fn hidden_states(&self, batch: Batch<'_>) -> Vec<Vec<f32>> {
        let mut activations = Activations::for_training(self);
        activations.last_rows = Rows::All;
        activations.reserve(self, batch.layout);
        self.forward(batch, Wanted::All, None, &mut activations);
        let read = |buffer: &B::Buffer| {
            let mut rows = vec![0.0; batch.layout.rows() * self.config.hidden_size];
            self.backend.read(buffer, &mut rows);
            rows
        };
        activations.hidden.iter().chain([&activations.last]).map(read).collect()
    }

    /// Bytes that [`Activations`] of an evaluation of `rows` rows at once take; no more than
    /// `ROWS_AT_ONCE_ANSWERING` rows, or those of the longest text, are computed at once.
    #[must_use]
    pub fn inference_bytes(&self, rows: usize) -> usize {
        let rows = rows.min(ROWS_AT_ONCE_ANSWERING);
        let (operands, singles) = LayerActivations::<B>::row_len(&self.shape, false);
        let hidden = self.config.hidden_size;
        rows * ((operands + 3 * hidden) * self.backend.operand_bytes() + 4 * (singles + hidden + 1))
    }

    /// Bytes that [`Activations`] of a training step over `rows` rows and `texts` texts take; no more than
    /// `ROWS_AT_ONCE` rows, or those of the longest text, are computed at once.
    #[must_use]
    pub fn training_bytes(&self, rows: usize, texts: usize) -> usize {
        let rows = rows.min(ROWS_AT_ONCE);
        let hidden = self.config.hidden_size;
        let (operands, singles) = LayerActivations::<B>::row_len(&self.shape, true);
        // The last block keeps all of the input's queries, keys and values, and of the rest the first rows alone.
        let blocks = self.layers.len() - 1;
        let operands = blocks * (operands + hidden) + 4 * hidden + LayerGradients::<B>::row_len(&self.shape);
        let singles = blocks * singles + 2 * hidden + 1;
        let head = 16 * hidden + 2 * self.shape.intermediate + 2 * self.head_shape.classes;
        rows * (operands * self.backend.operand_bytes() + 4 * singles) + 4 * texts * head
    }
}

/// Rows that are computed at once in training, as far as texts allow: enough to keep the processor busy, few enough
/// to keep what they need for the backward small.
pub(crate) const ROWS_AT_ONCE: usize = 2048;

/// The same for a network that answers, which keeps nothing: what one layer works on stays in the caches.
const ROWS_AT_ONCE_ANSWERING: usize = 1024;

/// Buffers of a forward pass, and of a backward where there is one; grown to the largest batch seen, then reused.
pub struct Activations<B: Backend> {
    rows: usize,
    texts: usize,
    last_rows: Rows,
    embeddings: EmbeddingActivations<B>,
    /// Training: the input of each layer. Otherwise two that serve in turn.
    hidden: Vec<B::Buffer>,
    layers: Vec<LayerActivations<B>>,
    /// The last layer's output: the first row of each text, B×H, or all.
    last: B::Buffer,
    head: HeadActivations<B>,
    /// B×C, of all pieces of the last forward and backward.
    logits: Vec<f32>,
    training: Option<Gradients<B>>,
}

/// Rows of the last layer that room is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    First,
    All,
}

struct Gradients<B: Backend> {
    /// Gradient of the rows between two layers, N×H.
    d: B::Buffer,
    /// Gradient of the last layer's first rows, B×H.
    d_first: B::Buffer,
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

    /// The logits that the last [`Network::forward_backward`] made its loss of: with dropout where there was any.
    ///
    /// # Shapes
    /// B×C.
    #[must_use]
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    fn sized(network: &Network<B>, rows: usize, texts: usize, training: bool) -> Self {
        Self::with_last(network, (rows, texts), Rows::First, training)
    }

    fn with_last(network: &Network<B>, (rows, texts): (usize, usize), last_rows: Rows, training: bool) -> Self {
        let (backend, shape) = (&*network.backend, &network.shape);
        let width = network.config.hidden_size;
        let count = network.layers.len();
        let last = if last_rows == Rows::All { rows } else { texts };
        let layer = |wanted: usize| LayerActivations::new(backend, shape, (rows, texts, wanted), training);
        let layers = match training {
            true => (1..=count).map(|index| layer(if index == count { last } else { rows })).collect(),
            false => vec![layer(rows)],
        };
        Self {
            rows,
            texts,
            last_rows,
            embeddings: EmbeddingActivations::new(backend, width, rows),
            hidden: (0..if training { count } else { 2 }).map(|_| backend.operand(rows * width)).collect(),
            layers,
            last: backend.operand(last * width),
            head: HeadActivations::new(backend, &network.head_shape, texts),
            logits: Vec::new(),
            training: training.then(|| Gradients {
                d: backend.zeros(rows * width),
                d_first: backend.zeros(texts * width),
                layer: LayerGradients::new(backend, shape, rows),
            }),
        }
    }

    /// Makes room for a batch of this layout.
    fn reserve(&mut self, network: &Network<B>, layout: &Layout) {
        if layout.rows() > self.rows || layout.texts() > self.texts {
            let (training, last) = (self.training.is_some(), self.last_rows);
            let size = (layout.rows().max(self.rows), layout.texts().max(self.texts));
            // The old buffers go first, so that the peak is that of the new ones.
            *self = Self::with_last(network, (0, 0), last, training);
            *self = Self::with_last(network, size, last, training);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
fn single(x: f64) -> f32 {
    x as f32
}
