//! The learning rate over the run.

use crate::SchedulerType;

/// What the learning rate is multiplied by in step `step`, counted from 0, of `total_steps`
/// (`transformers` 5.23 `optimization.py`).
#[must_use]
pub fn multiplier(kind: SchedulerType, step: u64, warmup_steps: u64, total_steps: u64) -> f64 {
    if kind == SchedulerType::Constant {
        return 1.0;
    }
    if step < warmup_steps {
        return step as f64 / warmup_steps.max(1) as f64;
    }
    let decaying = total_steps.saturating_sub(warmup_steps).max(1) as f64;
    match kind {
        SchedulerType::Linear => total_steps.saturating_sub(step) as f64 / decaying,
        SchedulerType::Cosine => {
            let progress = (step - warmup_steps) as f64 / decaying;
            (0.5 * (1.0 + (std::f64::consts::PI * progress).cos())).max(0.0)
        }
        SchedulerType::Constant | SchedulerType::ConstantWithWarmup => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference computes in double precision too: what differs is the rounding of one division or cosine.
    #[test]
    fn multipliers_are_those_of_transformers() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/fixtures/schedules.json");
        let fixture: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let cases = fixture["cases"].as_array().unwrap();
        assert!(cases.len() >= 8, "{} cases", cases.len());
        for case in cases {
            let kind: SchedulerType = serde_json::from_value(case["lr_scheduler_type"].clone()).unwrap();
            let number = |key: &str| case[key].as_u64().unwrap();
            for (step, expected) in (0..).zip(case["multiplier"].as_array().unwrap()) {
                let got = multiplier(kind, step, number("warmup_steps"), number("total_steps"));
                let expected = expected.as_f64().unwrap();
                assert!((got - expected).abs() < 1e-15, "{kind:?} step {step}: {got}, expected {expected}");
            }
        }
    }
}
