//! The commands that ask a model, run as programs on a small one.

mod desk;
mod evaluate;
mod predict;
