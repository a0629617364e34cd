//! Weights in and out: from a checkpoint's tensors, or new ones as `transformers` initialises them.

use kernels::{Backend, Part};

use crate::parameters::{Init, Parameter, parameters};
use crate::tensors::{TensorError, TensorFolder, write_safetensors};
use crate::{Config, Network};

/// The values of all parameters of a network, in the order of [`parameters()`].
#[derive(Clone, Debug, PartialEq)]
pub struct Values(pub(crate) Vec<Vec<f32>>);

/// What a checkpoint had and lacked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Weights the checkpoint lacks, which start anew.
    pub newly_initialized: Vec<String>,
    /// Tensors of the checkpoint that this network has no place for.
    pub unused: Vec<String>,
    /// Classifier weights of another number of classes, which start anew: name, found and expected shape.
    pub mismatched: Vec<String>,
}

impl Values {
    /// New values for all parameters: the same for the same `seed`.
    #[must_use]
    pub fn new(config: &Config, seed: u64) -> Self {
        Self(parameters(config).iter().map(|parameter| fresh(parameter, config.initializer_range, seed)).collect())
    }

    /// The values of a checkpoint, with new ones for what it lacks. A checkpoint of the bare encoder, whose names lack
    /// the family's prefix, is understood as `transformers` does. The classifier starts anew where `relabel` is set
    /// and its shape is another.
    ///
    /// # Errors
    /// A tensor of a wrong shape or type, a damaged file.
    pub fn load(
        config: &Config,
        folder: &TensorFolder,
        seed: u64,
        relabel: bool,
    ) -> Result<(Self, LoadReport), TensorError> {
        let prefix = config.family.prefix;
        let mut report = LoadReport::default();
        let mut used = std::collections::HashSet::new();
        let mut values = Vec::new();
        for parameter in parameters(config) {
            let shape = parameter.shape();
            // Nothing of a size that only the configuration claims is allocated before the file agrees.
            let mut new = None;
            let mut value = Vec::new();
            for (index, name) in parameter.names.iter().enumerate() {
                let bare = name.strip_prefix(prefix).unwrap_or(name);
                let in_file = [name.as_str(), bare].into_iter().find(|name| folder.contains(name));
                let mut start_anew = |value: &mut Vec<f32>| {
                    let new = new.get_or_insert_with(|| fresh(&parameter, config.initializer_range, seed));
                    value.extend_from_slice(&new[index * parameter.tensor_len()..][..parameter.tensor_len()]);
                };
                let Some(in_file) = in_file else {
                    report.newly_initialized.push(name.clone());
                    start_anew(&mut value);
                    continue;
                };
                used.insert(in_file.to_owned());
                let found = folder.shape(in_file).unwrap_or_default();
                let is_classifier = in_file.starts_with(config.family.names.classifier);
                if relabel && is_classifier && found != shape {
                    report.mismatched.push(format!("{in_file}: found {found:?}, expected {shape:?}"));
                    start_anew(&mut value);
                } else if value.is_empty() {
                    value = folder.read_f32_shaped(in_file, &shape)?;
                } else {
                    value.extend(folder.read_f32_shaped(in_file, &shape)?);
                }
            }
            values.push(value);
        }
        report.unused = folder.names().filter(|name| !used.contains(*name)).map(str::to_owned).collect();
        Ok((Self(values), report))
    }
}

impl<B: Backend> Network<B> {
    /// Writes all weights to `path` as `save_pretrained` names them.
    ///
    /// # Errors
    /// Where the file cannot be written; nothing is left behind then.
    pub fn save(&self, path: &std::path::Path) -> Result<(), TensorError> {
        let tensors: Vec<_> = self.tensors(Part::Value).collect();
        let borrowed = tensors.iter().map(|(name, shape, values)| (*name, &shape[..], &values[..]));
        write_safetensors(path, &[("format", "pt")], borrowed)
    }
}

/// New values of one parameter: a function of the seed and its first name alone.
fn fresh(parameter: &Parameter, standard_deviation: f32, seed: u64) -> Vec<f32> {
    let len = parameter.rows * parameter.cols;
    match parameter.init {
        Init::Zeros => vec![0.0; len],
        Init::Ones => vec![1.0; len],
        Init::Normal => {
            let mut state = parameter.names[0].bytes().fold(seed ^ 0x746E_7573_6D69_7468, |state, byte| {
                (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
            });
            (0..len).map(|_| standard_normal(&mut state) * standard_deviation).collect()
        }
    }
}

/// The next draw of a standard normal by Box and Muller (1958), of SplitMix64 numbers.
#[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
fn standard_normal(state: &mut u64) -> f32 {
    let mut uniform = || {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        // 53 bits, and never 0, whose logarithm is infinite.
        (((z ^ (z >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let (radius, angle) = (uniform(), uniform());
    // `libm` and not `std`: the same bits on every system.
    (libm::sqrt(-2.0 * libm::log(radius)) * libm::cos(std::f64::consts::TAU * angle)) as f32
}
