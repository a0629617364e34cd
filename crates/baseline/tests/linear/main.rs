//! The baseline as those who use the crate meet it.

mod golden;
mod held_out;
mod hostile;
mod invariance;
