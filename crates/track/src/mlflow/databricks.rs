//! What is different on Databricks: where a workspace and its credentials are found, and tokens for a while.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ureq::http::Method;

use super::settings::{Environment, Identity, read};
use crate::PlaceError;
use crate::http::Http;

/// A token is taken for spent this long before it is.
const MARGIN: Duration = Duration::from_secs(60);

/// Address and identity: of a named profile of `~/.databrickscfg`, or of the variables and then the default profile.
pub(super) fn workspace(
    environment: &Environment<'_>,
    profile: Option<&str>,
) -> Result<(String, Identity), PlaceError> {
    let file = environment
        .get("DATABRICKS_CONFIG_FILE")
        .map(PathBuf::from)
        .or_else(|| environment.home.as_deref().map(|home| home.join(".databrickscfg")));
    let section = |name: &str| file.as_deref().map(|file| read(file, name)).transpose().map(Option::flatten);
    let shown = file.as_deref().map_or_else(|| "~/.databrickscfg".to_owned(), |file| file.display().to_string());
    let missing = |name: &str| PlaceError::refused(format!("there is no profile [{name}] in {shown}"));
    let keys = match (profile, environment.get("DATABRICKS_CONFIG_PROFILE")) {
        (Some(name), _) => section(name)?.ok_or_else(|| missing(name))?,
        (None, _) if environment.get("DATABRICKS_HOST").is_some() => of_variables(environment),
        (None, Some(name)) => section(&name)?.ok_or_else(|| missing(&name))?,
        (None, None) => section("DEFAULT")?.ok_or_else(|| {
            PlaceError::refused(format!("neither DATABRICKS_HOST is set nor is there a profile [DEFAULT] in {shown}"))
        })?,
    };
    let get = |key: &str| keys.get(key).cloned();
    let host = get("host").ok_or_else(|| PlaceError::refused(format!("the profile in {shown} names no host")))?;
    let host = if host.contains("://") { host } else { format!("https://{host}") };
    let identity = match (get("token"), get("client_id"), get("client_secret"), get("username"), get("password")) {
        (Some(token), ..) => Identity::Token(token),
        (None, Some(id), Some(secret), ..) => Identity::Client { id, secret },
        (None, _, _, Some(user), Some(password)) => Identity::Password { user, password },
        _ => {
            return Err(PlaceError::refused(format!(
                "there are no credentials for {host}: DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and \
                 DATABRICKS_CLIENT_SECRET, or the same in {shown}"
            )));
        }
    };
    Ok((host.trim_end_matches('/').to_owned(), identity))
}

fn of_variables(environment: &Environment<'_>) -> BTreeMap<String, String> {
    ["host", "token", "client_id", "client_secret", "username", "password"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), environment.get(&format!("DATABRICKS_{}", key.to_uppercase()))?)))
        .collect()
}

/// A token that a service principal was given.
#[derive(Debug)]
pub(super) struct Lent {
    pub(super) token: String,
    until: Instant,
}

impl Lent {
    pub(super) fn is_fresh(&self) -> bool {
        Instant::now() < self.until
    }

    /// Asks for one, by the client credentials grant (RFC 6749, section 4.4).
    ///
    /// # Errors
    /// As any call; a wrong secret is a refusal.
    pub(super) fn ask(http: &Http, host: &str, authorization: &str) -> Result<Self, PlaceError> {
        let headers = [("authorization", authorization), ("content-type", "application/x-www-form-urlencoded")];
        let url = format!("{host}/oidc/v1/token");
        let answer = http.send(Method::POST, &url, &headers, "grant_type=client_credentials&scope=all-apis")?.json()?;
        let token = answer["access_token"]
            .as_str()
            .ok_or_else(|| PlaceError::outage(format!("POST {url}: the answer has no access_token")))?;
        let lasts = Duration::from_secs(answer["expires_in"].as_u64().unwrap_or(3600));
        let now = Instant::now();
        let until = now.checked_add(lasts.saturating_sub(MARGIN)).unwrap_or(now);
        Ok(Self { token: token.to_owned(), until })
    }
}
