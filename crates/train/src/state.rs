//! What a run remembers beside its weights and moments, kept as `trainer_state.json`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::TrainingArguments;

/// The state of a run after `global_step` steps. Everything that a resumed run needs to go on as if nothing had
/// happened, and the history that `transformers` keeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainerState {
    /// Steps done.
    pub global_step: u64,
    /// The best value of `metric_for_best_model` so far.
    pub best_metric: Option<f64>,
    /// The step it was reached at.
    pub best_global_step: Option<u64>,
    /// Evaluations since the metric last got better by more than the threshold.
    pub evaluations_without_progress: usize,
    /// Whether the evaluation that is due after `global_step` has yet to be made.
    pub evaluation_pending: bool,
    /// Sum of the losses of the steps since the last log.
    pub loss_since_log: f64,
    /// The steps since the last log.
    pub steps_since_log: u64,
    /// Sum of the losses of the steps since the last stretch that the journal was told of.
    pub loss_of_stretch: f64,
    /// The steps since then.
    pub steps_of_stretch: u64,
    /// Sum of the losses of all steps.
    pub total_loss: f64,
    /// Tokens read so far.
    pub tokens_seen: u64,
    /// Seconds trained before the last resume.
    pub seconds_before: f64,
    /// Every log and evaluation, in order.
    pub log_history: Vec<Map<String, Value>>,
}

impl TrainerState {
    /// Mean loss over all steps.
    #[must_use]
    pub fn mean_loss(&self) -> f64 {
        self.total_loss / self.global_step.max(1) as f64
    }

    /// The content of `trainer_state.json`: the keys of `transformers` 5.23, and under `tunesmith` what a resume needs
    /// beyond them. `flops_per_token` is for `total_flos`.
    #[must_use]
    pub fn to_json(
        &self,
        arguments: &TrainingArguments,
        (total_steps, steps_per_epoch): (u64, u64),
        best_model_checkpoint: Option<String>,
        flops_per_token: f64,
    ) -> Value {
        json!({
            "best_global_step": self.best_global_step,
            "best_metric": self.best_metric,
            "best_model_checkpoint": best_model_checkpoint,
            "epoch": self.global_step as f64 / steps_per_epoch as f64,
            "eval_steps": arguments.eval_steps_of(total_steps),
            "global_step": self.global_step,
            "is_hyper_param_search": false,
            "is_local_process_zero": true,
            "is_world_process_zero": true,
            "log_history": self.log_history,
            "logging_steps": arguments.logging_steps_of(total_steps),
            "max_steps": total_steps,
            "num_input_tokens_seen": self.tokens_seen,
            "num_train_epochs": total_steps.div_ceil(steps_per_epoch),
            "save_steps": arguments.save_steps_of(total_steps),
            "stateful_callbacks": {},
            "total_flos": flops_per_token * self.tokens_seen as f64,
            "train_batch_size": arguments.per_device_train_batch_size,
            "trial_name": null,
            "trial_params": null,
            "tunesmith": {
                "evaluations_without_progress": self.evaluations_without_progress,
                "evaluation_pending": self.evaluation_pending,
                "loss_since_log": self.loss_since_log,
                "steps_since_log": self.steps_since_log,
                "loss_of_stretch": self.loss_of_stretch,
                "steps_of_stretch": self.steps_of_stretch,
                "total_loss": self.total_loss,
                "seconds_before": self.seconds_before,
            },
        })
    }

    /// Understands what [`TrainerState::to_json`] wrote; the error says what is missing.
    ///
    /// # Errors
    /// A key that is missing or of another type.
    pub fn from_json(json: &Value) -> Result<Self, serde_json::Error> {
        let own = &json["tunesmith"];
        serde_json::from_value(json!({
            "global_step": json["global_step"],
            "best_metric": json["best_metric"],
            "best_global_step": json["best_global_step"],
            "log_history": json["log_history"],
            "tokens_seen": json["num_input_tokens_seen"],
            "evaluations_without_progress": own["evaluations_without_progress"],
            "evaluation_pending": own["evaluation_pending"],
            "loss_since_log": own["loss_since_log"],
            "steps_since_log": own["steps_since_log"],
            "loss_of_stretch": own["loss_of_stretch"],
            "steps_of_stretch": own["steps_of_stretch"],
            "total_loss": own["total_loss"],
            "seconds_before": own["seconds_before"],
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_to_the_last_bit() {
        let state = TrainerState {
            global_step: 7,
            best_metric: Some(0.1 + 0.2),
            best_global_step: Some(5),
            evaluations_without_progress: 2,
            evaluation_pending: true,
            loss_since_log: std::f64::consts::PI / 3.0,
            steps_since_log: 3,
            loss_of_stretch: std::f64::consts::E / 3.0,
            steps_of_stretch: 2,
            total_loss: 1.0 / 3.0,
            tokens_seen: 1234,
            seconds_before: 0.7,
            log_history: vec![json!({"loss": 1.0 / 7.0, "step": 5}).as_object().unwrap().clone()],
        };
        let text = state.to_json(&TrainingArguments::default(), (9, 3), None, 6.0).to_string();
        assert_eq!(TrainerState::from_json(&serde_json::from_str(&text).unwrap()).unwrap(), state);
    }
}
