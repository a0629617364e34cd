//! The vocabulary: every kind of thing that a run can say. How it is shown or kept is not decided here.

use std::fmt;
use std::path::PathBuf;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Figures by name in the order in which they are to be shown. Names carry no split: `f1`, not `eval_f1`.
pub type Metrics = IndexMap<String, f64>;

/// Which rows an evaluation looked at, spelled as the prefix that `transformers` gives to metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// The validation rows: the only ones that may decide anything.
    Eval,
    /// The test rows: reported, never selected by.
    Test,
}

impl Split {
    /// `eval` or `test`, as in `eval_loss` and `test_loss`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eval => "eval",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Every planned step was done.
    Completed,
    /// The metric did not get better for `early_stopping_patience` evaluations.
    EarlyStopped,
    /// Somebody asked for the end; a checkpoint was written.
    Interrupted,
}

/// One thing that a run says. `epoch` counts passes over the training rows: 1.5 is the middle of the second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Training is about to take its first step.
    TrainBegin {
        /// Optimiser steps of the whole run, those before a resume included.
        total_steps: u64,
        /// Steps already done: 0, or where a resumed run goes on.
        start_step: u64,
        /// Planned passes over the training rows.
        num_train_epochs: f64,
        /// Training rows.
        train_samples: u64,
        /// Tokens in one pass over the training rows; there is no padding in this count.
        train_tokens_per_epoch: u64,
        /// The checkpoint that the run goes on from.
        resumed_from: Option<PathBuf>,
    },
    /// One optimiser step was taken. Sent after every step, for progress.
    Step {
        /// Steps done, this one included.
        step: u64,
        /// Optimiser steps of the whole run.
        total_steps: u64,
        /// Passes over the training rows so far.
        epoch: f64,
        /// Mean loss of this step's rows.
        loss: f64,
        /// Learning rate that this step used.
        learning_rate: f64,
        /// Norm of the whole gradient before clipping.
        grad_norm: f64,
        /// Tokens that this step read.
        tokens: u64,
        /// Rows that this step read.
        samples: u64,
        /// Time that this step took, evaluation and checkpoints not counted.
        seconds: f64,
    },
    /// What goes to the log every `logging_steps`.
    Log {
        /// Steps done.
        step: u64,
        /// Passes over the training rows so far.
        epoch: f64,
        /// Mean loss since the last log.
        loss: f64,
        /// Learning rate that the last step used.
        learning_rate: f64,
        /// Norm of the last step's gradient before clipping.
        grad_norm: f64,
    },
    /// An evaluation is about to begin.
    EvaluateBegin {
        /// Which rows it looks at.
        split: Split,
        /// How many rows.
        samples: u64,
    },
    /// An evaluation has read some more of its rows.
    EvaluateProgress {
        /// Which rows it looks at.
        split: Split,
        /// Tokens read so far.
        done_tokens: u64,
        /// Tokens of the whole split.
        total_tokens: u64,
    },
    /// An evaluation is done.
    Evaluate {
        /// Which rows it looked at.
        split: Split,
        /// Training steps done before it.
        step: u64,
        /// Passes over the training rows before it.
        epoch: f64,
        /// What came out.
        metrics: Metrics,
        /// Seconds it took.
        runtime: f64,
    },
    /// A checkpoint stands complete on the disk.
    Checkpoint {
        /// Training steps it holds.
        step: u64,
        /// Its folder.
        path: PathBuf,
        /// Whether it is the best so far by `metric_for_best_model`.
        best: bool,
    },
    /// Something that the user should read.
    Notice {
        /// One sentence.
        message: String,
    },
    /// Training is over.
    TrainEnd {
        /// Why it ended.
        reason: EndReason,
        /// Steps done.
        step: u64,
        /// Passes over the training rows.
        epoch: f64,
        /// Seconds from the first step to the end, evaluation and checkpoints included.
        train_runtime: f64,
        /// Mean loss over all steps.
        train_loss: f64,
        /// Step of the best model, where one was selected.
        best_step: Option<u64>,
        /// `metric_for_best_model` at that step.
        best_metric: Option<f64>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_tagged_in_snake_case() {
        let event = Event::EvaluateProgress { split: Split::Test, done_tokens: 3, total_tokens: 9 };
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"event":"evaluate_progress","split":"test","done_tokens":3,"total_tokens":9}"#
        );
    }

    #[test]
    fn an_evaluation_comes_back_with_its_metrics_in_order() {
        let metrics = [("loss", 0.25), ("f1", 0.75), ("accuracy", 0.5)];
        let event = Event::Evaluate {
            split: Split::Eval,
            step: 20,
            epoch: 0.5,
            metrics: metrics.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
            runtime: 1.5,
        };
        let text = serde_json::to_string(&event).unwrap();
        assert!(text.contains(r#"{"loss":0.25,"f1":0.75,"accuracy":0.5}"#), "{text}");
        let Event::Evaluate { metrics: back, .. } = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
        assert_eq!(back.keys().collect::<Vec<_>>(), ["loss", "f1", "accuracy"]);
    }

    #[test]
    fn an_end_keeps_its_reason_and_its_absent_best() {
        let event = Event::TrainEnd {
            reason: EndReason::EarlyStopped,
            step: 7,
            epoch: 1.0,
            train_runtime: 2.0,
            train_loss: 0.5,
            best_step: None,
            best_metric: None,
        };
        let text = serde_json::to_string(&event).unwrap();
        assert!(text.contains(r#""reason":"early_stopped""#) && text.contains(r#""best_step":null"#), "{text}");
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
    }
}
