//! Recipes: TOML files whose keys are the names of flags. Two well-known jobs and the example are inside the program.
//!
//! A recipe is read into a [`Layer`], with every key under its one canonical name, and every value checked on its own,
//! so that an error can name its line. How layers come together is for [`crate::layers`].

use std::fs;
use std::path::Path;

use toml::de::DeTable;
use toml::{Table, Value};

use crate::flag_names::{canonical, nearest};
use crate::flags::TrainFlags;
use crate::layers::{Layer, Origin};
use crate::settings_error::SettingsError;

/// What `train` does when nothing is named.
pub(crate) const EXAMPLE: &str = "example";

/// What a recipe cannot set: which recipe it is.
const NOT_SAID: [&str; 1] = ["recipe"];

/// The recipes inside the program.
const BUILT_IN: [(&str, &str); 3] = [
    ("sms-spam", include_str!("../../../recipes/sms-spam.toml")),
    ("imdb-reviews", include_str!("../../../recipes/imdb-reviews.toml")),
    (EXAMPLE, include_str!("../../../recipes/example.toml")),
];

/// Finds a recipe by path or name; a file that exists wins over a name.
///
/// # Errors
/// When there is none, or it cannot be read, or says what cannot be said.
pub(crate) fn find(name_or_file: &str) -> Result<Layer, SettingsError> {
    let path = Path::new(name_or_file);
    if path.is_file() {
        return load(path);
    }
    match BUILT_IN.iter().find(|(name, _)| *name == name_or_file) {
        Some((name, text)) => parse(name, text),
        None => Err(SettingsError::NoSuchRecipe {
            name: name_or_file.to_owned(),
            known: BUILT_IN.map(|(name, _)| name).join(", "),
        }),
    }
}

/// The text of a recipe inside the program.
pub(crate) fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Whether that is the name of one.
pub(crate) fn is_built_in(name: &str) -> bool {
    built_in(name).is_some()
}

/// Reads the recipe in a file.
///
/// # Errors
/// When it cannot be read, or says what cannot be said.
pub(crate) fn load(path: &Path) -> Result<Layer, SettingsError> {
    let text =
        fs::read_to_string(path).map_err(|source| SettingsError::UnreadableRecipe { path: path.to_owned(), source })?;
    parse(&path.display().to_string(), &text)
}

/// Reads the text of a recipe.
///
/// # Errors
/// When it is no TOML, or has an unknown key, a repeated one, or a value of a wrong kind.
pub(crate) fn parse(recipe: &str, text: &str) -> Result<Layer, SettingsError> {
    let malformed = |reason: toml::de::Error| SettingsError::MalformedRecipe {
        recipe: recipe.to_owned(),
        reason: reason.to_string().trim_end().to_owned(),
    };
    let document = DeTable::parse(text).map_err(malformed)?;
    let values: Table = text.parse().map_err(malformed)?;
    let task = crate::cli::command();
    let task = task.find_subcommand("train").unwrap_or(&task);

    let mut keys: Vec<_> = document.get_ref().iter().map(|(key, _)| key).collect();
    keys.sort_by_key(|key| key.span().start);
    let mut table = Table::new();
    let mut spelled: Vec<(String, &str)> = Vec::new();
    for key in keys {
        let line = text[..key.span().start].matches('\n').count() + 1;
        let key: &str = key.get_ref();
        let name = canonical(task, &NOT_SAID, key).ok_or_else(|| SettingsError::UnknownKey {
            recipe: recipe.to_owned(),
            line,
            key: key.to_owned(),
            hint: nearest(task, &NOT_SAID, key).map(|name| format!("; did you mean {name:?}?")).unwrap_or_default(),
        })?;
        if let Some((_, first)) = spelled.iter().find(|(known, _)| *known == name) {
            return Err(SettingsError::RepeatedKey {
                recipe: recipe.to_owned(),
                line,
                key: key.to_owned(),
                first: (*first).to_owned(),
            });
        }
        let value = values[key].clone();
        check(&name, &value).map_err(|reason| SettingsError::WrongValue {
            recipe: recipe.to_owned(),
            line,
            key: key.to_owned(),
            reason,
        })?;
        table.insert(name.clone(), value);
        spelled.push((name, key));
    }
    Ok(Layer::new(Origin::Recipe(recipe.to_owned()), table))
}

/// Whether the value is of the kind that the setting takes.
fn check(name: &str, value: &Value) -> Result<(), String> {
    let alone: Table = [(name.to_owned(), value.clone())].into_iter().collect();
    alone.try_into::<TrainFlags>().map(drop).map_err(|error| error.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse("my.toml", text).expect_err("should be refused").to_string()
    }

    #[test]
    fn keys_are_flags_with_hyphens_or_underscores_or_old_names() {
        let layer = parse("r", "learning-rate = 1e-5\nnum_train_epochs = 2\ntext_col = \"review\"\n").unwrap();
        let flags = layer.flags();
        assert_eq!(flags.training.learning_rate, Some(1e-5));
        assert_eq!(flags.training.num_train_epochs, Some(2.0));
        assert_eq!(flags.reading.text_column.as_deref(), Some("review"));
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line_and_the_nearest_name() {
        assert_eq!(
            error("seed = 1\n\nlearnin_rate = 1e-5\n"),
            "use the recipe my.toml, line 3: \"learnin_rate\" is not a setting; did you mean \"learning_rate\"?"
        );
        assert_eq!(error("quux = 1\n"), "use the recipe my.toml, line 1: \"quux\" is not a setting");
        assert!(error("recipe = \"sms-spam\"\n").contains("\"recipe\" is not a setting"));
    }

    #[test]
    fn a_value_of_a_wrong_kind_is_an_error_with_its_line() {
        let error = error("seed = 1\nlearning_rate = \"fast\"\n");
        assert!(error.starts_with("use the recipe my.toml, line 2: learning_rate: "), "{error}");
        assert!(error.contains("fast"), "{error}");
    }

    #[test]
    fn one_setting_in_two_spellings_is_an_error() {
        assert_eq!(
            error("lr = 1e-5\nlearning_rate = 1e-4\n"),
            "use the recipe my.toml, line 2: \"learning_rate\" was set above as \"lr\""
        );
    }

    #[test]
    fn what_is_no_toml_is_an_error_with_its_line() {
        let error = error("seed = 1\nseed 2\n");
        assert!(error.starts_with("read the recipe my.toml: TOML parse error at line 2"), "{error}");
    }

    #[test]
    fn every_recipe_inside_the_program_can_be_read() {
        for (name, _) in BUILT_IN {
            find(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }

    #[test]
    fn a_file_wins_over_a_name_and_an_absent_one_lists_the_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, "seed = 7\n").unwrap();
        assert_eq!(find(path.to_str().unwrap()).unwrap().flags().training.seed, Some(7));
        let error = find("no-such-recipe").unwrap_err().to_string();
        assert!(error.contains("sms-spam, imdb-reviews"), "{error}");
    }
}
