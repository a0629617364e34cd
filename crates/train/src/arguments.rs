//! How to train, as data: named and defaulted as `transformers.TrainingArguments` of version 5.23.0.
//!
//! It owns the settings, what each may be, and the few figures that follow from them and the number of rows. It does
//! not own flags and recipes (the program's) nor what is done with the settings (the loop's).
//!
//! Differences from `transformers`, all on purpose: the best weights are kept at the evaluation that found them, so
//! `save_steps` need not be a multiple of `eval_steps`; early stopping is two settings here and a callback there;
//! class weights and freezing have no counterpart there.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the learning rate moves over the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchedulerType {
    /// Up over the warmup, then down to zero in a straight line.
    #[default]
    Linear,
    /// Up over the warmup, then down to zero along half a cosine.
    Cosine,
    /// The same from the first step to the last; a warmup is passed over, as there.
    Constant,
    /// Up over the warmup, then the same to the end.
    ConstantWithWarmup,
}

/// When something is done again: never, every so many steps, or after each pass over the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalStrategy {
    /// Never.
    No,
    /// Every so many steps; what is saved or evaluated so is also at the last one.
    #[default]
    Steps,
    /// After each pass over the training rows.
    Epoch,
}

/// How much each class counts in the loss.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "WrittenWeights", try_from = "WrittenWeights")]
pub enum ClassWeights {
    /// Every row counts the same.
    #[default]
    None,
    /// Rows of a class count as `rows / (classes * rows of the class)`, as scikit-learn's `balanced` does.
    Balanced,
    /// One weight per class in the order of the labels.
    Given(Vec<f64>),
}

/// [`ClassWeights`] as a file spells them: a word or a list.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenWeights {
    Word(String),
    List(Vec<f64>),
}

/// A setting that cannot be trained with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{flag} is {value}, expected {allowed}")]
pub struct ArgumentError {
    /// The flag as one would type it, `--learning-rate`.
    pub flag: String,
    /// What was given.
    pub value: String,
    /// What it may be.
    pub allowed: String,
}

impl ArgumentError {
    fn new(name: &str, value: impl fmt::Display, allowed: impl Into<String>) -> Self {
        Self { flag: format!("--{}", name.replace('_', "-")), value: value.to_string(), allowed: allowed.into() }
    }
}

/// Everything that decides how a model is trained, but for the rows and the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingArguments {
    /// Peak learning rate of AdamW.
    pub learning_rate: f64,
    /// Decoupled weight decay; biases and normalisations are left out, as the Trainer leaves them out.
    pub weight_decay: f64,
    /// Decay of AdamW's first moment.
    pub adam_beta1: f64,
    /// Decay of AdamW's second moment.
    pub adam_beta2: f64,
    /// AdamW's epsilon.
    pub adam_epsilon: f64,
    /// Largest norm of the whole gradient; 0 leaves it as it is.
    pub max_grad_norm: f64,
    /// How the learning rate moves.
    pub lr_scheduler_type: SchedulerType,
    /// Steps of warmup; below 1, a share of all steps. See [`Self::warmup_steps_of`].
    pub warmup_steps: f64,
    /// Passes over the training rows; a fraction ends in the middle of one.
    pub num_train_epochs: f64,
    /// Optimiser steps, whatever the epochs say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u64>,
    /// Rows in a training batch.
    pub per_device_train_batch_size: usize,
    /// Rows in an evaluation batch; it changes speed and memory, never the figures.
    pub per_device_eval_batch_size: usize,
    /// Batches whose gradients make one step.
    pub gradient_accumulation_steps: usize,
    /// Share of each target that is spread evenly over all classes.
    pub label_smoothing_factor: f64,
    /// How much each class counts.
    pub class_weights: ClassWeights,
    /// Layers, counted from the input, that keep their weights.
    pub freeze_layers: usize,
    /// Whether the embeddings keep their weights.
    pub freeze_embeddings: bool,
    /// Whether everything below the classification head keeps its weights.
    pub head_only: bool,
    /// When to evaluate.
    pub eval_strategy: IntervalStrategy,
    /// Steps between evaluations; below 1, a share of all steps; `logging_steps` if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_steps: Option<f64>,
    /// When to log.
    pub logging_strategy: IntervalStrategy,
    /// Steps between logs; below 1, a share of all steps.
    pub logging_steps: f64,
    /// Whether the first step is logged too.
    pub logging_first_step: bool,
    /// When to write a checkpoint.
    pub save_strategy: IntervalStrategy,
    /// Steps between checkpoints; below 1, a share of all steps.
    pub save_steps: f64,
    /// How many checkpoints to keep; the best and the newest always stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_total_limit: Option<usize>,
    /// Whether the run ends with the weights of its best evaluation and not with its last.
    pub load_best_model_at_end: bool,
    /// The metric that says what is best, with or without `eval_`; `loss` if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_for_best_model: Option<String>,
    /// Whether more of it is better; if not given, yes unless the metric's name ends with `loss`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greater_is_better: Option<bool>,
    /// Evaluations without a better metric after which to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping_patience: Option<usize>,
    /// How much better is better, for early stopping.
    pub early_stopping_threshold: f64,
    /// Key of everything random: the head's first weights, dropout, the order of rows.
    pub seed: u64,
}

impl Default for TrainingArguments {
    fn default() -> Self {
        Self {
            learning_rate: 5e-5,
            weight_decay: 0.0,
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: 1e-8,
            max_grad_norm: 1.0,
            lr_scheduler_type: SchedulerType::Linear,
            warmup_steps: 0.0,
            num_train_epochs: 3.0,
            max_steps: None,
            per_device_train_batch_size: 8,
            per_device_eval_batch_size: 8,
            gradient_accumulation_steps: 1,
            label_smoothing_factor: 0.0,
            class_weights: ClassWeights::None,
            freeze_layers: 0,
            freeze_embeddings: false,
            head_only: false,
            eval_strategy: IntervalStrategy::No,
            eval_steps: None,
            logging_strategy: IntervalStrategy::Steps,
            logging_steps: 500.0,
            logging_first_step: false,
            save_strategy: IntervalStrategy::Steps,
            save_steps: 500.0,
            save_total_limit: None,
            load_best_model_at_end: false,
            metric_for_best_model: None,
            greater_is_better: None,
            early_stopping_patience: None,
            early_stopping_threshold: 0.0,
            seed: 42,
        }
    }
}

impl TrainingArguments {
    /// Says whether one can train with these settings, as far as that can be told without rows and model.
    ///
    /// # Errors
    /// The first setting that is out of its range or at odds with another.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        for (name, value) in [
            ("learning_rate", self.learning_rate),
            ("weight_decay", self.weight_decay),
            ("max_grad_norm", self.max_grad_norm),
            ("early_stopping_threshold", self.early_stopping_threshold),
        ] {
            require(value.is_finite() && value >= 0.0, name, value, "a number that is not negative")?;
        }
        for (name, value) in [("adam_epsilon", self.adam_epsilon), ("num_train_epochs", self.num_train_epochs)] {
            require(value.is_finite() && value > 0.0, name, value, "a number greater than 0")?;
        }
        for (name, value) in [
            ("adam_beta1", self.adam_beta1),
            ("adam_beta2", self.adam_beta2),
            ("label_smoothing_factor", self.label_smoothing_factor),
        ] {
            require((0.0..1.0).contains(&value), name, value, "a number from 0 up to but not including 1")?;
        }
        for (name, value) in [
            ("per_device_train_batch_size", self.per_device_train_batch_size),
            ("per_device_eval_batch_size", self.per_device_eval_batch_size),
            ("gradient_accumulation_steps", self.gradient_accumulation_steps),
        ] {
            require(value > 0, name, value, "a whole number of at least 1")?;
        }
        require(self.max_steps != Some(0), "max_steps", 0, "a whole number of at least 1")?;
        require(self.save_total_limit != Some(0), "save_total_limit", 0, "a whole number of at least 1")?;
        require(self.early_stopping_patience != Some(0), "early_stopping_patience", 0, "a whole number of at least 1")?;
        require(
            self.warmup_steps == 0.0 || is_interval(self.warmup_steps),
            "warmup_steps",
            self.warmup_steps,
            "a whole number of steps, or a share of them below 1",
        )?;
        self.validate_intervals()?;
        self.validate_selection()?;
        self.validate_class_weights()
    }

    fn validate_intervals(&self) -> Result<(), ArgumentError> {
        for (name, value) in [
            ("logging_steps", Some(self.logging_steps)),
            ("eval_steps", self.eval_steps),
            ("save_steps", Some(self.save_steps)),
        ] {
            if let Some(value) = value {
                require(
                    is_interval(value),
                    name,
                    value,
                    "a whole number of steps of at least 1, or a share of all steps between 0 and 1",
                )?;
            }
        }
        Ok(())
    }

    fn validate_selection(&self) -> Result<(), ArgumentError> {
        let evaluates = self.eval_strategy != IntervalStrategy::No;
        require(
            evaluates || !self.load_best_model_at_end,
            "eval_strategy",
            self.eval_strategy,
            "steps or epoch, because --load-best-model-at-end needs evaluations to choose from",
        )?;
        require(
            evaluates || self.early_stopping_patience.is_none(),
            "eval_strategy",
            self.eval_strategy,
            "steps or epoch, because --early-stopping-patience counts evaluations",
        )
    }

    fn validate_class_weights(&self) -> Result<(), ArgumentError> {
        let ClassWeights::Given(weights) = &self.class_weights else { return Ok(()) };
        require(
            !weights.is_empty()
                && weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0)
                && weights.iter().any(|weight| *weight > 0.0),
            "class_weights",
            &self.class_weights,
            "none, balanced, or one number per class, none of them negative and not all of them 0",
        )
    }

    /// Says whether the settings fit a model of `classes` classes.
    ///
    /// # Errors
    /// Class weights of another number.
    pub fn check_classes(&self, classes: usize) -> Result<(), ArgumentError> {
        let fine = !matches!(&self.class_weights, ClassWeights::Given(weights) if weights.len() != classes);
        require(fine, "class_weights", &self.class_weights, format!("one number for each of the {classes} classes"))
    }

    /// Optimiser steps in one pass over `train_samples` rows, the last one perhaps of fewer rows.
    pub fn steps_per_epoch(&self, train_samples: u64) -> u64 {
        // Trainer.set_initial_training_values of transformers 5.23.0.
        let batches = train_samples.div_ceil(self.per_device_train_batch_size as u64);
        batches.div_ceil(self.gradient_accumulation_steps as u64).max(1)
    }

    /// Optimiser steps of the whole run over `train_samples` rows.
    pub fn total_steps(&self, train_samples: u64) -> u64 {
        self.max_steps
            .unwrap_or_else(|| (self.num_train_epochs * self.steps_per_epoch(train_samples) as f64).ceil() as u64)
    }

    /// Steps of warmup in a run of `total_steps`.
    pub fn warmup_steps_of(&self, total_steps: u64) -> u64 {
        // TrainingArguments.get_warmup_steps of transformers 5.23.0: cut off from 1 on, rounded up below.
        steps_of(self.warmup_steps, total_steps)
    }

    /// Steps between two logs in a run of `total_steps`.
    pub fn logging_steps_of(&self, total_steps: u64) -> u64 {
        steps_of(self.logging_steps, total_steps)
    }

    /// Steps between two evaluations in a run of `total_steps`.
    pub fn eval_steps_of(&self, total_steps: u64) -> u64 {
        steps_of(self.eval_steps.unwrap_or(self.logging_steps), total_steps)
    }

    /// Steps between two checkpoints in a run of `total_steps`.
    pub fn save_steps_of(&self, total_steps: u64) -> u64 {
        steps_of(self.save_steps, total_steps)
    }

    /// The metric that says what is best, without `eval_` before it.
    pub fn best_metric_name(&self) -> &str {
        let name = self.metric_for_best_model.as_deref().unwrap_or("loss");
        name.strip_prefix("eval_").unwrap_or(name)
    }

    /// Whether more of [`Self::best_metric_name`] is better.
    pub fn best_is_greater(&self) -> bool {
        self.greater_is_better.unwrap_or_else(|| !self.best_metric_name().ends_with("loss"))
    }
}

fn require(fine: bool, name: &str, value: impl fmt::Display, allowed: impl Into<String>) -> Result<(), ArgumentError> {
    if fine { Ok(()) } else { Err(ArgumentError::new(name, value, allowed)) }
}

/// Whether it is a whole number of steps, or a share of them.
fn is_interval(value: f64) -> bool {
    value.is_finite() && value > 0.0 && (value < 1.0 || value.fract() == 0.0)
}

fn steps_of(value: f64, total_steps: u64) -> u64 {
    if value < 1.0 { (total_steps as f64 * value).ceil() as u64 } else { value as u64 }
}

/// Reads and writes an enum of plain words, and says which there are when it meets another.
macro_rules! words {
    ($name:ident, $flag:literal, $($word:literal => $variant:ident),+) => {
        impl $name {
            /// Every spelling, in the order of the variants.
            pub const WORDS: &[&str] = &[$($word),+];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $word),+ })
            }
        }

        impl FromStr for $name {
            type Err = ArgumentError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(ArgumentError::new($flag, text, format!("one of {}", Self::WORDS.join(", ")))),
                }
            }
        }
    };
}

words!(
    SchedulerType, "lr_scheduler_type",
    "linear" => Linear, "cosine" => Cosine, "constant" => Constant, "constant_with_warmup" => ConstantWithWarmup
);
words!(IntervalStrategy, "strategy", "no" => No, "steps" => Steps, "epoch" => Epoch);

impl fmt::Display for ClassWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.pad("none"),
            Self::Balanced => f.pad("balanced"),
            Self::Given(weights) => f.pad(&weights.iter().map(f64::to_string).collect::<Vec<_>>().join(",")),
        }
    }
}

impl FromStr for ClassWeights {
    type Err = ArgumentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "balanced" => Ok(Self::Balanced),
            _ => text.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().map(Self::Given).map_err(
                |_| ArgumentError::new("class_weights", text, "none, balanced, or numbers with commas between them"),
            ),
        }
    }
}

impl From<ClassWeights> for WrittenWeights {
    fn from(weights: ClassWeights) -> Self {
        match weights {
            ClassWeights::Given(list) => Self::List(list),
            word => Self::Word(word.to_string()),
        }
    }
}

impl TryFrom<WrittenWeights> for ClassWeights {
    type Error = ArgumentError;

    fn try_from(written: WrittenWeights) -> Result<Self, Self::Error> {
        match written {
            WrittenWeights::Word(word) => word.parse(),
            WrittenWeights::List(list) => Ok(Self::Given(list)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut TrainingArguments)) -> String {
        let mut arguments = TrainingArguments::default();
        change(&mut arguments);
        arguments.validate().expect_err("should be refused").to_string()
    }

    #[test]
    fn the_defaults_are_those_of_the_trainer() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../../../golden/trainer_defaults.json")).unwrap();
        assert_eq!(golden["versions"]["transformers"], "5.23.0");
        let ours = serde_json::to_value(TrainingArguments::default()).unwrap();
        let mut compared = 0;
        for (name, theirs) in golden["defaults"].as_object().unwrap() {
            let Some(own) = ours.get(name) else { continue };
            let same = own == theirs || own.as_f64().is_some_and(|own| Some(own) == theirs.as_f64());
            assert!(same, "{name} is {own} here and {theirs} there");
            compared += 1;
        }
        assert_eq!(compared, 21, "every argument with a default that has a counterpart there");
        for absent in ["save_total_limit", "eval_steps", "metric_for_best_model", "greater_is_better"] {
            assert!(ours.get(absent).is_none() && golden["defaults"][absent].is_null(), "{absent}");
        }
        assert_eq!(golden["defaults"]["max_steps"], -1, "which is how it says that there is none");
    }

    #[test]
    fn the_defaults_are_fine() {
        assert_eq!(TrainingArguments::default().validate(), Ok(()));
    }

    #[test]
    fn what_is_out_of_range_is_named_with_its_value_and_what_is_allowed() {
        assert_eq!(
            refused(|a| a.learning_rate = -1.0),
            "--learning-rate is -1, expected a number that is not negative"
        );
        assert!(refused(|a| a.learning_rate = f64::NAN).starts_with("--learning-rate is NaN"));
        assert_eq!(
            refused(|a| a.adam_beta2 = 1.0),
            "--adam-beta2 is 1, expected a number from 0 up to but not including 1"
        );
        assert!(refused(|a| a.num_train_epochs = 0.0).starts_with("--num-train-epochs is 0"));
        assert!(refused(|a| a.per_device_train_batch_size = 0).starts_with("--per-device-train-batch-size is 0"));
        assert!(refused(|a| a.max_steps = Some(0)).starts_with("--max-steps is 0"));
        assert!(refused(|a| a.warmup_steps = 1.5).starts_with("--warmup-steps is 1.5"));
        assert!(refused(|a| a.eval_steps = Some(0.0)).starts_with("--eval-steps is 0"));
        assert!(refused(|a| a.logging_steps = 2.5).starts_with("--logging-steps is 2.5"));
        assert!(
            refused(|a| a.class_weights = ClassWeights::Given(vec![1.0, -2.0])).starts_with("--class-weights is 1,-2")
        );
    }

    #[test]
    fn choosing_a_best_model_needs_evaluations() {
        assert!(refused(|a| a.load_best_model_at_end = true).contains("--load-best-model-at-end"));
        assert!(refused(|a| a.early_stopping_patience = Some(3)).contains("--early-stopping-patience"));
        let fine = TrainingArguments {
            load_best_model_at_end: true,
            eval_strategy: IntervalStrategy::Epoch,
            ..TrainingArguments::default()
        };
        assert_eq!(fine.validate(), Ok(()));
    }

    #[test]
    fn warmup_is_a_number_of_steps_or_a_share() {
        let of = |warmup_steps, total| {
            TrainingArguments { warmup_steps, ..TrainingArguments::default() }.warmup_steps_of(total)
        };
        assert_eq!(of(0.0, 100), 0);
        assert_eq!(of(0.1, 101), 11, "a share is rounded up");
        assert_eq!(of(1.0, 100), 1, "1 is a step, not all of them");
        assert_eq!(of(30.0, 10), 30);
    }

    #[test]
    fn steps_follow_rows_batches_and_accumulation() {
        let arguments = TrainingArguments {
            per_device_train_batch_size: 8,
            gradient_accumulation_steps: 4,
            num_train_epochs: 1.5,
            ..TrainingArguments::default()
        };
        // 101 rows are 13 batches, and they are 4 steps, the last one of a single batch.
        assert_eq!(arguments.steps_per_epoch(101), 4);
        assert_eq!(arguments.total_steps(101), 6);
        assert_eq!(TrainingArguments { max_steps: Some(250), ..arguments }.total_steps(101), 250);
    }

    #[test]
    fn evaluation_falls_back_on_the_steps_of_logging() {
        let arguments = TrainingArguments { logging_steps: 20.0, ..TrainingArguments::default() };
        assert_eq!(arguments.eval_steps_of(250), 20);
        assert_eq!(TrainingArguments { eval_steps: Some(0.1), ..arguments }.eval_steps_of(255), 26);
    }

    #[test]
    fn a_loss_is_better_when_it_is_less() {
        let by = |name: Option<&str>| TrainingArguments {
            metric_for_best_model: name.map(str::to_owned),
            ..TrainingArguments::default()
        };
        assert!(!by(None).best_is_greater());
        assert!(!by(Some("eval_loss")).best_is_greater());
        assert!(by(Some("eval_f1")).best_is_greater());
        assert_eq!(by(Some("eval_f1")).best_metric_name(), "f1");
    }

    #[test]
    fn words_are_read_back_as_written() {
        for word in SchedulerType::WORDS {
            let parsed: SchedulerType = word.parse().unwrap();
            assert_eq!(parsed.to_string(), *word);
            assert_eq!(serde_json::to_value(parsed).unwrap(), *word, "serde spells it the same");
        }
        for word in IntervalStrategy::WORDS {
            let parsed: IntervalStrategy = word.parse().unwrap();
            assert_eq!(serde_json::to_value(parsed).unwrap(), *word);
        }
        let error = "polynomial".parse::<SchedulerType>().unwrap_err().to_string();
        assert!(error.contains("polynomial") && error.contains("linear, cosine, constant"), "{error}");
    }

    #[test]
    fn class_weights_are_a_word_or_a_list() {
        for (text, json) in [("none", r#""none""#), ("balanced", r#""balanced""#), ("1,2.5", "[1.0,2.5]")] {
            let weights: ClassWeights = text.parse().unwrap();
            assert_eq!(weights.to_string(), text);
            assert_eq!(serde_json::to_string(&weights).unwrap(), json);
            assert_eq!(serde_json::from_str::<ClassWeights>(json).unwrap(), weights);
        }
        assert!("1,x".parse::<ClassWeights>().is_err());
    }

    #[test]
    fn everything_comes_back_from_json() {
        let arguments = TrainingArguments {
            max_steps: Some(250),
            eval_steps: Some(20.0),
            class_weights: ClassWeights::Given(vec![0.5, 2.0]),
            greater_is_better: Some(false),
            ..TrainingArguments::default()
        };
        let text = serde_json::to_string(&arguments).unwrap();
        assert_eq!(serde_json::from_str::<TrainingArguments>(&text).unwrap(), arguments);
    }
}
