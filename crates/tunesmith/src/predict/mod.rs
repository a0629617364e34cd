//! The parts of `tunesmith predict`: rows come in ([`rows`]), get columns ([`added`]) and go out in some form ([`form`]).
//!
//! Each part holds a chunk of rows at most, as large as [`pace`] says. What ties them together is [`crate::predict_command`].

pub(crate) mod abstain;
pub(crate) mod added;
pub(crate) mod form;
pub(crate) mod pace;
pub(crate) mod progress;
pub(crate) mod rows;
pub(crate) mod thresholds;
