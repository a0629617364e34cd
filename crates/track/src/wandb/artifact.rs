//! A set of files as a version of something: its digests, its manifest, and which files are a model.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use journal::{Event, RunInfo};
use serde_json::{Map, Value, json};

use super::describe::{display_name, run_id};
use super::rows::Rows;
use super::settings::{LogModel, Settings};
use crate::PlaceError;

/// How the server keeps files; there is no other way.
pub(super) const POLICY: &str = "wandb-storage-policy-v1";

/// The first line of what a manifest's digest is of.
const MANIFEST: &str = "wandb-artifact-manifest-v1\n";

/// A set of files.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Artifact {
    /// All versions of one thing have one name.
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) aliases: Vec<String>,
    pub(super) metadata: Value,
    pub(super) files: Vec<ArtifactFile>,
}

/// A file of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ArtifactFile {
    /// Where it is in the set.
    pub(super) name: String,
    /// Where it is here.
    pub(super) path: PathBuf,
    pub(super) size: u64,
    /// MD5 in base 64.
    pub(super) digest: String,
}

/// What an artifact is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    folder: PathBuf,
    /// Whether everything in the folder belongs to it, or only what is a model.
    everything: bool,
    aliases: Vec<String>,
    metadata: Value,
}

impl Wanted {
    /// The artifact that an event asks for, where the user wants weights to go there.
    pub(super) fn of(event: &Event, folder: &Path, settings: &Settings, rows: &Rows) -> Option<Self> {
        match event {
            Event::Artifact { path, kind: journal::ArtifactKind::Model } if settings.log_model != LogModel::Never => {
                Some(Self {
                    folder: folder.join(path),
                    everything: false,
                    aliases: vec!["latest".to_owned(), "final_model".to_owned()],
                    metadata: metadata(rows, "final_model", json!(true)),
                })
            }
            Event::Checkpoint { step, path, best } if settings.log_model == LogModel::Checkpoint => {
                let mut aliases = vec!["latest".to_owned(), format!("checkpoint_global_step_{step}")];
                aliases.extend(best.then(|| "best".to_owned()));
                let metadata = metadata(rows, super::rows::GLOBAL_STEP, json!(step));
                // A checkpoint's path is as the run's folder was named, or absolute, or seen from that folder.
                let folder = if path.exists() { path.clone() } else { folder.join(path) };
                Some(Self { folder, everything: true, aliases, metadata })
            }
            _ => None,
        }
    }

    /// Reads the files. A folder that is gone, as old checkpoints go, is nothing.
    ///
    /// # Errors
    /// When something else is in the way.
    pub(super) fn read(
        self,
        run: &RunInfo,
        settings: &Settings,
        alive: &dyn Fn(),
    ) -> Result<Option<Artifact>, PlaceError> {
        let files = match self.files(alive) {
            Err(PlaceError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            files => files?,
        };
        let name = settings.name.clone().unwrap_or_else(|| match display_name(run, settings) {
            "" => run_id(run, settings),
            name => name.to_owned(),
        });
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let name = format!("model-{name}").chars().map(plain).take(128).collect();
        let Self { aliases, metadata, .. } = self;
        Ok((!files.is_empty()).then_some(Artifact { name, kind: "model", aliases, metadata, files }))
    }

    fn files(&self, alive: &dyn Fn()) -> Result<Vec<ArtifactFile>, PlaceError> {
        let mut paths = Vec::new();
        walk(&self.folder, self.everything, &mut paths)?;
        let mut files = Vec::new();
        for path in paths {
            let name = path.strip_prefix(&self.folder).unwrap_or(&path);
            let name = name.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
            if self.everything || is_of_a_model(&name) {
                let (size, digest) =
                    digest(&path, alive).map_err(|source| PlaceError::Io { file: path.clone(), source })?;
                files.push(ArtifactFile { name, path, size, digest });
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }
}

fn metadata(rows: &Rows, name: &str, value: Value) -> Value {
    let figures = rows.summary.iter().filter(|(name, _)| !name.starts_with('_'));
    // What is no number in JSON is left out.
    let mut metadata: Map<String, Value> =
        figures.filter_map(|(name, value)| Some((name.clone(), serde_json::from_str(value).ok()?))).collect();
    metadata.insert(name.to_owned(), value);
    Value::Object(metadata)
}

/// Whether a file of a run's folder belongs to its model.
fn is_of_a_model(name: &str) -> bool {
    const OTHERS: [&str; 7] = [
        "config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.txt",
        "vocab.json",
        "merges.txt",
        "README.md",
    ];
    let of_weights = name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json");
    let of_tokenizer = name.starts_with("tokenizer") && (name.ends_with(".json") || name.ends_with(".model"));
    of_weights || of_tokenizer || OTHERS.contains(&name)
}

fn walk(folder: &Path, deep: bool, paths: &mut Vec<PathBuf>) -> Result<(), PlaceError> {
    let refused = |source| PlaceError::Io { file: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let kind = entry.file_type().map_err(refused)?;
        if kind.is_file() {
            paths.push(entry.path());
        } else if kind.is_dir() && deep {
            walk(&entry.path(), deep, paths)?;
        }
    }
    Ok(())
}

fn digest(path: &Path, alive: &dyn Fn()) -> io::Result<(u64, String)> {
    let (mut file, mut context) = (File::open(path)?, md5::Context::new());
    let (mut buffer, mut size) = (vec![0; 1 << 20], 0);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((size, STANDARD.encode(context.finalize().0)));
        }
        context.consume(&buffer[..read]);
        size += read as u64;
        alive();
    }
}

impl Artifact {
    /// MD5 in base 16 of the names and digests of its files: equal for equal contents.
    pub(super) fn digest(&self) -> String {
        let lines = self.files.iter().map(|file| format!("{}:{}\n", file.name, file.digest));
        let text: String = std::iter::once(MANIFEST.to_owned()).chain(lines).collect();
        format!("{:x}", md5::compute(text))
    }

    /// Names for this version and for all versions, before the server has given any. The same content of the same run has
    /// the same, so that a second attempt is known as one.
    pub(super) fn client_ids(&self, run_id: &str) -> (String, String) {
        let id = |text: String| format!("{:x}{:x}", md5::compute(&text), md5::compute(format!("{text}#")));
        (
            id(format!("{run_id}/{}/{}/{}", self.name, self.digest(), self.aliases.join(","))),
            id(format!("{run_id}/{}", self.name)),
        )
    }

    /// `wandb_manifest.json`, which says of each file since which version it is unchanged.
    pub(super) fn manifest(&self, birth_ids: &[String]) -> String {
        let entries = self.files.iter().zip(birth_ids);
        let contents: Map<String, Value> = entries
            .map(|(file, birth)| {
                (file.name.clone(), json!({"digest": file.digest, "birthArtifactID": birth, "size": file.size}))
            })
            .collect();
        json!({
            "version": 1,
            "storagePolicy": POLICY,
            "storagePolicyConfig": {"storageLayout": "V2"},
            "contents": contents,
        })
        .to_string()
    }

    /// The same files, copied to `folder`: for someone who removes them when done.
    pub(super) fn copied(&self, folder: &Path) -> io::Result<Self> {
        let mut copied = self.clone();
        for file in &mut copied.files {
            let path = folder.join(&file.name);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::copy(&file.path, &path)?;
            file.path = std::path::absolute(path)?;
        }
        Ok(copied)
    }
}

/// MD5 in base 64.
pub(super) fn md5_of(bytes: &[u8]) -> String {
    STANDARD.encode(md5::compute(bytes).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_not_the_whole_folder_of_its_run() {
        let yes = [
            "config.json",
            "model.safetensors",
            "model-00001-of-00002.safetensors",
            "tokenizer_config.json",
            "README.md",
        ];
        assert!(yes.iter().all(|name| is_of_a_model(name)));
        let no = ["journal.jsonl", "trainer_state.json", "report.html", "test_predictions.csv", "all_results.json"];
        assert!(!no.iter().any(|name| is_of_a_model(name)));
    }

    /// The digests that wandb 0.31.0 computes of the same files.
    #[test]
    fn digests_are_those_of_the_real_client() {
        let file = |name: &str, text: &str| ArtifactFile {
            name: name.into(),
            path: name.into(),
            size: text.len() as u64,
            digest: md5_of(text.as_bytes()),
        };
        let files = vec![file("a.txt", "one\n"), file("b/c.txt", "")];
        assert_eq!(files[1].digest, "1B2M2Y8AsgTpgAmY7PhCfg==");
        let artifact = Artifact { name: "m".into(), kind: "model", aliases: vec![], metadata: Value::Null, files };
        assert_eq!(artifact.digest(), "42aaf054053352764bac80b4cec131f7");
    }
}
