//! Linear layers on bytes, for answering: int8 weights and activations with i32 sums.
//!
//! A weight is quantised once, each output with a scale of its own (symmetric, -127 to 127). Rows of activations are
//! quantised when they are multiplied, each with its own scale and zero point (0 to 255): what a text gets does not
//! depend on its company. With x = s (q - z) and w = t v, a sum over x w is s t (Σ q v - z Σ v), where Σ v is known
//! beforehand. Per-row dynamic quantisation as in arXiv 2206.01861; nothing is calibrated.

mod product;
mod quantize;

pub(super) use product::{Workspace, forward};
pub(super) use quantize::Quantized;
