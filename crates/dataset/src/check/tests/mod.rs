//! Data sets with known faults, sound ones, and those that would break a careless search.

pub(in crate::check) mod data;
mod findings;
mod hostile;
mod planted;
