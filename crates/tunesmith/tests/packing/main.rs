//! `tunesmith pack` and `unpack` as their users meet them: a run becomes one file, and every command takes that file.

#[path = "../running/bench.rs"]
#[expect(dead_code, reason = "not everything of the bench is needed here")]
mod bench;
mod using;
mod what;
