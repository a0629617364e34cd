//! What every backend promises.
//!
//! `finite_differences` holds each backward of the reference against its forward, `agreement` holds the CPU backend
//! against the reference, `frozen` covers weights that do not learn, and `invariance` holds the CPU backend against
//! itself, bit for bit: any number of threads, any batch, any instruction set. All of them draw numbers from `numbers`;
//! `agreement` and `invariance` run the same `operations`.

mod agreement;
mod finite_differences;
mod frozen;
mod invariance;
mod numbers;
mod operations;
