//! What the settings of a step name that may change behind its name: a recipe inside the program.

use std::collections::BTreeMap;

use steps::Identity;
use toml::{Table, Value};

use crate::recipe;

/// The digest of the recipe, so that a program with another recipe of that name makes another step of it.
///
/// # Errors
/// None yet; a name that nobody can resolve will be one.
pub(crate) fn of(settings: &Table) -> Result<Identity, String> {
    let mut parts = BTreeMap::new();
    if let Some(Value::String(name)) = settings.get("recipe")
        && let Some(text) = recipe::built_in(name)
    {
        parts.insert(format!("recipe {name}"), blake3::hash(text.as_bytes()).to_hex()[..16].to_owned());
    }
    Ok(Identity { parts, note: None })
}
