//! HTTP for places: every answer is a value, and every failure says whether it may pass.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Method, Request, Response};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, AsSendBody, Body, SendBody};

use crate::PlaceError;

const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(60);

/// A server that takes nothing for this long is as good as gone.
const STALLED: Duration = Duration::from_secs(60);

/// What a server may take to put away what was uploaded: it passes it on to a store of its own before it answers.
const PUT_AWAY_BYTES_PER_SECOND: u64 = 1 << 20;

/// The most that is read of an answer: more than any of them needs.
const ANSWER_BYTES: u64 = 16 << 20;

/// Characters of a server's message that an error repeats.
const MESSAGE: usize = 400;

/// The longest that a server is left alone at its wish.
const LONGEST_REST: u64 = 900;

/// A client whose calls end: a server that says nothing is an outage.
#[derive(Debug)]
pub(crate) struct Http {
    agent: Agent,
}

/// Whose certificates are believed, where it is not those of the authorities that browsers know.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    /// Those of one's own authority.
    These(Vec<Certificate<'static>>),
    /// Every one, where the user says so.
    Anybody,
}

impl Trust {
    /// The authorities in a PEM file.
    ///
    /// # Errors
    /// When it cannot be read, or holds none.
    pub(crate) fn read(file: &Path) -> Result<Self, PlaceError> {
        let text = fs::read(file).map_err(|source| PlaceError::Io { file: file.to_owned(), source })?;
        let certificates: Vec<_> = parse_pem(&text)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            return Err(PlaceError::refused(format!("{} holds no certificate in PEM form", file.display())));
        }
        Ok(Self::These(certificates))
    }
}

/// What is uploaded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content<'a> {
    File(&'a Path),
    Bytes(&'a [u8]),
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What was asked, for messages; without its query, which may hold a signature.
    what: String,
    pub(crate) status: u16,
    /// The `Location` of a redirect, or what else a header says; names are lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Http {
    pub(crate) fn new() -> Self {
        Self::with(TlsConfig::default())
    }

    /// For servers whose certificates no public authority signed.
    pub(crate) fn trusting(trust: &Trust) -> Self {
        Self::with(match trust {
            Trust::These(roots) => TlsConfig::builder().root_certs(RootCerts::new_with_certs(roots)).build(),
            Trust::Anybody => TlsConfig::builder().disable_verification(true).build(),
        })
    }

    fn with(tls: TlsConfig) -> Self {
        let config = Agent::config_builder()
            .user_agent(concat!("tunesmith/", env!("CARGO_PKG_VERSION")))
            .http_status_as_error(false)
            // A redirected POST would arrive as a GET: better to say where the server has gone.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_per_write(Some(STALLED))
            .timeout_recv_response(Some(ANSWER))
            .timeout_recv_body(Some(ANSWER))
            .tls_config(tls)
            .build();
        Self { agent: config.into() }
    }

    /// Sends a request. A file as `body` is sent with its length.
    ///
    /// # Errors
    /// An outage when no answer comes; a refusal when the request itself is malformed.
    pub(crate) fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: impl AsSendBody,
    ) -> Result<Answer, PlaceError> {
        self.send_within(method, url, headers, body, ANSWER)
    }

    fn send_within(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: impl AsSendBody,
        patience: Duration,
    ) -> Result<Answer, PlaceError> {
        let what = format!("{method} {}", url.split('?').next().unwrap_or(url));
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).map_err(|error| PlaceError::refused(format!("{what}: {error}")))?;
        let request = self.agent.configure_request(request).timeout_recv_response(Some(patience)).build();
        let sent = self.agent.run(request).and_then(read);
        let (status, headers, body) = sent.map_err(|error| PlaceError::outage(format!("{what}: {error}")))?;
        Ok(Answer { what, status, headers, body })
    }

    /// Sends JSON, or nothing.
    ///
    /// # Errors
    /// As [`Http::send`].
    pub(crate) fn send_json(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, PlaceError> {
        let Some(body) = body else { return self.send(method, url, headers, ()) };
        let headers = [headers, &[("content-type", "application/json")]].concat();
        self.send(method, url, &headers, body.to_string())
    }

    /// Sends a file or what would be one, with its length, and calls `alive` as it goes.
    ///
    /// # Errors
    /// As [`Http::send`], and when the file cannot be read.
    pub(crate) fn upload(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        content: Content<'_>,
        alive: &dyn Fn(),
    ) -> Result<Answer, PlaceError> {
        let (mut reader, size): (Box<dyn Read + '_>, u64) = match content {
            Content::Bytes(bytes) => (Box::new(bytes), bytes.len() as u64),
            Content::File(path) => {
                let refused = |source| PlaceError::Io { file: path.to_owned(), source };
                let file = File::open(path).map_err(refused)?;
                let size = file.metadata().map_err(refused)?.len();
                // A file that grows meanwhile must not grow in the middle of a request.
                (Box::new(file.take(size)), size)
            }
        };
        let length = size.to_string();
        let headers = [headers, &[("content-length", length.as_str())]].concat();
        let mut body = Lively { reader: &mut reader, alive };
        let patience = ANSWER + Duration::from_secs(size / PUT_AWAY_BYTES_PER_SECOND);
        self.send_within(method, url, &headers, SendBody::from_reader(&mut body), patience)
    }
}

/// A reader that says at every piece that it goes on.
struct Lively<'a> {
    reader: &'a mut dyn Read,
    alive: &'a dyn Fn(),
}

impl Read for Lively<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.alive)();
        self.reader.read(buffer)
    }
}

type Parts = (u16, Vec<(String, String)>, Vec<u8>);

fn read(mut response: Response<Body>) -> Result<Parts, ureq::Error> {
    let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let body = response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec()?;
    Ok((response.status().as_u16(), headers, body))
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The answer's JSON, where it is a good answer.
    ///
    /// # Errors
    /// [`Answer::error`] for any other status; an outage where it is not JSON: something that is not the server answered.
    pub(crate) fn json(&self) -> Result<Value, PlaceError> {
        self.good()?;
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| PlaceError::outage(format!("{}: the answer is no JSON: {error}", self.what)))
    }

    /// The answer, where it is a good one.
    ///
    /// # Errors
    /// [`Answer::error`] for any other status.
    pub(crate) fn good(&self) -> Result<&Self, PlaceError> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(self.error()) }
    }

    /// What was asked and what came, as the beginning of a message.
    pub(crate) fn told(&self) -> String {
        let said: String = String::from_utf8_lossy(&self.body).trim().chars().take(MESSAGE).collect();
        format!("{} answered {}: {said}", self.what, self.status)
    }

    /// What a bad answer means: 408, 429 and 5xx pass, everything else stays; so does 501, what a server cannot do at all.
    pub(crate) fn error(&self) -> PlaceError {
        let message = self.told();
        match self.status {
            300..=399 => {
                let there = self.header("location").unwrap_or("somewhere else");
                PlaceError::refused(format!("{message}; the server points to {there}: use that address"))
            }
            408 | 429 | 500 | 502.. => {
                let seconds: Option<u64> = self.header("retry-after").and_then(|value| value.trim().parse().ok());
                let retry_after = seconds.map(|seconds| Duration::from_secs(seconds.min(LONGEST_REST)));
                PlaceError::Outage { message, retry_after }
            }
            401 | 403 => PlaceError::refused(format!("{message}; are the credentials right?")),
            _ => PlaceError::refused(message),
        }
    }
}
