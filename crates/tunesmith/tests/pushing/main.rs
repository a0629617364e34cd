//! `tunesmith push` as its users meet it, against a stand-in for the Hub.

#[path = "../running/bench.rs"]
#[expect(dead_code, reason = "not everything of the bench is needed here")]
mod bench;
mod killing;
mod scene;
mod telling;
