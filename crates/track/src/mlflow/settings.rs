//! Where runs go and as whom, read from the environment as the MLflow client reads it.

use std::path::{Path, PathBuf};
use std::{env, fs};

use indexmap::IndexMap;
use serde_json::Value;

use super::databricks;
use super::ini;
use crate::PlaceError;
use crate::http::Trust;

/// What the user said for this run; the environment fills what is missing.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Name of the experiment; `MLFLOW_EXPERIMENT_NAME` or `MLFLOW_EXPERIMENT_ID` otherwise.
    pub experiment: Option<String>,
    /// Name of the run; `MLFLOW_RUN_NAME` otherwise, and else what the run calls itself.
    pub run_name: Option<String>,
    /// Tags, beside and above those of `MLFLOW_TAGS`.
    pub tags: Vec<(String, String)>,
}

/// Where runs go and as whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address of the server, without a slash at the end.
    pub(super) host: String,
    pub(super) identity: Identity,
    pub(super) databricks: bool,
    pub(super) trust: Option<Trust>,
    pub(super) experiment: Experiment,
    pub(super) run_name: Option<String>,
    /// A run that is there already and is to be used: `MLFLOW_RUN_ID`.
    pub(super) run_id: Option<String>,
    pub(super) tags: IndexMap<String, String>,
}

/// How the server knows us. Its `Debug` says nothing secret.
#[derive(Clone, PartialEq)]
pub(super) enum Identity {
    Nobody,
    Password {
        user: String,
        password: String,
    },
    Token(String),
    /// A service principal of Databricks, which gets a token for a while.
    Client {
        id: String,
        secret: String,
    },
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Password { .. } => "Password",
            Self::Token(_) => "Token",
            Self::Client { .. } => "Client",
        })
    }
}

/// The experiment of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Experiment {
    Id(String),
    Name(String),
}

/// The environment, or what a test says it is.
pub(super) struct Environment<'a> {
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    pub(super) home: Option<PathBuf>,
}

impl Environment<'_> {
    /// A variable that says something.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| ["true", "1", "yes"].contains(&value.to_lowercase().as_str()))
    }
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// A refusal that says which variable is missing or wrong, and what it should be.
    pub fn from_env(options: &Options) -> Result<Self, PlaceError> {
        Self::from_variables(options, &|name| env::var(name).ok(), env::home_dir())
    }

    /// Reads variables that need not be those of the process, and the files of a home folder.
    ///
    /// # Errors
    /// As [`Settings::from_env`].
    pub fn from_variables(
        options: &Options,
        variable: &dyn Fn(&str) -> Option<String>,
        home: Option<PathBuf>,
    ) -> Result<Self, PlaceError> {
        let environment = &Environment { variable, home };
        let uri = environment.get("MLFLOW_TRACKING_URI").ok_or_else(|| {
            PlaceError::refused("MLFLOW_TRACKING_URI is not set; it names the server, such as http://127.0.0.1:5000")
        })?;
        let (host, identity, databricks) = match uri.split_once("://") {
            Some(("http" | "https", _)) => {
                let (host, inside) = without_identity(&uri);
                (host, inside.map_or_else(|| identity(environment), Ok)?, false)
            }
            Some(("databricks", profile)) => {
                let (host, identity) =
                    databricks::workspace(environment, Some(profile).filter(|name| !name.is_empty()))?;
                (host, identity, true)
            }
            None if uri == "databricks" => {
                let (host, identity) = databricks::workspace(environment, None)?;
                (host, identity, true)
            }
            _ => {
                return Err(PlaceError::refused(format!(
                    "MLFLOW_TRACKING_URI is {uri}, and only servers are reached (http://, https://, databricks); \
                     `mlflow server --backend-store-uri {uri}` makes one of it"
                )));
            }
        };
        Ok(Self {
            host: host.trim_end_matches('/').to_owned(),
            identity,
            databricks,
            trust: trust(environment)?,
            experiment: experiment(options, environment, databricks)?,
            run_name: options.run_name.clone().or_else(|| environment.get("MLFLOW_RUN_NAME")),
            run_id: environment.get("MLFLOW_RUN_ID"),
            tags: tags(options, environment)?,
        })
    }
}

fn trust(environment: &Environment<'_>) -> Result<Option<Trust>, PlaceError> {
    if environment.is_true("MLFLOW_TRACKING_INSECURE_TLS") {
        return Ok(Some(Trust::Anybody));
    }
    environment.get("MLFLOW_TRACKING_SERVER_CERT_PATH").map(|file| Trust::read(Path::new(&file))).transpose()
}

fn experiment(options: &Options, environment: &Environment<'_>, databricks: bool) -> Result<Experiment, PlaceError> {
    if let Some(name) = &options.experiment {
        return Ok(Experiment::Name(name.clone()));
    }
    if let Some(id) = environment.get("MLFLOW_EXPERIMENT_ID") {
        return Ok(Experiment::Id(id));
    }
    match environment.get("MLFLOW_EXPERIMENT_NAME") {
        Some(name) => Ok(Experiment::Name(name)),
        None if databricks => Err(PlaceError::refused(
            "Databricks has no experiment to fall back on; MLFLOW_EXPERIMENT_NAME names one, such as /Shared/my-classifier",
        )),
        // The one that every server has.
        None => Ok(Experiment::Id("0".to_owned())),
    }
}

/// `MLFLOW_TAGS` is a JSON object, as the integration of `transformers` reads it.
fn tags(options: &Options, environment: &Environment<'_>) -> Result<IndexMap<String, String>, PlaceError> {
    let mut tags = IndexMap::new();
    if let Some(text) = environment.get("MLFLOW_TAGS") {
        let said: IndexMap<String, Value> = serde_json::from_str(&text).map_err(|error| {
            PlaceError::refused(format!(
                "MLFLOW_TAGS is no JSON object such as {{\"team\": \"search\"}}, but {text:?}: {error}"
            ))
        })?;
        tags.extend(said.into_iter().map(|(key, value)| (key, as_text(&value))));
    }
    tags.extend(options.tags.iter().cloned());
    Ok(tags)
}

/// A value as MLflow shows it: words as they are, everything else as JSON.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Name and password before the host, as in `http://user:password@host`, are taken out: addresses are shown.
fn without_identity(uri: &str) -> (String, Option<Identity>) {
    let Some((scheme, rest)) = uri.split_once("://") else { return (uri.to_owned(), None) };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((identity, host)) = authority.rsplit_once('@') else { return (uri.to_owned(), None) };
    let (user, password) = identity.split_once(':').unwrap_or((identity, ""));
    let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let identity = Identity::Password { user: plain(user), password: plain(password) };
    (format!("{scheme}://{host}{path}"), Some(identity))
}

/// The variables, then the file that `mlflow login` and its documentation speak of.
fn identity(environment: &Environment<'_>) -> Result<Identity, PlaceError> {
    let file = environment.home.as_deref().map(|home| home.join(".mlflow/credentials"));
    let mut kept = file.as_deref().map(|file| read(file, "mlflow")).transpose()?.flatten().unwrap_or_default();
    let mut get = |name: &str| environment.get(name).or_else(|| kept.remove(&name.to_lowercase()));
    let (user, password) = (get("MLFLOW_TRACKING_USERNAME"), get("MLFLOW_TRACKING_PASSWORD"));
    Ok(match (user, password, get("MLFLOW_TRACKING_TOKEN")) {
        (Some(user), password, _) => Identity::Password { user, password: password.unwrap_or_default() },
        (None, _, Some(token)) => Identity::Token(token),
        (None, Some(_), None) => {
            return Err(PlaceError::refused("MLFLOW_TRACKING_PASSWORD is set and MLFLOW_TRACKING_USERNAME is not"));
        }
        (None, None, None) => Identity::Nobody,
    })
}

/// A section of a file that may not be there.
pub(super) fn read(file: &Path, name: &str) -> Result<Option<std::collections::BTreeMap<String, String>>, PlaceError> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(ini::section(&text, name)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PlaceError::Io { file: file.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)], options: &Options) -> Result<Settings, String> {
        settings_at(variables, options, None)
    }

    fn settings_at(variables: &[(&str, &str)], options: &Options, home: Option<&Path>) -> Result<Settings, String> {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Settings::from_variables(options, &variable, home.map(Path::to_owned)).map_err(|error| error.to_string())
    }

    const SERVER: (&str, &str) = ("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000/");

    #[test]
    fn a_server_without_more_is_the_default_experiment() {
        let settings = settings(&[SERVER], &Options::default()).unwrap();
        assert_eq!(settings.host, "http://127.0.0.1:5000");
        assert_eq!(settings.identity, Identity::Nobody);
        assert_eq!(settings.experiment, Experiment::Id("0".to_owned()));
        assert!(settings.run_name.is_none() && settings.trust.is_none());
    }

    #[test]
    fn what_is_said_for_the_run_is_above_the_environment() {
        let variables = [
            SERVER,
            ("MLFLOW_EXPERIMENT_NAME", "theirs"),
            ("MLFLOW_RUN_NAME", "theirs"),
            ("MLFLOW_TAGS", r#"{"team": "search", "n": 3, "who": "env"}"#),
            ("MLFLOW_TRACKING_INSECURE_TLS", "true"),
        ];
        let theirs = settings(&variables, &Options::default()).unwrap();
        assert_eq!(theirs.experiment, Experiment::Name("theirs".to_owned()));
        assert_eq!(theirs.run_name.as_deref(), Some("theirs"));
        assert_eq!((theirs.tags["team"].as_str(), theirs.tags["n"].as_str()), ("search", "3"));
        assert!(matches!(theirs.trust, Some(Trust::Anybody)));
        let options = Options {
            experiment: Some("ours".to_owned()),
            run_name: Some("mine".to_owned()),
            tags: vec![("who".to_owned(), "flag".to_owned())],
        };
        let ours = settings(&variables, &options).unwrap();
        assert_eq!(ours.experiment, Experiment::Name("ours".to_owned()));
        assert_eq!((ours.run_name.as_deref(), ours.tags["who"].as_str()), (Some("mine"), "flag"));
    }

    #[test]
    fn who_we_are() {
        let identity = |variables: &[(&str, &str)]| settings(variables, &Options::default()).unwrap().identity;
        let password = |user: &str, password: &str| Identity::Password { user: user.into(), password: password.into() };
        assert_eq!(
            identity(&[SERVER, ("MLFLOW_TRACKING_USERNAME", "u"), ("MLFLOW_TRACKING_PASSWORD", "p")]),
            password("u", "p")
        );
        assert_eq!(identity(&[SERVER, ("MLFLOW_TRACKING_TOKEN", "t")]), Identity::Token("t".to_owned()));
        let inside = [("MLFLOW_TRACKING_URI", "https://me:a%40b@ml.example/sub")];
        assert_eq!(identity(&inside), password("me", "a@b"));
        assert_eq!(settings(&inside, &Options::default()).unwrap().host, "https://ml.example/sub");
    }

    #[test]
    fn a_file_in_the_home_folder_knows_who_we_are() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".mlflow")).unwrap();
        let text = "[mlflow]\nmlflow_tracking_username = kept\nmlflow_tracking_password = secret\n";
        fs::write(home.path().join(".mlflow/credentials"), text).unwrap();
        let settings = settings_at(&[SERVER], &Options::default(), Some(home.path())).unwrap();
        assert_eq!(settings.identity, Identity::Password { user: "kept".into(), password: "secret".into() });
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn what_is_no_server_is_refused_with_advice() {
        for (uri, advice) in [
            ("file:///tmp/mlruns", "mlflow server --backend-store-uri file:///tmp/mlruns"),
            ("sqlite:///mlflow.db", "mlflow server"),
            ("mlruns", "only servers"),
        ] {
            let refused = settings(&[("MLFLOW_TRACKING_URI", uri)], &Options::default()).unwrap_err();
            assert!(refused.contains(uri) && refused.contains(advice), "{refused}");
        }
        assert!(settings(&[], &Options::default()).unwrap_err().contains("MLFLOW_TRACKING_URI"));
        let tags = settings(&[SERVER, ("MLFLOW_TAGS", "team=search")], &Options::default()).unwrap_err();
        assert!(tags.contains("MLFLOW_TAGS") && tags.contains("team=search"), "{tags}");
        let nothing = tempfile::NamedTempFile::new().unwrap();
        let path = nothing.path().display().to_string();
        let empty = settings(&[SERVER, ("MLFLOW_TRACKING_SERVER_CERT_PATH", &path)], &Options::default()).unwrap_err();
        assert!(empty.contains(&path) && empty.contains("PEM"), "{empty}");
        let password = settings(&[SERVER, ("MLFLOW_TRACKING_PASSWORD", "p")], &Options::default()).unwrap_err();
        assert!(password.contains("MLFLOW_TRACKING_USERNAME"), "{password}");
    }

    const DATABRICKS: (&str, &str) = ("MLFLOW_TRACKING_URI", "databricks");
    const EXPERIMENT: (&str, &str) = ("MLFLOW_EXPERIMENT_NAME", "/Shared/x");

    #[test]
    fn databricks_from_variables() {
        let host = ("DATABRICKS_HOST", "adb-1.azuredatabricks.net/");
        let token = settings(&[DATABRICKS, EXPERIMENT, host, ("DATABRICKS_TOKEN", "t")], &Options::default()).unwrap();
        assert_eq!((token.host.as_str(), token.databricks), ("https://adb-1.azuredatabricks.net", true));
        assert_eq!(token.identity, Identity::Token("t".to_owned()));
        let client = [("DATABRICKS_CLIENT_ID", "i"), ("DATABRICKS_CLIENT_SECRET", "s")];
        let client = settings(&[DATABRICKS, EXPERIMENT, host, client[0], client[1]], &Options::default()).unwrap();
        assert_eq!(client.identity, Identity::Client { id: "i".into(), secret: "s".into() });
        let nobody = settings(&[DATABRICKS, EXPERIMENT, host], &Options::default()).unwrap_err();
        assert!(nobody.contains("DATABRICKS_TOKEN"), "{nobody}");
        let nameless = settings(&[DATABRICKS, host, ("DATABRICKS_TOKEN", "t")], &Options::default()).unwrap_err();
        assert!(nameless.contains("MLFLOW_EXPERIMENT_NAME"), "{nameless}");
    }

    #[test]
    fn databricks_from_a_profile() {
        let home = tempfile::tempdir().unwrap();
        let text = "[DEFAULT]\nhost = https://default\ntoken = d\n[work]\nhost = https://work/\nclient_id = i\nclient_secret = s\n";
        fs::write(home.path().join(".databrickscfg"), text).unwrap();
        let at = |variables: &[(&str, &str)]| settings_at(variables, &Options::default(), Some(home.path()));
        let default = at(&[DATABRICKS, EXPERIMENT]).unwrap();
        assert_eq!((default.host.as_str(), default.identity), ("https://default", Identity::Token("d".into())));
        for named in [
            vec![("MLFLOW_TRACKING_URI", "databricks://work"), EXPERIMENT, ("DATABRICKS_TOKEN", "other")],
            vec![DATABRICKS, EXPERIMENT, ("DATABRICKS_CONFIG_PROFILE", "work")],
        ] {
            let work = at(&named).unwrap();
            assert_eq!(work.host, "https://work");
            assert_eq!(work.identity, Identity::Client { id: "i".into(), secret: "s".into() });
        }
        let missing = at(&[("MLFLOW_TRACKING_URI", "databricks://nowhere"), EXPERIMENT]).unwrap_err();
        assert!(missing.contains("nowhere") && missing.contains(".databrickscfg"), "{missing}");
    }
}
