//! Products and attention in f32, with a library's matrix product, for every processor.

mod attention;
mod product;

pub(super) use attention::{backward as attention_backward, forward as attention_forward};
pub(super) use product::{rows_times, transpose, transposed_times};
