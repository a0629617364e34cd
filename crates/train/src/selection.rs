//! Which evaluation is the best, and how long none has been better.

use crate::{TrainerState, TrainingArguments};

/// Notes an evaluation's metric; says whether it is the best so far. The first of equals stays the best, and patience
/// counts what did not get better by more than the threshold (`transformers` 5.23, `EarlyStoppingCallback`).
pub(crate) fn select(state: &mut TrainerState, arguments: &TrainingArguments, value: f64) -> bool {
    let is_better = |best: f64| if arguments.best_is_greater() { value > best } else { value < best };
    let progress = state
        .best_metric
        .is_none_or(|best| is_better(best) && (value - best).abs() > arguments.early_stopping_threshold);
    state.evaluations_without_progress = if progress { 0 } else { state.evaluations_without_progress + 1 };
    let is_best = state.best_metric.is_none_or(is_better);
    if is_best {
        state.best_metric = Some(value);
        state.best_global_step = Some(state.global_step);
    }
    is_best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Evaluations at steps 10, 20, …; returns what was the best after each: its step, and the evaluations since the
    /// last progress.
    fn run(metric: &str, threshold: f64, values: &[f64]) -> Vec<(u64, usize)> {
        let arguments = TrainingArguments {
            metric_for_best_model: Some(metric.into()),
            early_stopping_threshold: threshold,
            ..TrainingArguments::default()
        };
        let mut state = TrainerState::default();
        let select = |value: &f64| {
            state.global_step += 10;
            let was = state.best_global_step;
            let is_best = select(&mut state, &arguments, *value);
            assert_eq!(is_best, state.best_global_step != was);
            (state.best_global_step.unwrap(), state.evaluations_without_progress)
        };
        values.iter().map(select).collect()
    }

    #[test]
    fn a_score_is_better_when_it_is_more_and_the_first_of_equals_stays() {
        let best = run("eval_f1", 0.0, &[0.5, 0.5, 0.7, 0.6, 0.7, 0.8]);
        assert_eq!(best, [(10, 0), (10, 1), (30, 0), (30, 1), (30, 2), (60, 0)]);
    }

    #[test]
    fn a_loss_is_better_when_it_is_less() {
        assert_eq!(run("loss", 0.0, &[0.9, 0.4, 0.5, 0.3]), [(10, 0), (20, 0), (20, 1), (40, 0)]);
    }

    /// A little better is the best all the same, but no reason to be patient: each is compared with the best before it.
    #[test]
    fn patience_wants_more_than_the_threshold() {
        let best = run("accuracy", 0.125, &[0.5, 0.5625, 0.625, 0.75, 0.875, 1.0]);
        assert_eq!(best, [(10, 0), (20, 1), (30, 2), (40, 3), (50, 4), (60, 5)], "exactly the threshold is not more");
        assert_eq!(run("accuracy", 0.125, &[0.5, 0.75, 0.8125]), [(10, 0), (20, 0), (30, 1)]);
    }
}
