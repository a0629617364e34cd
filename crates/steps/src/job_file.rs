//! The job file: its grammar, and what can be said about it without knowing any kind of step.

use std::fs;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::Deserialize;
use toml::{Table, Value};

use crate::names::hint;
use crate::parameters::{fill, typed_like};
use crate::resources::Resources;
use crate::secrets::SecretSource;
use crate::{Error, Override, Result};

const KEYS: [&str; 4] = ["name", "parameters", "secrets", "steps"];
const STEP_KEYS: [&str; 9] =
    ["uses", "with", "inputs", "after", "cache", "cache_version", "resources", "secrets", "retries"];
const INPUT_KEYS: [&str; 3] = ["step", "path", "file"];
const RESOURCE_KEYS: [&str; 4] = ["cpu", "mem", "gpu", "accelerator"];
const SECRET_KEYS: [&str; 3] = ["env", "file", "optional"];

/// A job file may be so long, and not longer: it is read by people.
const ROOM: u64 = 1 << 20;

/// A job as it is written, with every parameter in its place.
#[derive(Clone, Debug)]
pub struct JobFile {
    /// What it is called in messages: its path, or its name inside the program.
    pub origin: String,
    /// The folder that its relative paths begin in.
    pub folder: PathBuf,
    /// Its name.
    pub name: String,
    /// Its parameters with the values that count.
    pub parameters: Table,
    /// Where its secrets come from, where it says so.
    pub secrets: IndexMap<String, SecretSource>,
    /// Its steps, in the order in which they are written.
    pub steps: IndexMap<String, StepEntry>,
    /// What was given for settings of steps, beside the file: step, setting, value.
    pub settings: Vec<(String, String, String)>,
}

#[derive(Deserialize)]
struct Written {
    name: Option<String>,
    #[serde(default)]
    secrets: IndexMap<String, SecretSource>,
    #[serde(default)]
    steps: IndexMap<String, StepEntry>,
}

/// A step as it is written.
#[derive(Clone, Debug, Deserialize)]
pub struct StepEntry {
    /// The kind of step.
    pub uses: String,
    /// Its settings.
    #[serde(default)]
    pub with: Table,
    /// What it takes: a setting's name, and what is given for it.
    #[serde(default)]
    pub inputs: IndexMap<String, Input>,
    /// Steps that come before, though nothing is taken from them.
    #[serde(default)]
    pub after: Vec<String>,
    /// Whether what was done before is taken; what its kind says if not given.
    pub cache: Option<bool>,
    /// A word of the user's that makes the step a new one.
    pub cache_version: Option<Value>,
    /// What it needs of the machine.
    #[serde(default)]
    pub resources: Resources,
    /// The secrets that it is given, by name.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// How often it is tried again.
    #[serde(default)]
    pub retries: u32,
}

/// Where an input comes from, as it is written: one of `step` and `file`.
#[derive(Clone, Debug, Deserialize)]
pub struct Input {
    /// A step whose output it is.
    pub step: Option<String>,
    /// A file or folder within that output; all of it if not given.
    pub path: Option<String>,
    /// A file or folder of the user's.
    pub file: Option<PathBuf>,
}

impl JobFile {
    /// Reads a job file.
    ///
    /// # Errors
    /// When it cannot be read or says what cannot be said.
    pub fn load(path: &Path, overrides: &[Override]) -> Result<Self> {
        let refused = crate::error::refused(path);
        let length = fs::metadata(path).map(|found| found.len());
        let text = match length {
            Ok(length) if length > ROOM => {
                let reason = format!("it has {length} bytes, expected at most {ROOM}");
                return Err(Error::Malformed { job: path.display().to_string(), reason });
            }
            _ => fs::read_to_string(path).map_err(refused)?,
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Self::parse(&text, &path.display().to_string(), &stem, folder, overrides)
    }

    /// Reads the text of a job.
    ///
    /// # Errors
    /// When it says what cannot be said.
    pub fn parse(text: &str, origin: &str, name: &str, folder: &Path, overrides: &[Override]) -> Result<Self> {
        let mut table = text.parse::<Table>().map_err(malformed(origin))?;
        check_keys(origin, &table)?;
        let mut parameters = match table.remove("parameters") {
            Some(Value::Table(parameters)) => parameters,
            Some(_) => return Err(job_error(origin, "parameters is no table of names and values")),
            None => Table::new(),
        };
        check_parameters(origin, &parameters)?;
        let settings = apply(origin, overrides, &mut parameters, &table)?;
        let mut value = Value::Table(table);
        fill(origin, "", &mut value, &parameters)?;
        let written: Written = value.try_into().map_err(malformed(origin))?;
        Ok(Self {
            origin: origin.to_owned(),
            folder: folder.to_owned(),
            name: written.name.unwrap_or_else(|| name.to_owned()),
            parameters,
            secrets: written.secrets,
            steps: written.steps,
            settings,
        })
    }
}

fn malformed(origin: &str) -> impl Fn(toml::de::Error) -> Error {
    let job = origin.to_owned();
    move |reason| Error::Malformed { job: job.clone(), reason: reason.to_string().trim_end().to_owned() }
}

fn job_error(origin: &str, reason: impl Into<String>) -> Error {
    Error::Job { job: origin.to_owned(), reason: reason.into() }
}

/// Refuses every key that means nothing, wherever it stands.
fn check_keys(origin: &str, table: &Table) -> Result<()> {
    let check = |place: &str, table: &Table, known: &[&str]| -> Result<()> {
        match table.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(Error::Unknown {
                job: origin.to_owned(),
                place: place.to_owned(),
                name: key.clone(),
                what: "key of a job file here".to_owned(),
                hint: hint(key, known.iter().copied()),
            }),
        }
    };
    let below = |table: &Table, name: &str| -> Vec<(String, Table)> {
        let inner = table.get(name).and_then(Value::as_table);
        let inner = inner.into_iter().flatten();
        inner.filter_map(|(name, value)| Some((name.clone(), value.as_table()?.clone()))).collect()
    };
    check("", table, &KEYS)?;
    for (name, secret) in below(table, "secrets") {
        check(&format!("secret {name}: "), &secret, &SECRET_KEYS)?;
    }
    for (name, step) in below(table, "steps") {
        check(&format!("step {name}: "), &step, &STEP_KEYS)?;
        if let Some(resources) = step.get("resources").and_then(Value::as_table) {
            check(&format!("step {name}: resources: "), resources, &RESOURCE_KEYS)?;
        }
        for (input, table) in below(&step, "inputs") {
            check(&format!("step {name}: input {input}: "), &table, &INPUT_KEYS)?;
        }
    }
    Ok(())
}

fn check_parameters(origin: &str, parameters: &Table) -> Result<()> {
    for (name, value) in parameters {
        if !crate::names::is_plain(name) {
            return Err(job_error(
                origin,
                format!("{name:?} cannot name a parameter: expected letters, digits, - and _"),
            ));
        }
        if matches!(value, Value::Table(_) | Value::Array(_) | Value::Datetime(_)) {
            return Err(job_error(origin, format!("parameter {name} is no text, number or switch")));
        }
    }
    Ok(())
}

/// Gives parameters what was given for them, and gathers what was given for settings of steps.
fn apply(
    origin: &str,
    overrides: &[Override],
    parameters: &mut Table,
    table: &Table,
) -> Result<Vec<(String, String, String)>> {
    let steps: Vec<&str> = table
        .get("steps")
        .and_then(Value::as_table)
        .map(|steps| steps.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let mut settings = Vec::new();
    for Override { name, value } in overrides {
        if let Some((step, setting)) = name.split_once('.') {
            if !steps.contains(&step) {
                return Err(unknown(origin, step, "step of it", hint(step, steps.iter().copied())));
            }
            settings.push((step.to_owned(), setting.to_owned(), value.clone()));
            continue;
        }
        let spelled = name.replace('-', "_");
        let Some(known) = parameters.keys().find(|known| known.replace('-', "_") == spelled).cloned() else {
            let known = parameters.keys().map(String::as_str);
            return Err(unknown(origin, name, "parameter of it", hint(name, known)));
        };
        let typed = typed_like(parameters.get(&known), value);
        let typed = typed.map_err(|reason| job_error(origin, format!("parameter {known}: {reason}")))?;
        parameters.insert(known, typed);
    }
    Ok(settings)
}

fn unknown(origin: &str, name: &str, what: &str, hint: String) -> Error {
    Error::Unknown { job: origin.to_owned(), place: String::new(), name: name.to_owned(), what: what.to_owned(), hint }
}
