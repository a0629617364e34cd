//! A folder of repos, and what is said of them beside it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use serde::Deserialize;

use crate::access::User;
use crate::repos::Kind;
use crate::state::State;

/// `stand-in.json`: what files cannot say. Repos are named as their folders are, `models/ORG/NAME`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    tokens: BTreeMap<String, User>,
    private: Vec<String>,
    gated: Vec<String>,
    /// From an old name to a new one.
    moved: BTreeMap<String, String>,
}

pub(crate) fn add(state: &State, folder: &Path) -> io::Result<()> {
    for kind in [Kind::Model, Kind::Dataset] {
        for owner in folders(&folder.join(kind.plural()))? {
            for name in folders(&folder.join(kind.plural()).join(&owner))? {
                let mut files = BTreeMap::new();
                read(&folder.join(kind.plural()).join(&owner).join(&name), "", &mut files)?;
                state.repos().put(kind, &format!("{owner}/{name}"), "main", files);
            }
        }
    }
    let settings: Settings = match fs::read(folder.join("stand-in.json")) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Settings::default(),
        Err(error) => return Err(error),
    };
    state.access().extend(settings.tokens);
    let mut repos = state.repos();
    for (kind, name) in named(&settings.private)? {
        repos.change(kind, name, |repo| repo.private = true);
    }
    for (kind, name) in named(&settings.gated)? {
        repos.change(kind, name, |repo| repo.gated = true);
    }
    for (old, new) in &settings.moved {
        let ((kind, old), (_, new)) = (split(old)?, split(new)?);
        repos.add_old_name(kind, old, new);
    }
    Ok(())
}

fn named(names: &[String]) -> io::Result<Vec<(Kind, &str)>> {
    names.iter().map(|name| split(name)).collect()
}

fn split(name: &str) -> io::Result<(Kind, &str)> {
    let parts = name.split_once('/').and_then(|(plural, name)| Some((Kind::from_plural(plural)?, name)));
    parts.ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{name:?} is not models/... nor datasets/..."))
    })
}

fn folders(folder: &Path) -> io::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder)?.filter_map(Result::ok).filter(|entry| entry.path().is_dir());
    let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn read(folder: &Path, below: &str, files: &mut BTreeMap<String, Arc<[u8]>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.path().is_dir() {
            read(&entry.path(), &path, files)?;
        } else {
            files.insert(path, Arc::from(fs::read(entry.path())?));
        }
    }
    Ok(())
}
