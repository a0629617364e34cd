//! Parameters: values that a job names once and that the command line may give otherwise.
//!
//! `"${model}"` stands for the parameter `model`: with its own type where nothing else is in the text, and as text within
//! one. `$${` is a plain `${`.

use toml::{Table, Value};

use crate::names::hint;
use crate::{Error, Result};

/// A value given beside the job file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// A parameter, or a setting as `step.setting`.
    pub name: String,
    /// As typed.
    pub value: String,
}

impl Override {
    /// Reads `NAME=VALUE`.
    ///
    /// # Errors
    /// When there is no `=`, or nothing before it.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok(Self { name: name.trim().to_owned(), value: value.to_owned() })
            }
            _ => Err(format!("{text:?} is no NAME=VALUE")),
        }
    }
}

/// What was typed, in the type of the value that it takes the place of.
///
/// # Errors
/// When it is no such value.
pub(crate) fn typed_like(before: Option<&Value>, text: &str) -> std::result::Result<Value, String> {
    let read = || {
        let table = format!("value = {text}").parse::<Table>().ok()?;
        // A line end in the text must not begin another key.
        if table.len() == 1 { table.into_iter().next().map(|(_, value)| value) } else { None }
    };
    match before {
        Some(Value::String(_)) => Ok(Value::String(text.to_owned())),
        Some(Value::Boolean(_)) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(Value::Boolean(true)),
            "false" | "no" | "0" => Ok(Value::Boolean(false)),
            _ => Err(format!("{text:?} is neither true nor false")),
        },
        Some(Value::Integer(_) | Value::Float(_)) => match read() {
            Some(number @ (Value::Integer(_) | Value::Float(_))) => Ok(number),
            _ => Err(format!("{text:?} is no number")),
        },
        // Nothing says what it is: what reads as a number, a switch or a list is one.
        _ => Ok(match read() {
            Some(value @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Array(_))) => value,
            _ => Value::String(text.to_owned()),
        }),
    }
}

/// Puts the parameters into every text below `value`.
///
/// # Errors
/// When a text names a parameter that the job does not have.
pub(crate) fn fill(job: &str, place: &str, value: &mut Value, parameters: &Table) -> Result<()> {
    match value {
        Value::String(text) => *value = filled(job, place, text, parameters)?,
        Value::Array(items) => items.iter_mut().try_for_each(|item| fill(job, place, item, parameters))?,
        Value::Table(table) => {
            for (key, value) in table {
                fill(job, &format!("{place}{key}: "), value, parameters)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn filled(job: &str, place: &str, text: &str, parameters: &Table) -> Result<Value> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            out += before;
            out += "${";
            rest = &from[2..];
            continue;
        }
        let Some(end) = from.find('}') else {
            let reason = format!("{place}{text:?} has a ${{ that nothing closes");
            return Err(Error::Job { job: job.to_owned(), reason });
        };
        let name = &from[2..end];
        let value = parameters.get(name).ok_or_else(|| Error::Unknown {
            job: job.to_owned(),
            place: place.to_owned(),
            name: name.to_owned(),
            what: "parameter".to_owned(),
            hint: hint(name, parameters.keys().map(String::as_str)),
        })?;
        if out.is_empty() && before.is_empty() && end + 1 == from.len() && rest.len() == text.len() {
            return Ok(value.clone());
        }
        out += before;
        out += &plain(value);
        rest = &from[end + 1..];
    }
    Ok(Value::String(out + rest))
}

/// A value without quotes.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill_in(text: &str) -> Result<Value> {
        let parameters: Table = "model = \"org/m\"\nepochs = 3\nfast = true\n".parse().unwrap();
        let mut value = Value::String(text.to_owned());
        fill("j", "", &mut value, &parameters)?;
        Ok(value)
    }

    #[test]
    fn a_parameter_alone_keeps_its_type_and_within_text_becomes_text() {
        assert_eq!(fill_in("${epochs}").unwrap(), Value::Integer(3));
        assert_eq!(fill_in("${fast}").unwrap(), Value::Boolean(true));
        assert_eq!(fill_in("${model}-${epochs}x").unwrap(), Value::String("org/m-3x".to_owned()));
        assert_eq!(fill_in("$${model} $ {} $x").unwrap(), Value::String("${model} $ {} $x".to_owned()));
    }

    #[test]
    fn an_unknown_parameter_and_an_open_brace_are_errors() {
        let error = fill_in("a ${modle}").unwrap_err().to_string();
        assert_eq!(error, "use the job j: \"modle\" is no parameter; did you mean \"model\"?");
        assert!(fill_in("${model").unwrap_err().to_string().contains("nothing closes"));
    }

    #[test]
    fn what_is_typed_takes_the_type_of_what_it_replaces() {
        assert_eq!(typed_like(Some(&Value::Integer(3)), "0.5"), Ok(Value::Float(0.5)));
        assert!(typed_like(Some(&Value::Integer(3)), "many").is_err());
        assert!(typed_like(Some(&Value::Integer(3)), "1\nx = 2").is_err());
        assert_eq!(typed_like(Some(&Value::String("7".into())), "8"), Ok(Value::String("8".into())));
        assert_eq!(typed_like(Some(&Value::Boolean(true)), "No"), Ok(Value::Boolean(false)));
        assert_eq!(typed_like(None, "8"), Ok(Value::Integer(8)));
        assert_eq!(typed_like(None, "a = b"), Ok(Value::String("a = b".into())));
    }

    #[test]
    fn an_override_is_a_name_and_a_value() {
        let told = Override::parse("train.seed=1=2").unwrap();
        assert_eq!((told.name.as_str(), told.value.as_str()), ("train.seed", "1=2"));
        assert!(Override::parse("=1").is_err() && Override::parse("seed").is_err());
    }
}
