//! What every backend promises.
//!
//! `finite_differences` holds each backward of the reference against its forward, `agreement` holds the CPU backend
//! against the reference, `first_queries` holds attention of first rows against that of all. `invariance` holds the CPU
//! backend against itself, bit for bit: any number of threads, any batch, any instruction set; `cuts` does so for a batch
//! in pieces, whose cutting `layout` looks at. `gradients`, `frozen` and `tables` cover what a weight remembers from one
//! step to the next, `bytes` the linear layers that answer without learning, `not_finite` what becomes of numbers that are
//! none, `settings` which backends there are.
//!
//! All of them draw numbers from `numbers`; several run the same `operations`.

mod agreement;
mod bytes;
mod cuts;
mod finite_differences;
mod first_queries;
mod frozen;
mod gradients;
mod invariance;
mod layout;
mod not_finite;
mod numbers;
mod operations;
mod settings;
mod tables;
