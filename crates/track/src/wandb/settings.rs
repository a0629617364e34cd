//! What is decided about Weights & Biases before a run: by flags, by the environment, by what `wandb login` left.

use std::fmt;
use std::path::PathBuf;

use super::stored;
use crate::PlaceError;

/// Where Weights & Biases itself is.
const CLOUD: &str = "https://api.wandb.ai";

/// The project of runs that nobody gave one.
const PROJECT: &str = "tunesmith";

/// Whether a run goes to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As it goes.
    Online,
    /// Later, by `wandb sync`.
    Offline,
    /// Never.
    Disabled,
}

/// Whether weights go there too: `WANDB_LOG_MODEL`, as `transformers` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogModel {
    /// No.
    Never,
    /// The model at the end.
    End,
    /// That, and every checkpoint.
    Checkpoint,
}

/// What becomes of a run that is there under the same id already: `WANDB_RESUME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// It is gone on with.
    Allow,
    /// It is gone on with, and has to be there.
    Must,
    /// It is left alone, and this run refused.
    Never,
}

/// What flags say; the environment says the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The project, rather than `WANDB_PROJECT`.
    pub project: Option<String>,
    /// The user or team, rather than `WANDB_ENTITY`.
    pub entity: Option<String>,
    /// What the run is called there, rather than `WANDB_NAME`.
    pub name: Option<String>,
    /// The group, rather than `WANDB_RUN_GROUP`.
    pub group: Option<String>,
    /// Notes, rather than `WANDB_NOTES`.
    pub notes: Option<String>,
    /// Tags, beside those of `WANDB_TAGS`.
    pub tags: Vec<String>,
    /// The mode, rather than `WANDB_MODE`.
    pub mode: Option<Mode>,
}

/// Everything that is decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What happens: online only where there is a key.
    pub mode: Mode,
    /// Something the user should read, such as why a run is kept offline.
    pub note: Option<String>,
    pub(crate) base_url: String,
    pub(crate) app_url: Option<String>,
    pub(crate) key: Option<Key>,
    pub(crate) project: String,
    pub(crate) entity: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) run_id: Option<String>,
    pub(crate) resume: Option<Resume>,
    pub(crate) tags: Vec<String>,
    pub(crate) notes: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) job_type: Option<String>,
    pub(crate) host: Option<String>,
    /// The folder that gets a folder `wandb`; that of the run where nothing is said.
    pub(crate) dir: Option<PathBuf>,
    pub(crate) silent: bool,
    pub(crate) log_model: LogModel,
    /// Whether the recipe and the command go there.
    pub(crate) save_code: bool,
}

/// A password that no message shows.
#[derive(Clone, PartialEq)]
pub(crate) struct Key(pub(crate) String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Settings {
    /// What flags and the environment say.
    ///
    /// # Errors
    /// A refusal that names the variable and what it may be.
    pub fn from_env(options: &Options) -> Result<Self, PlaceError> {
        Self::read(options, &|name| std::env::var(name).ok())
    }

    pub(super) fn read(options: &Options, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, PlaceError> {
        let said = |name: &str| env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let is_set = |name: &str| said(name).is_some_and(|value| is_yes(&value));
        let stored = stored::settings(&said);
        let base_url = said("WANDB_BASE_URL").or_else(|| stored.get("base_url").cloned());
        let base_url = base_url.unwrap_or_else(|| CLOUD.to_owned()).trim_end_matches('/').to_owned();
        if !base_url.starts_with("https://") && !base_url.starts_with("http://") {
            return Err(bad("WANDB_BASE_URL", &base_url, "an address that begins with https:// or http://"));
        }
        let key = said("WANDB_API_KEY").or_else(|| stored::password(&base_url, &said)).map(Key);
        let asked = match (options.mode, said("WANDB_MODE").or_else(|| stored.get("mode").cloned())) {
            _ if is_set("WANDB_DISABLED") => Some(Mode::Disabled),
            (Some(mode), _) => Some(mode),
            (None, Some(mode)) => Some(parse_mode(&mode)?),
            (None, None) => None,
        };
        let mode = match asked {
            Some(Mode::Online) | None if key.is_none() => Mode::Offline,
            asked => asked.unwrap_or(Mode::Online),
        };
        let dir = said("WANDB_DIR").map(PathBuf::from);
        let silent = is_set("WANDB_SILENT");
        let note = (mode == Mode::Offline && !silent).then(|| note(asked, dir.as_ref()));
        let tags = said("WANDB_TAGS").unwrap_or_default();
        let tags = tags.split(',').map(|tag| tag.trim().to_owned()).chain(options.tags.iter().cloned());
        let run_id = said("WANDB_RUN_ID");
        if let Some(id) = run_id.as_ref().filter(|id| id.contains(['/', '\\', '#', '?', '%', ':'])) {
            return Err(bad("WANDB_RUN_ID", id, "a name without any of / \\ # ? % :"));
        }
        Ok(Self {
            mode,
            note,
            base_url,
            app_url: said("WANDB_APP_URL").map(|url| url.trim_end_matches('/').to_owned()),
            key,
            project: options
                .project
                .clone()
                .or_else(|| said("WANDB_PROJECT"))
                .or_else(|| stored.get("project").cloned())
                .unwrap_or_else(|| PROJECT.to_owned()),
            entity: options.entity.clone().or_else(|| said("WANDB_ENTITY")).or_else(|| stored.get("entity").cloned()),
            name: options.name.clone().or_else(|| said("WANDB_NAME")),
            run_id,
            resume: said("WANDB_RESUME").map(|value| parse_resume(&value)).transpose()?.flatten(),
            tags: unique(tags),
            notes: options.notes.clone().or_else(|| said("WANDB_NOTES")),
            group: options.group.clone().or_else(|| said("WANDB_RUN_GROUP")),
            job_type: said("WANDB_JOB_TYPE"),
            host: said("WANDB_HOST"),
            dir,
            silent,
            log_model: said("WANDB_LOG_MODEL").map_or(Ok(LogModel::Never), |value| parse_log_model(&value))?,
            save_code: !is_set("WANDB_DISABLE_CODE"),
        })
    }
}

fn note(asked: Option<Mode>, dir: Option<&PathBuf>) -> String {
    let folder =
        dir.map_or_else(|| "wandb in the run's folder".to_owned(), |dir| dir.join("wandb").display().to_string());
    let why = match asked {
        Some(Mode::Offline) => "as asked",
        _ => "for lack of a key (WANDB_API_KEY, or what `wandb login` stores)",
    };
    format!(
        "Weights & Biases: kept offline {why}, in {folder}; `wandb sync` with the folder offline-run-... there uploads it"
    )
}

fn unique(tags: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept = Vec::new();
    for tag in tags {
        if !tag.is_empty() && !kept.contains(&tag) {
            kept.push(tag);
        }
    }
    kept
}

fn is_yes(value: &str) -> bool {
    ["1", "true", "yes", "on", "t", "y"].contains(&value.to_ascii_lowercase().as_str())
}

fn bad(name: &str, value: &str, expected: &str) -> PlaceError {
    PlaceError::refused(format!("{name} is `{value}`; it should be {expected}"))
}

fn parse_mode(value: &str) -> Result<Mode, PlaceError> {
    match value.to_ascii_lowercase().as_str() {
        // The older names of the same.
        "online" | "run" => Ok(Mode::Online),
        "offline" | "dryrun" => Ok(Mode::Offline),
        "disabled" => Ok(Mode::Disabled),
        _ => Err(bad("WANDB_MODE", value, "online, offline or disabled")),
    }
}

fn parse_resume(value: &str) -> Result<Option<Resume>, PlaceError> {
    match value.to_ascii_lowercase().as_str() {
        // `auto` finds the id of the last run of the folder, which the journal does here.
        "auto" => Ok(None),
        "allow" | "true" => Ok(Some(Resume::Allow)),
        "must" => Ok(Some(Resume::Must)),
        "never" => Ok(Some(Resume::Never)),
        _ => Err(bad("WANDB_RESUME", value, "allow, must, never or auto")),
    }
}

fn parse_log_model(value: &str) -> Result<LogModel, PlaceError> {
    match value.to_ascii_lowercase().as_str() {
        "false" => Ok(LogModel::Never),
        "end" => Ok(LogModel::End),
        "checkpoint" => Ok(LogModel::Checkpoint),
        _ => Err(bad("WANDB_LOG_MODEL", value, "end, checkpoint or false")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn read(options: &Options, env: &[(&str, &str)]) -> Result<Settings, PlaceError> {
        let env: HashMap<_, _> = env.iter().copied().collect();
        Settings::read(options, &|name| env.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn without_a_key_there_is_no_prompt_but_a_folder_and_a_sentence() {
        for env in [&[][..], &[("WANDB_MODE", "online")], &[("WANDB_API_KEY", " ")]] {
            let settings = read(&Options::default(), env).unwrap();
            assert_eq!(settings.mode, Mode::Offline);
            let note = settings.note.unwrap();
            assert!(note.contains("WANDB_API_KEY") && note.contains("wandb sync"), "{note}");
        }
    }

    #[test]
    fn a_key_means_online_unless_something_else_is_said() {
        let key = ("WANDB_API_KEY", "secret");
        let mode = |env: &[(&str, &str)]| read(&Options::default(), env).unwrap().mode;
        assert_eq!(mode(&[key]), Mode::Online);
        assert_eq!(mode(&[key, ("WANDB_MODE", "offline")]), Mode::Offline);
        assert_eq!(mode(&[key, ("WANDB_MODE", "dryrun")]), Mode::Offline);
        assert_eq!(mode(&[key, ("WANDB_MODE", "disabled")]), Mode::Disabled);
        assert_eq!(mode(&[key, ("WANDB_DISABLED", "true")]), Mode::Disabled);
        let options = Options { mode: Some(Mode::Online), ..Options::default() };
        assert_eq!(read(&options, &[key, ("WANDB_MODE", "offline")]).unwrap().mode, Mode::Online);
    }

    #[test]
    fn the_key_is_in_no_message() {
        let settings = read(&Options::default(), &[("WANDB_API_KEY", "secret")]).unwrap();
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn flags_come_before_the_environment_and_tags_add_up() {
        let options =
            Options { project: Some("mine".into()), tags: vec!["b".into(), "c".into()], ..Options::default() };
        let env = [("WANDB_PROJECT", "theirs"), ("WANDB_ENTITY", "team"), ("WANDB_TAGS", "a, b,,")];
        let settings = read(&options, &env).unwrap();
        assert_eq!((settings.project.as_str(), settings.entity.as_deref()), ("mine", Some("team")));
        assert_eq!(settings.tags, ["a", "b", "c"]);
        assert_eq!(read(&Options::default(), &[]).unwrap().project, PROJECT);
    }

    #[test]
    fn values_that_mean_nothing_are_named() {
        let cases = [
            ("WANDB_MODE", "of"),
            ("WANDB_RESUME", "perhaps"),
            ("WANDB_LOG_MODEL", "all"),
            ("WANDB_BASE_URL", "wandb.example"),
            ("WANDB_RUN_ID", "a/b"),
        ];
        for (name, value) in cases {
            let error = read(&Options::default(), &[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }

    #[test]
    fn silent_means_no_note() {
        assert_eq!(read(&Options::default(), &[("WANDB_SILENT", "true")]).unwrap().note, None);
    }
}
