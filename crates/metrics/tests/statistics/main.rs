//! Intervals, tests, curves, calibration and thresholds, as those who use the crate meet them.

mod fixtures;
mod golden;
mod hostile;
mod properties;
