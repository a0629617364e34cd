//! Bringing files to a stand-in for the Hub.

mod access;
mod bench;
mod commits;
mod faults;
