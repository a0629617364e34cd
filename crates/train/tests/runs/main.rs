//! Whole training runs of a tiny model: what they learn, write, survive and refuse.

mod accumulation;
mod checkpoints;
mod dynamics;
mod evaluation;
mod files;
mod killed;
mod not_finite;
mod other_run;
mod resume;
mod stretches;
mod tiny;
