//! What must hold of every network: its gradients are those of its loss, its bits depend on nothing but weights and
//! texts, and it comes from and goes to files as it is.

mod config;
mod finite_differences;
mod invariance;
mod loading;
mod pieces;
mod small;
mod step;
