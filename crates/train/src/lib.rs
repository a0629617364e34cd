//! See the crate's description.

mod arguments;

pub use arguments::*;
