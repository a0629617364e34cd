//! One call: with our credentials, and with what a refusal of MLflow means.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use ureq::http::Method;

use super::databricks::Lent;
use super::settings::{Identity, Settings};
use crate::PlaceError;
use crate::http::{Answer, Content, Http};

/// Everything that is not about files.
const API: &str = "/api/2.0/mlflow/";

/// Speaks with one server.
#[derive(Debug)]
pub(super) struct Client {
    http: Http,
    host: String,
    identity: Identity,
    lent: Option<Lent>,
}

/// A call that did not do what it was for.
#[derive(Debug)]
pub(super) struct Failure {
    /// Of the answer; none when there was no answer.
    pub(super) status: Option<u16>,
    /// MLflow's name for it, such as `RESOURCE_ALREADY_EXISTS`; may be empty.
    pub(super) code: String,
    pub(super) error: PlaceError,
}

impl From<Failure> for PlaceError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl From<PlaceError> for Failure {
    fn from(error: PlaceError) -> Self {
        Self { status: None, code: String::new(), error }
    }
}

impl Failure {
    /// The server does not know this call at all: it is older than the call.
    pub(super) fn is_unknown_call(&self) -> bool {
        matches!(self.status, Some(404 | 405 | 501))
            && matches!(self.code.as_str(), "" | "ENDPOINT_NOT_FOUND" | "NOT_FOUND")
    }

    /// The server understood the call and does not take what it says.
    pub(super) fn is_about_values(&self) -> bool {
        matches!(self.status, Some(400 | 413))
    }
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Self {
        let http = settings.trust.as_ref().map_or_else(Http::new, Http::trusting);
        Self { http, host: settings.host.clone(), identity: settings.identity.clone(), lent: None }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Asks something of MLflow; `path` is what follows `/api/2.0/mlflow/`.
    ///
    /// # Errors
    /// What went wrong, with MLflow's name for it.
    pub(super) fn call(&mut self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let url = format!("{}{API}{path}", self.host);
        let answer = self.authorized(|http, headers| http.send_json(method.clone(), &url, headers, body))?;
        self.judge(&answer)?;
        Ok(answer.json()?)
    }

    /// Sends a file to the server itself, or to one that it names for its files.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub(super) fn put(&mut self, url: &str, content: Content<'_>, alive: &dyn Fn()) -> Result<(), Failure> {
        let answer = self.authorized(|http, headers| http.upload(Method::PUT, url, headers, content, alive))?;
        self.judge(&answer)?;
        // A gateway that wants a login answers 200 too, and has stored nothing.
        answer.json()?;
        Ok(())
    }

    /// Sends a file to an address that carries its own permission: our credentials are not for that server.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub(super) fn put_signed(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        content: Content<'_>,
        alive: &dyn Fn(),
    ) -> Result<(), Failure> {
        let answer = self.http.upload(method, url, headers, content, alive)?;
        match answer.status {
            200..300 => Ok(()),
            // It was good when it was given: it has run out, and the next attempt gets another.
            401 | 403 => Err(PlaceError::outage(answer.told()).into()),
            _ => self.judge(&answer),
        }
    }

    /// With a token that is fresh; one that the server refuses although it should be good is asked for anew, once.
    fn authorized(
        &mut self,
        send: impl Fn(&Http, &[(&str, &str)]) -> Result<Answer, PlaceError>,
    ) -> Result<Answer, PlaceError> {
        let answer = self.once(&send)?;
        if answer.status == 401 && self.lent.take().is_some() {
            return self.once(&send);
        }
        Ok(answer)
    }

    fn once(
        &mut self,
        send: impl Fn(&Http, &[(&str, &str)]) -> Result<Answer, PlaceError>,
    ) -> Result<Answer, PlaceError> {
        let basic =
            |user: &str, password: &str| format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
        let authorization = match &self.identity {
            Identity::Nobody => return send(&self.http, &[]),
            Identity::Password { user, password } => basic(user, password),
            Identity::Token(token) => format!("Bearer {token}"),
            Identity::Client { id, secret } => {
                let lent = match self.lent.take().filter(Lent::is_fresh) {
                    Some(lent) => lent,
                    None => Lent::ask(&self.http, &self.host, &basic(id, secret))?,
                };
                format!("Bearer {}", self.lent.insert(lent).token)
            }
        };
        send(&self.http, &[("authorization", &authorization)])
    }

    fn judge(&self, answer: &Answer) -> Result<(), Failure> {
        if (200..300).contains(&answer.status) {
            return Ok(());
        }
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let code = said["error_code"].as_str().unwrap_or_default().to_owned();
        Err(Failure { status: Some(answer.status), error: self.explain(answer), code })
    }

    fn explain(&self, answer: &Answer) -> PlaceError {
        let body = String::from_utf8_lossy(&answer.body);
        match answer.status {
            403 if body.contains("Host header") => {
                let host = self.host.split("://").last().unwrap_or(&self.host);
                PlaceError::refused(format!(
                    "{}; the server does not know itself by this name: start it with `--allowed-hosts {host}`, or reach \
                     it by a name that it knows",
                    answer.told()
                ))
            }
            401 | 403 => {
                let ours = match self.identity {
                    Identity::Nobody => {
                        "none were given: MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and _PASSWORD"
                    }
                    Identity::Password { .. } => "a name and a password were given",
                    Identity::Token(_) => "a token was given",
                    Identity::Client { .. } => "those of a service principal were given",
                };
                PlaceError::refused(format!("{}; are the credentials right? ({ours})", answer.told()))
            }
            _ => answer.error(),
        }
    }
}
