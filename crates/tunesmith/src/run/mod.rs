//! A run as others will know it: what it is ([`info`]), who hears of it ([`listener`]), what it takes of the machine
//! ([`meter`]), and what it predicted row by row ([`predictions`]).

pub(crate) mod info;
pub(crate) mod listener;
mod meter;
pub(crate) mod predictions;
