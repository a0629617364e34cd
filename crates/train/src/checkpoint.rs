//! Checkpoints: whole or not there.
//!
//! A checkpoint is written into a hidden folder beside its place, synced, and renamed; a crash at any moment leaves
//! either the old state or the new one, and hidden leftovers that the next run clears away: `.checkpoint-N.tmp` is not
//! complete yet, `.checkpoint-N.old` makes room for a new one of that step and comes back if that never arrived,
//! `.checkpoint-N.gone` is on its way out.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use classifier::Classifier;
use encoder::tensors::{TensorFile, write_safetensors};
use kernels::{Backend, Part};
use serde_json::{Map, Value, json};

use crate::dynamics::Dynamics;
use crate::state::TrainerState;
use crate::{Error, identity};

const STATE: &str = "trainer_state.json";
const OPTIMIZER: &str = "optimizer.safetensors";
const RUN: &str = "run.json";

/// The moments' names, as PyTorch's optimiser state spells them.
const MOMENTS: [(Part, &str); 2] = [(Part::FirstMoment, "exp_avg"), (Part::SecondMoment, "exp_avg_sq")];

/// What a checkpoint says of the run it belongs to.
pub(crate) struct Belonging<'a> {
    /// What must be equal for a resume.
    pub(crate) identity: &'a Map<String, Value>,
    /// The machine's way of computing, which should be.
    pub(crate) arithmetic: &'a str,
}

/// The folder of the checkpoint at `step`.
pub(crate) fn folder(output: &Path, step: u64) -> PathBuf {
    output.join(format!("checkpoint-{step}"))
}

/// All complete checkpoints with their steps, the earliest first.
pub(crate) fn checkpoints(output: &Path) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(output).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let step = entry.file_name().to_str()?.strip_prefix("checkpoint-")?.parse().ok()?;
            entry.path().join(STATE).is_file().then(|| (step, entry.path()))
        })
        .collect();
    found.sort_unstable();
    found
}

/// The last complete checkpoint in a run's folder; after a crash, once [`remove_leftovers`] has been there.
#[must_use]
pub fn latest_checkpoint(output: &Path) -> Option<PathBuf> {
    checkpoints(output).pop().map(|(_, path)| path)
}

/// Removes what a crash in the middle of a checkpoint left behind, and puts back what the checkpoint was to replace.
///
/// # Errors
/// Where the system refuses.
pub fn remove_leftovers(output: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(output).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        let replaced = name.strip_prefix('.').and_then(|name| name.strip_suffix(".old")).map(|name| output.join(name));
        if let Some(target) = replaced.filter(|target| name.starts_with(".checkpoint-") && !target.exists()) {
            fs::rename(&path, &target).map_err(Error::write(&target))?;
        } else if name.starts_with(".checkpoint-") && path.is_dir() {
            fs::remove_dir_all(&path).map_err(Error::write(&path))?;
        } else if name.starts_with(".model.safetensors.") && name.ends_with(".tmp") {
            fs::remove_file(&path).map_err(Error::write(&path))?;
        }
    }
    Ok(())
}

/// Writes the checkpoint of `state` and returns its folder.
///
/// # Errors
/// Where the system refuses, a full disk above all; earlier checkpoints are untouched then.
pub(crate) fn save<B: Backend>(
    output: &Path,
    classifier: &Classifier<B>,
    dynamics: &Dynamics,
    state: &TrainerState,
    state_json: &Value,
    belonging: &Belonging<'_>,
) -> Result<PathBuf, Error> {
    let target = folder(output, state.global_step);
    let beside = output.join(format!(".checkpoint-{}.tmp", state.global_step));
    if beside.exists() {
        fs::remove_dir_all(&beside).map_err(Error::write(&beside))?;
    }
    fs::create_dir(&beside).map_err(Error::write(&beside))?;
    let written = write_all(&beside, classifier, dynamics, state_json, belonging)
        .and_then(|()| replace(output, &beside, &target));
    if written.is_err() {
        // The reason for the failure is what the user must hear; the leftover is removed on the next start at the latest.
        let _ = fs::remove_dir_all(&beside);
    }
    written.map(|()| target)
}

fn write_all<B: Backend>(
    folder: &Path,
    classifier: &Classifier<B>,
    dynamics: &Dynamics,
    state: &Value,
    belonging: &Belonging<'_>,
) -> Result<(), Error> {
    classifier.save(folder)?;
    let network = classifier.network();
    let mut moments = Vec::new();
    for (part, prefix) in MOMENTS {
        moments.extend(network.tensors(part).map(|(name, shape, values)| (format!("{prefix}.{name}"), shape, values)));
    }
    let tensors = moments.iter().map(|(name, shape, values)| (name.as_str(), &shape[..], &values[..]));
    write_safetensors(folder.join(OPTIMIZER), &[], tensors)?;
    dynamics.write(folder)?;
    let run = json!({"arithmetic": belonging.arithmetic, "identity": belonging.identity});
    for (name, content) in [(STATE, state), (RUN, &run)] {
        let path = folder.join(name);
        fs::write(&path, format!("{content:#}\n")).map_err(Error::write(&path))?;
    }
    for entry in fs::read_dir(folder).map_err(Error::write(folder))? {
        let path = entry.map_err(Error::write(folder))?.path();
        File::open(&path).and_then(|file| file.sync_all()).map_err(Error::write(&path))?;
    }
    sync_folder(folder)
}

/// Puts the folder `beside` in the place of `target`, which may exist: a run that went back to an earlier checkpoint
/// passes the same steps again.
fn replace(output: &Path, beside: &Path, target: &Path) -> Result<(), Error> {
    if target.exists() {
        let old = beside.with_extension("old");
        if old.exists() {
            fs::remove_dir_all(&old).map_err(Error::write(&old))?;
        }
        fs::rename(target, &old).map_err(Error::write(target))?;
        if let Err(error) = fs::rename(beside, target) {
            // The reason is what the user must hear; the next start puts the old one back where this could not.
            let _ = fs::rename(&old, target);
            return Err(Error::write(target)(error));
        }
        fs::remove_dir_all(&old).map_err(Error::write(&old))?;
    } else {
        fs::rename(beside, target).map_err(Error::write(target))?;
    }
    sync_folder(output)
}

/// Makes a rename last through a power failure; where folders cannot be synced the file system orders renames itself.
fn sync_folder(folder: &Path) -> Result<(), Error> {
    if cfg!(unix) { File::open(folder).and_then(|f| f.sync_all()).map_err(Error::write(folder)) } else { Ok(()) }
}

/// Puts the weights of a checkpoint into `classifier`.
///
/// # Errors
/// Where a tensor is missing, damaged or of another shape.
pub(crate) fn load_weights<B: Backend>(path: &Path, classifier: &mut Classifier<B>) -> Result<(), Error> {
    let file = TensorFile::open(path.join("model.safetensors"))?;
    classifier.network_mut().set_tensors(Part::Value, |name, shape| file.read_f32_shaped(name, shape))?;
    Ok(())
}

/// Puts weights and moments of a checkpoint of this run into `classifier` and returns its state, and how the machine
/// that wrote it computed.
///
/// # Errors
/// A damaged checkpoint, or one of another run.
pub(crate) fn load<B: Backend>(
    path: &Path,
    classifier: &mut Classifier<B>,
    identity: &Map<String, Value>,
) -> Result<(TrainerState, String), Error> {
    let run = read_json(&path.join(RUN))?;
    let then = run["identity"].as_object().cloned().unwrap_or_default();
    identity::check(path, &then, identity)?;
    let state_path = path.join(STATE);
    let state = TrainerState::from_json(&read_json(&state_path)?)
        .map_err(|error| Error::State { path: state_path, found: error.to_string() })?;
    load_weights(path, classifier)?;
    let file = TensorFile::open(path.join(OPTIMIZER))?;
    for (part, prefix) in MOMENTS {
        let read = |name: &str, shape: &[usize]| file.read_f32_shaped(&format!("{prefix}.{name}"), shape);
        classifier.network_mut().set_tensors(part, read)?;
    }
    Ok((state, run["arithmetic"].as_str().unwrap_or_default().to_owned()))
}

fn read_json(path: &Path) -> Result<Value, Error> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::State { path: path.to_owned(), found: error.to_string() })
}

/// Removes the oldest checkpoints beyond `limit`, never the best one nor that of `step`, which is the newest. Those of
/// later steps are from before a run went back: they and the best one they name are complete, and stay.
///
/// # Errors
/// Where the system refuses.
pub(crate) fn rotate(output: &Path, limit: Option<usize>, newest: u64, best: Option<u64>) -> Result<(), Error> {
    let Some(limit) = limit else { return Ok(()) };
    let mut all = checkpoints(output);
    all.retain(|(step, _)| *step <= newest);
    let mut excess = all.len().saturating_sub(limit);
    for (step, _) in all {
        if excess > 0 && Some(step) != best && step != newest {
            remove(output, step)?;
            excess -= 1;
        }
    }
    Ok(())
}

/// Removes the checkpoint of a step, if it is there.
///
/// # Errors
/// Where the system refuses.
pub(crate) fn remove(output: &Path, step: u64) -> Result<(), Error> {
    let path = folder(output, step);
    if !path.exists() {
        return Ok(());
    }
    // Renamed first, so that a crash in between leaves no half checkpoint under its name.
    let away = output.join(format!(".checkpoint-{step}.gone"));
    fs::rename(&path, &away).and_then(|()| fs::remove_dir_all(&away)).map_err(Error::write(&path))
}
