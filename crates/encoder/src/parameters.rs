//! The list of a network's parameters, in one fixed order, with the names a checkpoint gives them.

use kernels::Use;

use crate::Config;

/// Where in the network a parameter stands, counted from the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Tables and the normalisation behind them.
    Embeddings,
    /// Layer, from 0.
    Layer(usize),
    /// What follows the last layer.
    Head,
}

/// How a parameter starts where the checkpoint has none, as `transformers` initialises it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// Normal with standard deviation `initializer_range`.
    Normal,
    /// All zeros: biases.
    Zeros,
    /// All ones: the scale of a normalisation.
    Ones,
}

/// One weight of the network, made of one tensor of a checkpoint or of several stacked by rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Names in a checkpoint with a head, from the first row to the last; all have the same number of rows.
    pub names: Vec<String>,
    /// Rows of the whole weight; 1 for a vector.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// What it is used for.
    pub usage: Use,
    /// Where it stands.
    pub place: Place,
    /// How it starts.
    pub init: Init,
    /// Whether the Trainer decays it: all but biases and normalisations
    /// (`transformers` 5.23 `trainer.py`, `get_decay_parameter_names`).
    pub decays: bool,
}

impl Parameter {
    /// The shape that each of its tensors has in a checkpoint.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        match self.usage {
            Use::Vector => vec![self.cols / self.names.len()],
            Use::Matrix | Use::Table => vec![self.rows / self.names.len(), self.cols],
        }
    }

    /// Elements of each of its tensors.
    #[must_use]
    pub fn tensor_len(&self) -> usize {
        self.rows * self.cols / self.names.len()
    }
}

/// All parameters of a network: embeddings, then each layer, then the head.
#[must_use]
pub fn parameters(config: &Config) -> Vec<Parameter> {
    let (names, prefix) = (&config.family.names, config.family.prefix);
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    let mut list = List(Vec::new());

    let at = Place::Embeddings;
    list.table(format!("{prefix}{}", names.words), config.vocab_size, hidden);
    list.table(format!("{prefix}{}", names.positions), config.max_position_embeddings, hidden);
    if let Some(types) = names.types {
        list.table(format!("{prefix}{types}"), config.type_vocab_size, hidden);
    }
    list.norm(at, format!("{prefix}{}", names.embeddings_norm), hidden);
    for layer in 0..config.num_hidden_layers {
        let at = Place::Layer(layer);
        let name = |name: &str| format!("{prefix}{}", name.replace("{}", &layer.to_string()));
        list.linear(at, &names.qkv.map(name), hidden, hidden);
        list.linear(at, &[name(names.attention_output)], hidden, hidden);
        list.norm(at, name(names.attention_norm), hidden);
        list.linear(at, &[name(names.intermediate)], inner, hidden);
        list.linear(at, &[name(names.output)], hidden, inner);
        list.norm(at, name(names.output_norm), hidden);
    }
    list.linear(Place::Head, &[names.head_dense.to_owned()], hidden, hidden);
    list.linear(Place::Head, &[names.classifier.to_owned()], config.num_labels(), hidden);
    list.0
}

struct List(Vec<Parameter>);

impl List {
    fn table(&mut self, name: String, rows: usize, cols: usize) {
        let names = vec![format!("{name}.weight")];
        let (usage, place, init) = (Use::Table, Place::Embeddings, Init::Normal);
        self.0.push(Parameter { names, rows, cols, usage, place, init, decays: true });
    }

    fn vector(&mut self, place: Place, names: Vec<String>, len: usize, init: Init) {
        let cols = len * names.len();
        self.0.push(Parameter { names, rows: 1, cols, usage: Use::Vector, place, init, decays: false });
    }

    fn norm(&mut self, place: Place, name: String, len: usize) {
        self.vector(place, vec![format!("{name}.weight")], len, Init::Ones);
        self.vector(place, vec![format!("{name}.bias")], len, Init::Zeros);
    }

    fn linear(&mut self, place: Place, names: &[String], outputs: usize, inputs: usize) {
        let with = |ending: &str| names.iter().map(|name| format!("{name}.{ending}")).collect::<Vec<_>>();
        self.0.push(Parameter {
            names: with("weight"),
            rows: outputs * names.len(),
            cols: inputs,
            usage: Use::Matrix,
            place,
            init: Init::Normal,
            decays: true,
        });
        self.vector(place, with("bias"), outputs, Init::Zeros);
    }
}
