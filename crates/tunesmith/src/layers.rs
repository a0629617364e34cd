//! Flags over recipe: how what was said in several places becomes one set of flags.
//!
//! A layer is a table from a setting's name to its value. A higher layer wins name by name; and where it says something
//! that takes the place of another setting (a file for a share, epochs for steps), the lower layer's word on that one
//! falls away too, since flags are to win in sense and not by letter.

use std::fmt;

use toml::{Table, Value};

use crate::flags::TrainFlags;
use crate::settings_error::SettingsError;

/// Who set something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The command line.
    Flags,
    /// A recipe, by name or path.
    Recipe(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flags => f.write_str("the command line"),
            Self::Recipe(name) => write!(f, "recipe {name}"),
        }
    }
}

/// Settings from one place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    origin: Origin,
    table: Table,
}

/// What a setting takes the place of when it is said in a higher layer.
pub(crate) const REPLACES: [(&str, &[&str]); 10] = [
    (
        "file",
        &[
            "train",
            "validation",
            "test",
            "dataset_name",
            "dataset_config_name",
            TRAIN_SPLIT,
            VALIDATION_SPLIT,
            TEST_SPLIT,
        ],
    ),
    (
        "train",
        &[
            "file",
            "validation",
            "test",
            "train_size",
            "validation_size",
            "test_size",
            "dataset_name",
            "dataset_config_name",
            TRAIN_SPLIT,
            VALIDATION_SPLIT,
            TEST_SPLIT,
        ],
    ),
    (
        "dataset_name",
        &["file", "train", "validation", "test", "dataset_config_name", TRAIN_SPLIT, VALIDATION_SPLIT, TEST_SPLIT],
    ),
    ("validation", &["validation_size", "train_size"]),
    (VALIDATION_SPLIT, &["validation_size", "train_size"]),
    ("validation_size", &["validation", VALIDATION_SPLIT]),
    ("test", &["test_size", "train_size"]),
    (TEST_SPLIT, &["test_size", "train_size"]),
    ("test_size", &["test", TEST_SPLIT]),
    ("num_train_epochs", &["max_steps"]),
];

const TRAIN_SPLIT: &str = "train_split_name";
const VALIDATION_SPLIT: &str = "validation_split_name";
const TEST_SPLIT: &str = "test_split_name";

/// What cannot be said twice in one place.
const CONFLICTS: [(&str, &str, &str); 10] = [
    ("file", "train", "both name the file to learn from"),
    ("file", "dataset_name", "both name the rows to learn from"),
    ("train", "dataset_name", "both name the rows to learn from"),
    ("validation", "dataset_name", "--validation-split-name says which rows validate"),
    ("test", "dataset_name", "--test-split-name says which rows test"),
    ("validation", "validation_size", "the file says which rows validate"),
    ("test", "test_size", "the file says which rows test"),
    (VALIDATION_SPLIT, "validation_size", "the split says which rows validate"),
    (TEST_SPLIT, "test_size", "the split says which rows test"),
    ("warmup_steps", "warmup_ratio", "both set the warmup"),
];

impl Layer {
    /// A layer of checked values under canonical names.
    pub(crate) fn new(origin: Origin, table: Table) -> Self {
        Self { origin, table }
    }

    /// The layer of the command line.
    ///
    /// # Errors
    /// When a path is not UTF-8 or a number is too large to be written down.
    pub(crate) fn of_flags(flags: &TrainFlags) -> Result<Self, SettingsError> {
        Ok(Self::new(Origin::Flags, to_table(flags)?))
    }

    /// Whether it says something of a setting.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// Its settings as flags.
    pub(crate) fn flags(&self) -> TrainFlags {
        from_table(self.table.clone())
    }
}

/// Flags as a table from names to what was said.
///
/// # Errors
/// When a path is not UTF-8 or a number is too large to be written down.
pub(crate) fn to_table(flags: &TrainFlags) -> Result<Table, SettingsError> {
    Table::try_from(flags).map_err(|error| SettingsError::Unwritable { reason: error.to_string() })
}

/// A table whose values were checked one by one, as flags.
pub(crate) fn from_table(table: Table) -> TrainFlags {
    table.try_into().expect("every value was checked when its layer was made")
}

/// One set of flags out of layers, the lowest first, with a note on each word that fell away in sense.
///
/// # Errors
/// When one layer says two things that exclude each other.
pub(crate) fn merge(layers: &[Layer]) -> Result<(TrainFlags, Vec<String>), SettingsError> {
    let mut merged = Table::new();
    let mut notes = Vec::new();
    for layer in layers {
        check_conflicts(layer)?;
        let layer = &with_one_warmup(layer)?;
        for (name, replaced) in REPLACES {
            for other in replaced.iter().filter(|other| layer.says(name) && !layer.says(other)) {
                if merged.remove(*other).is_some() {
                    notes.push(format!("{} gives {}, so {} is left aside", layer.origin, flag(name), flag(other)));
                }
            }
        }
        merged.extend(layer.table.clone());
    }
    Ok((from_table(merged), notes))
}

/// The layer with a share of warmup under the name that it has since version 5 of `transformers`.
fn with_one_warmup(layer: &Layer) -> Result<Layer, SettingsError> {
    let mut layer = layer.clone();
    if let Some(ratio) = layer.table.remove("warmup_ratio") {
        let share = ratio.as_float().or_else(|| ratio.as_integer().map(|whole| whole as f64)).unwrap_or(f64::NAN);
        // As a number of steps, 1 would mean one step.
        if !(0.0..1.0).contains(&share) {
            return Err(SettingsError::Setting {
                flag: "--warmup-ratio",
                value: share.to_string(),
                allowed: "a number from 0 up to but not including 1".to_owned(),
            });
        }
        layer.table.insert("warmup_steps".to_owned(), ratio);
    }
    Ok(layer)
}

fn check_conflicts(layer: &Layer) -> Result<(), SettingsError> {
    for (first, second, reason) in CONFLICTS {
        if layer.says(first) && layer.says(second) {
            let (first, second, origin) = (flag(first), flag(second), layer.origin.clone());
            return Err(SettingsError::Conflict { first, second, origin, reason });
        }
    }
    Ok(())
}

/// A setting as one would type it.
pub(crate) fn flag(name: &str) -> String {
    if name == "file" { "FILE".to_owned() } else { format!("--{}", name.replace('_', "-")) }
}

/// A value as one would type it: `5e-5`, `500`, `linear`.
pub(crate) fn typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Float(number) if *number != 0.0 && number.abs() < 1e-3 => format!("{number:e}"),
        Value::Float(number) => number.to_string(),
        Value::Array(items) => items.iter().map(typed).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::parse;

    fn recipe(text: &str) -> Layer {
        parse("r", text).unwrap()
    }

    #[test]
    fn a_higher_layer_wins_name_by_name() {
        let (flags, notes) = merge(&[
            recipe("learning_rate = 1e-5\nseed = 1\nhead_only = true\n"),
            recipe("seed = 2\nhead_only = false\n"),
        ])
        .unwrap();
        assert_eq!(flags.training.learning_rate, Some(1e-5));
        assert_eq!(flags.training.seed, Some(2));
        assert_eq!(flags.training.head_only, Some(false));
        assert!(notes.is_empty());
    }

    #[test]
    fn epochs_win_over_the_steps_of_a_recipe() {
        let (flags, notes) = merge(&[recipe("max_steps = 250\n"), recipe("epochs = 1\n")]).unwrap();
        assert_eq!(flags.training.max_steps, None);
        assert_eq!(notes, ["recipe r gives --num-train-epochs, so --max-steps is left aside"]);
        let (flags, notes) = merge(&[recipe("epochs = 1\n"), recipe("max_steps = 250\n")]).unwrap();
        assert_eq!((flags.training.max_steps, flags.training.num_train_epochs), (Some(250), Some(1.0)));
        assert!(notes.is_empty());
    }

    #[test]
    fn a_named_file_takes_the_place_of_a_share() {
        let (flags, _) = merge(&[recipe("file = \"a.csv\"\ntest_size = 0.2\n"), recipe("test = \"b.csv\"\n")]).unwrap();
        assert_eq!(flags.rows.file, Some("a.csv".into()));
        assert_eq!(flags.rows.test, Some("b.csv".into()));
        assert_eq!(flags.rows.test_size, None);
    }

    #[test]
    fn other_rows_to_learn_from_take_all_files_away() {
        let below = recipe("train = \"a.csv\"\nvalidation = \"b.csv\"\ntest = \"c.csv\"\n");
        let (flags, _) = merge(&[below, recipe("file = \"d.csv\"\n")]).unwrap();
        assert_eq!(flags.rows.file, Some("d.csv".into()));
        assert_eq!((flags.rows.train, flags.rows.validation, flags.rows.test), (None, None, None));
    }

    #[test]
    fn what_excludes_another_in_one_layer_is_an_error() {
        let error = merge(&[recipe("test = \"b.csv\"\ntest_size = 0.2\n")]).unwrap_err().to_string();
        assert_eq!(error, "use --test and --test-size together, both given by recipe r: the file says which rows test");
        let error = merge(&[recipe("file = \"a.csv\"\ntrain = \"b.csv\"\n")]).unwrap_err().to_string();
        assert!(error.starts_with("use FILE and --train together"), "{error}");
    }

    #[test]
    fn the_older_share_of_warmup_is_the_newer_one() {
        let (flags, _) = merge(&[recipe("warmup_steps = 100\n"), recipe("warmup_ratio = 0.1\n")]).unwrap();
        assert_eq!((flags.training.warmup_steps, flags.training.warmup_ratio), (Some(0.1), None));
        let (flags, _) = merge(&[recipe("warmup_ratio = 0.1\n"), recipe("warmup_steps = 100\n")]).unwrap();
        assert_eq!(flags.training.warmup_steps, Some(100.0));
        let error = merge(&[recipe("warmup_ratio = 1\n")]).unwrap_err().to_string();
        assert!(error.contains("--warmup-ratio is 1, expected"), "{error}");
    }
}
