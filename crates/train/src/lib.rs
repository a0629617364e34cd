//! See the crate's description.

mod arguments;
pub mod metrics;

pub use arguments::*;
