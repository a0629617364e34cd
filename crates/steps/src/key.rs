//! Keys: a step is what goes into it. Two that would do the same have the same key, whatever they are called.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// A step's key, which its output is found by: 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

/// Everything that a step's output follows from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyParts {
    /// The kind of step.
    pub kind: String,
    /// The version of that kind.
    pub version: u32,
    /// The user's own word.
    pub cache_version: String,
    /// The settings that count, in the order of their names.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// The digest of each input.
    pub inputs: BTreeMap<String, String>,
    /// What else it follows from, such as the commit that a branch stands at.
    pub identity: BTreeMap<String, String>,
    /// What makes a step that is not cached unlike all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
}

impl KeyParts {
    /// The key that these make.
    ///
    /// It is the beginning of the BLAKE3 of their JSON, whose order is fixed: of the fields by this type, of the names by
    /// their maps.
    #[must_use]
    pub fn key(&self) -> Key {
        // There is nothing in it that JSON cannot say: its keys are text, and TOML's settings were turned into JSON before.
        let text = serde_json::to_vec(self).unwrap_or_default();
        let mut bytes = [0; 16];
        blake3::Hasher::new().update(&text).finalize_xof().fill(&mut bytes);
        Key(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Key {
    /// Reads one, such as a folder's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hexadecimal = |letter: char| matches!(letter, '0'..='9' | 'a'..='f');
        (text.len() == 32 && text.chars().all(is_hexadecimal)).then(|| Self(text.to_owned()))
    }

    /// As a folder's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Settings as they count: `3.0` is `3`.
pub(crate) fn counting(settings: &Table, counts: impl Fn(&str) -> bool) -> BTreeMap<String, serde_json::Value> {
    settings.iter().filter(|(name, _)| counts(name)).map(|(name, value)| (name.clone(), json(value))).collect()
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::String(text) => text.clone().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => (*number as i64).into(),
        // What JSON has no number for is its text.
        Value::Float(number) => {
            serde_json::Number::from_f64(*number).map_or_else(|| number.to_string().into(), Into::into)
        }
        Value::Boolean(switch) => (*switch).into(),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Datetime(time) => time.to_string().into(),
        Value::Table(table) => {
            let sorted: BTreeMap<&String, &Value> = table.iter().collect();
            sorted
                .into_iter()
                .map(|(name, value)| (name.clone(), json(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(settings: &str) -> KeyParts {
        KeyParts {
            kind: "train".to_owned(),
            version: 1,
            cache_version: String::new(),
            settings: counting(&settings.parse().unwrap(), |name| name != "threads"),
            inputs: BTreeMap::from([("file".to_owned(), "rows.csv abc".to_owned())]),
            identity: BTreeMap::new(),
            once: None,
        }
    }

    #[test]
    fn neither_order_nor_spelling_of_numbers_counts() {
        let key = parts("seed = 3\nlr = 1e-5\nnames = { b = 1, a = 2 }\n").key();
        assert_eq!(parts("names = { a = 2, b = 1 }\nlr = 0.00001\nseed = 3.0\nthreads = 8\n").key(), key);
        assert_eq!(Key::parse(key.as_str()), Some(key));
    }

    #[test]
    fn every_part_counts() {
        let base = parts("seed = 3\n");
        let changed: [fn(&mut KeyParts); 8] = [
            |parts| parts.kind = "check".to_owned(),
            |parts| parts.version = 2,
            |parts| parts.cache_version = "2".to_owned(),
            |parts| drop(parts.settings.insert("seed".to_owned(), 4.into())),
            |parts| drop(parts.settings.insert("seed".to_owned(), "3".into())),
            |parts| drop(parts.inputs.insert("file".to_owned(), "rows.tsv abc".to_owned())),
            |parts| drop(parts.identity.insert("commit".to_owned(), "abc".to_owned())),
            |parts| parts.once = Some("now".to_owned()),
        ];
        let mut keys: Vec<Key> = changed
            .iter()
            .map(|change| {
                let mut parts = base.clone();
                change(&mut parts);
                parts.key()
            })
            .collect();
        keys.push(base.key());
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 9);
    }

    #[test]
    fn a_key_of_today_is_that_of_tomorrow() {
        // Should it change, every output that users keep would be made again.
        assert_eq!(parts("seed = 3\n").key().as_str(), "6aacf2780b63b04b5da6b7a28e01422f");
    }

    #[test]
    fn what_is_no_key_is_none() {
        for text in ["", "..", "locks", &"A".repeat(32), &"a".repeat(31), &"ä".repeat(16)] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
    }
}
