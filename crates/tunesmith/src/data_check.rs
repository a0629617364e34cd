//! The check of the rows before a training: when it is made, what of it is shown, where it is kept.
//!
//! What is looked for is said in [`mod@dataset::check`]; the whole of it is shown by [`crate::check_command`].

use std::fs;
use std::path::Path;

use classifier::Classifier;
use dataset::check::Tokens;
use dataset::{Dataset, Findings, Role, Severity, check};
use kernels::Cpu;
use train::Examples;

use crate::output::{OutputError, refused};

/// The file's name in the run's folder.
pub(crate) const FILE_NAME: &str = "check.json";

/// Rows with faults, where `--strict` allows none. Reads after "failed to ".
#[derive(Debug, thiserror::Error)]
#[error("accept the rows under --strict: the check has {tally} ({names}); `tunesmith check` shows them")]
pub(crate) struct NotClean {
    tally: String,
    names: String,
}

/// Looks at rows and at the tokens that a model makes of them.
pub(crate) fn check_rows(
    rows: &Dataset,
    classifier: &Classifier<Cpu>,
    splits: [(Role, Option<&Examples>); 3],
) -> Findings {
    let mut findings = check(rows);
    let splits = splits.into_iter().filter_map(|(role, examples)| Some((role, &examples?.encoded)));
    let tokens =
        Tokens { tokenizer: classifier.tokenizer(), max_length: classifier.max_length(), splits: splits.collect() };
    findings.add_tokens(rows, &tokens);
    findings
}

/// The lines for the plan.
pub(crate) fn describe(findings: &Findings) -> Vec<String> {
    let mut lines = findings.summary();
    if !findings.findings.is_empty() {
        lines.push(format!("`tunesmith check` shows rows and says what to do; the run keeps it as {FILE_NAME}"));
    }
    lines
}

/// Lets rows pass that have neither a warning nor a problem.
///
/// # Errors
/// When they have, by name.
pub(crate) fn refuse_faults(findings: &Findings) -> Result<(), NotClean> {
    let names: Vec<&str> = findings.at_least(Severity::Warning).map(|finding| finding.name).collect();
    match names.is_empty() {
        true => Ok(()),
        false => Err(NotClean { tally: findings.tally(), names: names.join(", ") }),
    }
}

/// All of it as JSON.
pub(crate) fn to_json(findings: &Findings) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(findings)? + "\n")
}

/// Writes the file into the run's folder.
///
/// # Errors
/// When the system refuses.
pub(crate) fn write(findings: &Findings, folder: &Path) -> Result<(), OutputError> {
    let file = folder.join(FILE_NAME);
    let text = to_json(findings).map_err(std::io::Error::from).map_err(refused(&file))?;
    fs::write(&file, text).map_err(refused(&file))
}
