//! The flags of `train` as they are typed: every one may be absent, none is checked against another.
//!
//! A field is a flag (`--learning-rate`), a key of recipes (`learning_rate`) and, where `transformers` has such a
//! setting, its name there. So there is one list of names, and adding a setting means adding a field. What absent
//! ones mean is decided in [`crate::complete`]; what a value may be is said there and by [`train::TrainingArguments`].

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use dataset::{Duplicates, Encoding, Format, Quote, ReadOptions, Size};
use serde::{Deserialize, Serialize};
use train::{ClassWeights, IntervalStrategy, SchedulerType};

use crate::computing::Precision;

/// Everything that can be said of a training.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TrainFlags {
    /// Start from a recipe: sms-spam, imdb-reviews, or a TOML file whose keys are flag names
    #[arg(long, value_name = "NAME_OR_FILE")]
    #[serde(skip)]
    pub(crate) recipe: Option<String>,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) rows: RowFlags,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) reading: ReadFlags,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) model: ModelFlags,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) training: TrainingFlags,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) scores: ScoreFlags,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) run: RunFlags,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) tracking: TrackFlags,
}

/// Which rows are learnt from, decide, and are reported on.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Rows")]
pub(crate) struct RowFlags {
    /// A labelled file, split into training, validation and test rows: a path, a pattern for several files, or an https://
    /// address; without any, the example inside the program
    pub(crate) file: Option<PathBuf>,

    /// A data set of the Hub in place of files, as OWNER/NAME or NAME, with @REVISION where one is meant; or a folder that
    /// holds one
    #[arg(long, value_name = "NAME", alias = "dataset")]
    pub(crate) dataset_name: Option<String>,

    /// The data set's configuration [default: its own default]
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset_config_name: Option<String>,

    /// Its rows to learn from, as in train[:10%]+test[100:200] [default: train]
    #[arg(long, value_name = "SPLIT")]
    pub(crate) train_split_name: Option<String>,

    /// Its rows to choose the best model by [default: its validation split, unless --validation-size is given]
    #[arg(long, value_name = "SPLIT", alias = "eval-split-name")]
    pub(crate) validation_split_name: Option<String>,

    /// Its rows to report on [default: its test split, unless --test-size is given]
    #[arg(long, value_name = "SPLIT")]
    pub(crate) test_split_name: Option<String>,

    /// File of the training rows, where every split has its own
    #[arg(long, value_name = "FILE", alias = "train-file")]
    pub(crate) train: Option<PathBuf>,

    /// File of the validation rows
    #[arg(long, value_name = "FILE", aliases = ["validation-file", "eval-file"])]
    pub(crate) validation: Option<PathBuf>,

    /// File of the test rows
    #[arg(long, value_name = "FILE", alias = "test-file")]
    pub(crate) test: Option<PathBuf>,

    /// Training rows: a share below 1 or a number of rows [default: what the other splits leave]
    #[arg(long, value_name = "SIZE")]
    pub(crate) train_size: Option<Size>,

    /// Validation rows: a share below 1 or a number of rows [default: 0.1 of FILE]
    #[arg(long, value_name = "SIZE", aliases = ["eval-size", "val-size"])]
    pub(crate) validation_size: Option<Size>,

    /// Test rows: a share below 1 or a number of rows [default: 0.1 of FILE]
    #[arg(long, value_name = "SIZE")]
    pub(crate) test_size: Option<Size>,

    /// Whether splits are drawn at random, by label; otherwise they follow one another as in the file [default: true]
    #[arg(long)]
    pub(crate) shuffle_split: Option<bool>,

    /// Key of splits and samples, where they are to stay the same under other seeds [default: as --seed]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub(crate) split_seed: Option<u64>,

    /// What becomes of rows of equal text when splits are drawn at random: they come into one split together, or are
    /// dealt apart, which lets test rows stand in train [default: together]
    #[arg(long, value_name = "HOW")]
    pub(crate) split_duplicates: Option<Duplicates>,

    /// Learn from a seeded sample of so many rows, with the labels in proportion
    #[arg(long, value_name = "ROWS")]
    pub(crate) max_train_samples: Option<usize>,

    /// Validate on a sample of so many rows
    #[arg(long, value_name = "ROWS", alias = "max-eval-samples")]
    pub(crate) max_validation_samples: Option<usize>,

    /// Test on a sample of so many rows
    #[arg(long, value_name = "ROWS", alias = "max-predict-samples")]
    pub(crate) max_test_samples: Option<usize>,

    /// The rows that evaluations during training look at; the test rows are only reported, never selected by
    /// [default: validation]
    #[arg(long, value_name = "SPLIT")]
    pub(crate) eval_on: Option<EvalOn>,
}

/// How files are read.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Reading")]
pub(crate) struct ReadFlags {
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) format: FormatFlags,

    /// Column of the texts [default: the one whose name says so]
    #[arg(long, value_name = "NAME", aliases = ["text-col", "text-column-name"])]
    pub(crate) text_column: Option<String>,

    /// Column of the labels [default: the one whose name says so]
    #[arg(long, value_name = "NAME", aliases = ["label-col", "label-column-name"])]
    pub(crate) label_column: Option<String>,

    /// The labels in order of their ids, with commas between them [default: as found, in natural order]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) label_names: Option<Vec<String>>,

    /// Tokens of a text that are read, special ones included [default: what the model allows]
    #[arg(long, value_name = "TOKENS", aliases = ["max-seq-length", "max-len"])]
    pub(crate) max_length: Option<usize>,

    /// Folder of the cache of tokenised texts, and of texts that are too many for memory while the program runs
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// How a table is written, which every command that reads one asks alike.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Reading")]
pub(crate) struct FormatFlags {
    /// How the file is written: csv, tsv, jsonl, text or parquet [default: what its name tells]
    #[arg(long)]
    pub(crate) format: Option<Format>,

    /// What stands between fields: a character, or `tab` [default: a comma in CSV, a tab in TSV]
    #[arg(long, value_name = "CHAR", alias = "sep", value_parser = parse_delimiter)]
    pub(crate) delimiter: Option<char>,

    /// What the character " means in CSV and TSV: double (it encloses fields) or none (plain text) [default: double]
    #[arg(long)]
    pub(crate) quote: Option<Quote>,

    /// Whether the first row names the columns; otherwise they are named 1, 2, ... [default: true]
    #[arg(long)]
    pub(crate) header: Option<bool>,

    /// How bytes become characters: utf-8 or latin-1 [default: utf-8]
    #[arg(long)]
    pub(crate) encoding: Option<Encoding>,
}

impl FormatFlags {
    /// What the reader goes by, absent settings at their defaults.
    pub(crate) fn options(&self) -> ReadOptions {
        ReadOptions {
            format: self.format,
            delimiter: self.delimiter,
            quote: self.quote.unwrap_or_default(),
            header: self.header.unwrap_or(true),
            encoding: self.encoding.unwrap_or_default(),
            class_labels: Vec::new(),
        }
    }
}

/// What is trained.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelFlags {
    /// A model folder, a name on the Hugging Face Hub, or scratch:small
    /// [default: distilbert-base-uncased; scratch:small for the example]
    #[arg(long, value_name = "DIR_OR_NAME", alias = "model-name-or-path")]
    pub(crate) model: Option<String>,
}

/// [`train::TrainingArguments`], each perhaps absent.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Training")]
pub(crate) struct TrainingFlags {
    /// Peak learning rate of AdamW
    #[arg(long, value_name = "RATE", visible_alias = "lr")]
    pub(crate) learning_rate: Option<f64>,

    /// Passes over the training rows
    #[arg(long, value_name = "EPOCHS", visible_alias = "epochs", alias = "num-epochs")]
    pub(crate) num_train_epochs: Option<f64>,

    /// Optimiser steps, whatever the epochs say; -1 leaves it to them
    #[arg(long, value_name = "STEPS", allow_negative_numbers = true)]
    pub(crate) max_steps: Option<i64>,

    /// Rows in a training batch
    #[arg(
        long,
        value_name = "ROWS",
        visible_alias = "batch-size",
        aliases = ["train-batch-size", "per-gpu-train-batch-size"]
    )]
    pub(crate) per_device_train_batch_size: Option<usize>,

    /// Rows in an evaluation batch
    #[arg(long, value_name = "ROWS", visible_alias = "eval-batch-size", alias = "per-gpu-eval-batch-size")]
    pub(crate) per_device_eval_batch_size: Option<usize>,

    /// Batches whose gradients make one step
    #[arg(long, value_name = "BATCHES")]
    pub(crate) gradient_accumulation_steps: Option<usize>,

    /// Weight decay; biases and normalisations are left out
    #[arg(long, value_name = "DECAY")]
    pub(crate) weight_decay: Option<f64>,

    /// Decay of AdamW's first moment
    #[arg(long, value_name = "BETA")]
    pub(crate) adam_beta1: Option<f64>,

    /// Decay of AdamW's second moment
    #[arg(long, value_name = "BETA")]
    pub(crate) adam_beta2: Option<f64>,

    /// AdamW's epsilon
    #[arg(long, value_name = "EPSILON")]
    pub(crate) adam_epsilon: Option<f64>,

    /// Largest norm of the gradient; 0 leaves it as it is
    #[arg(long, value_name = "NORM")]
    pub(crate) max_grad_norm: Option<f64>,

    /// How the learning rate moves
    #[arg(long, value_name = "TYPE", alias = "lr-scheduler", value_parser = scheduler_parser())]
    pub(crate) lr_scheduler_type: Option<SchedulerType>,

    /// Steps of warmup, or a share of all steps below 1
    #[arg(long, value_name = "STEPS")]
    pub(crate) warmup_steps: Option<f64>,

    /// Share of all steps that is warmup: the older spelling of a share in --warmup-steps
    #[arg(long, value_name = "SHARE")]
    pub(crate) warmup_ratio: Option<f64>,

    /// Share of each target that is spread over all classes
    #[arg(long, value_name = "SHARE", alias = "label-smoothing")]
    pub(crate) label_smoothing_factor: Option<f64>,

    /// How much each class counts: none, balanced, or a number per class with commas between them
    #[arg(long, value_name = "WEIGHTS")]
    pub(crate) class_weights: Option<ClassWeights>,

    /// Layers from the input up that keep their weights
    #[arg(long, value_name = "LAYERS")]
    pub(crate) freeze_layers: Option<usize>,

    /// Whether the embeddings keep their weights
    #[arg(long)]
    pub(crate) freeze_embeddings: Option<bool>,

    /// Whether everything below the classification head keeps its weights
    #[arg(long)]
    pub(crate) head_only: Option<bool>,

    /// When to evaluate [default: epoch where the best model is loaded back, otherwise no]
    #[arg(long, value_name = "WHEN", alias = "evaluation-strategy", value_parser = interval_parser())]
    pub(crate) eval_strategy: Option<IntervalStrategy>,

    /// Steps between evaluations, or a share of all steps below 1 [default: as --logging-steps]
    #[arg(long, value_name = "STEPS")]
    pub(crate) eval_steps: Option<f64>,

    /// When to log
    #[arg(long, value_name = "WHEN", value_parser = interval_parser())]
    pub(crate) logging_strategy: Option<IntervalStrategy>,

    /// Steps between logs, or a share of all steps below 1
    #[arg(long, value_name = "STEPS")]
    pub(crate) logging_steps: Option<f64>,

    /// Whether the first step is logged too
    #[arg(long)]
    pub(crate) logging_first_step: Option<bool>,

    /// When to write a checkpoint; the best model is kept in any case
    #[arg(long, value_name = "WHEN", value_parser = interval_parser())]
    pub(crate) save_strategy: Option<IntervalStrategy>,

    /// Steps between checkpoints, or a share of all steps below 1
    #[arg(long, value_name = "STEPS")]
    pub(crate) save_steps: Option<f64>,

    /// Checkpoints to keep; the best and the newest always stay [default: all]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) save_total_limit: Option<usize>,

    /// Whether to end with the weights of the best evaluation [default: true where there are validation rows]
    #[arg(long)]
    pub(crate) load_best_model_at_end: Option<bool>,

    /// The metric that says what is best, such as loss, accuracy or f1 [default: loss]
    #[arg(long, value_name = "METRIC")]
    pub(crate) metric_for_best_model: Option<String>,

    /// Whether more of that metric is better [default: true unless its name ends with loss]
    #[arg(long)]
    pub(crate) greater_is_better: Option<bool>,

    /// Evaluations without a better metric after which to stop [default: never]
    #[arg(long, value_name = "EVALUATIONS", alias = "patience")]
    pub(crate) early_stopping_patience: Option<usize>,

    /// How much better is better, for stopping early
    #[arg(long, value_name = "DIFFERENCE")]
    pub(crate) early_stopping_threshold: Option<f64>,

    /// Key of everything random: splits, samples, the head's first weights, dropout, the order of rows
    // TOML's integers end where i64 does.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub(crate) seed: Option<u64>,
}

/// How far scores are to be trusted.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Scores")]
pub(crate) struct ScoreFlags {
    /// Whether scores are made honest after training by a temperature fitted on the validation rows, which is folded into
    /// the last layer [default: true where there are validation rows]
    #[arg(long)]
    pub(crate) calibrate: Option<bool>,

    /// Precision that answers are to have: scores that give less on the validation rows get no label from `predict`
    /// [default: every text gets one]
    #[arg(long, value_name = "PRECISION")]
    pub(crate) abstain_below_precision: Option<f64>,

    /// Train so many times, with seeds that follow one another and the same splits, and tell how much the scores vary
    /// [default: 1]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seeds: Option<usize>,
}

/// Who else hears of the run.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Tracking")]
pub(crate) struct TrackFlags {
    /// Where the run is told of beside its own folder, with commas between them [default: nowhere]
    #[arg(long, value_name = "PLACES", value_delimiter = ',', alias = "report-to")]
    pub(crate) track: Option<Vec<Tracker>>,

    /// What the run is called there and in its report [default: the name of its folder]
    #[arg(long, value_name = "NAME")]
    pub(crate) run_name: Option<String>,

    /// The project of W&B, the experiment of MLflow [default: as their environment variables say]
    #[arg(long, value_name = "NAME", aliases = ["experiment-name", "wandb-project"])]
    pub(crate) project: Option<String>,

    /// Tags of the run there, with commas between them
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub(crate) run_tags: Option<Vec<String>>,

    /// Folder of TensorBoard's files [default: tensorboard in the run's folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) logging_dir: Option<PathBuf>,
}

/// A place that runs are told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tracker {
    /// A tracking server of MLflow, or Databricks: MLFLOW_TRACKING_URI
    Mlflow,
    /// Weights & Biases: WANDB_API_KEY, or an offline folder without it
    Wandb,
    /// Event files of TensorBoard
    Tensorboard,
    /// Nowhere
    None,
}

impl Tracker {
    /// As it is typed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mlflow => "mlflow",
            Self::Wandb => "wandb",
            Self::Tensorboard => "tensorboard",
            Self::None => "none",
        }
    }
}

/// Where the run goes and how it is shown.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunFlags {
    /// Folder of the run [default: runs/NAME after the recipe or the data]
    #[arg(long, short, value_name = "DIR", alias = "output-dir")]
    pub(crate) output: Option<PathBuf>,

    /// Whether a finished run in that folder may be replaced
    #[arg(long, alias = "overwrite-output-dir")]
    pub(crate) overwrite: Option<bool>,

    /// Whether to go on from the newest checkpoint in that folder
    #[arg(long)]
    pub(crate) resume: Option<bool>,

    /// Whether to stop before training if the check of the rows has a warning or a problem (see `tunesmith check`)
    #[arg(long)]
    pub(crate) strict: Option<bool>,

    /// Whether to stop after printing the plan
    #[arg(long)]
    pub(crate) dry_run: Option<bool>,

    /// Whether to print nothing but the report
    #[arg(long, short)]
    pub(crate) quiet: Option<bool>,

    /// Whether to print each event as a line of JSON on standard output, and nothing else there
    #[arg(long)]
    pub(crate) json: Option<bool>,

    /// Whether to fit a linear model of words and word pairs on the same rows, and report on it beside the model
    /// [default: true]
    #[arg(long)]
    pub(crate) baseline: Option<bool>,

    /// Whether to tell on standard error, after the training, what its time went to
    #[arg(long)]
    pub(crate) profile: Option<bool>,

    /// Threads to compute with; the results do not depend on it [default: one per core]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) threads: Option<usize>,

    /// Numbers that products read; sums are always f32 [default: bf16 where the processor multiplies it, otherwise f32]
    #[arg(long)]
    pub(crate) precision: Option<Precision>,
}

/// The rows that evaluations during training look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EvalOn {
    /// Rows that may decide which model is best.
    #[default]
    Validation,
    /// Rows that are reported on and decide nothing.
    Test,
}

fn scheduler_parser() -> impl TypedValueParser<Value = SchedulerType> {
    PossibleValuesParser::new(SchedulerType::WORDS).try_map(|word| word.parse::<SchedulerType>())
}

fn interval_parser() -> impl TypedValueParser<Value = IntervalStrategy> {
    PossibleValuesParser::new(IntervalStrategy::WORDS).try_map(|word| word.parse::<IntervalStrategy>())
}

/// A character, or the name of one that is hard to type.
fn parse_delimiter(text: &str) -> Result<char, String> {
    let mut characters = text.chars();
    match (text, characters.next(), characters.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        (_, Some(only), None) => Ok(only),
        _ => Err("expected one character, or `tab`".to_owned()),
    }
}
