//! The baseline as those who use the crate meet it.

mod golden;
mod hostile;
mod invariance;
