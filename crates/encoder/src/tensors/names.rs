//! Old spellings of tensor names.

/// Checkpoints converted from TensorFlow before 2019 call a layer norm's weight `gamma` and its bias `beta`;
/// `transformers` reads both, and so does this.
const RENAMED: [(&str, &str); 2] = [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")];

/// The name as it is spelled today.
pub(super) fn normalise(name: &str) -> String {
    RENAMED
        .iter()
        .find_map(|(old, new)| name.strip_suffix(old).map(|path| format!("{path}{new}")))
        .unwrap_or_else(|| name.to_owned())
}
