//! Files: where the server keeps those of a run or of a model, and how they get there.
//!
//! The server names a root for each. `mlflow-artifacts:` is the server itself; Databricks, and servers whose root is in
//! the cloud, give a signed address for each file.

use std::fs;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};
use ureq::http::Method;

use super::client::{Client, Failure};
use crate::PlaceError;
use crate::http::Content;

/// What may not stand in a path as it is.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'+')
    .add(b'&')
    .add(b'=')
    .add(b';')
    .add(b':')
    .add(b'@');

/// Whose files they are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner<'a> {
    Run(&'a str),
    Model(&'a str),
}

/// Where the files of a run or a model are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shelf<'a> {
    pub(super) owner: Owner<'a>,
    /// As the server named it.
    pub(super) root: &'a str,
    pub(super) databricks: bool,
}

impl Shelf<'_> {
    /// Brings one file there, under `path` with slashes.
    ///
    /// # Errors
    /// An outage, or a refusal that concerns this file alone or all of them.
    pub(super) fn put(
        &self,
        client: &mut Client,
        path: &str,
        content: Content<'_>,
        alive: &dyn Fn(),
    ) -> Result<(), Failure> {
        if self.databricks {
            return self.put_databricks(client, path, content, alive);
        }
        match self.root.split_once(':') {
            Some(("mlflow-artifacts", rest)) => {
                let (host, folder) = match rest.strip_prefix("//") {
                    Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
                    None => ("", rest),
                };
                let scheme = client.host().split("://").next().unwrap_or("http");
                let host = if host.is_empty() { client.host().to_owned() } else { format!("{scheme}://{host}") };
                let folder = folder.trim_matches('/');
                let url = format!("{host}/api/2.0/mlflow-artifacts/artifacts/{}", encoded(&format!("{folder}/{path}")));
                client.put(&url, content, alive)
            }
            Some(("file", rest)) => put_here(client, self.root, &plain(rest), path, content),
            None => put_here(client, self.root, Path::new(self.root), path, content),
            Some(_) => self.put_presigned(client, path, content, alive),
        }
    }

    /// The server signs an address of its store (MLflow 3.17: S3, Google and Azure).
    fn put_presigned(
        &self,
        client: &mut Client,
        path: &str,
        content: Content<'_>,
        alive: &dyn Fn(),
    ) -> Result<(), Failure> {
        let body = match self.owner {
            Owner::Run(id) => json!({ "run_id": id, "path": path }),
            Owner::Model(id) => json!({ "model_id": id, "path": path }),
        };
        let signed = client.call(Method::POST, "artifacts/presigned-upload-url", Some(&body));
        let signed = signed.map_err(|failure| match failure.error {
            error @ PlaceError::Outage { .. } => Failure { error, ..failure },
            error => Failure {
                error: PlaceError::refused(format!(
                    "files are kept in {}, which the server does not open for us ({error}); `mlflow server \
                     --artifacts-destination` makes it take them itself",
                    self.root.split("://").next().unwrap_or_default()
                )),
                ..failure
            },
        })?;
        let headers: Vec<(&str, &str)> = signed["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
            .collect();
        let url = signed_url(&signed["presigned_url"], "presigned-upload-url")?;
        client.put_signed(Method::PUT, url, &headers, content, alive)
    }

    /// Databricks gives an address for each file, in the cloud that the workspace lives in.
    fn put_databricks(
        &self,
        client: &mut Client,
        path: &str,
        content: Content<'_>,
        alive: &dyn Fn(),
    ) -> Result<(), Failure> {
        let credential = match self.owner {
            Owner::Run(id) => {
                let body = json!({ "run_id": id, "path": [path] });
                client.call(Method::POST, "artifacts/credentials-for-write", Some(&body))?["credential_infos"][0]
                    .clone()
            }
            Owner::Model(id) => {
                let call = format!("logged-models/{id}/artifacts/credentials-for-upload");
                let body = json!({ "paths": [path] });
                client.call(Method::POST, &call, Some(&body))?["credentials"][0]["credential_info"].clone()
            }
        };
        let url = signed_url(&credential["signed_uri"], "credentials-for-write")?;
        let mut headers: Vec<(&str, &str)> = credential["headers"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|header| Some((header["name"].as_str()?, header["value"].as_str()?)))
            .collect();
        match credential["type"].as_str() {
            Some("AZURE_ADLS_GEN2_SAS_URI") => put_data_lake(client, url, &headers, content, alive),
            Some("AZURE_SAS_URI") => {
                headers.push(("x-ms-blob-type", "BlockBlob"));
                client.put_signed(Method::PUT, url, &headers, content, alive)
            }
            _ => client.put_signed(Method::PUT, url, &headers, content, alive),
        }
    }
}

/// Azure's data lake takes a file in three calls: made, filled, closed.
fn put_data_lake(
    client: &Client,
    url: &str,
    headers: &[(&str, &str)],
    content: Content<'_>,
    alive: &dyn Fn(),
) -> Result<(), Failure> {
    let with = |query: &str| format!("{url}{}{query}", if url.contains('?') { '&' } else { '?' });
    let size = match content {
        Content::Bytes(bytes) => bytes.len() as u64,
        Content::File(path) => {
            fs::metadata(path).map_err(|source| PlaceError::Io { file: path.to_owned(), source })?.len()
        }
    };
    let nothing = Content::Bytes(&[]);
    client.put_signed(Method::PUT, &with("resource=file"), headers, nothing, alive)?;
    if size > 0 {
        client.put_signed(Method::PATCH, &with("action=append&position=0"), headers, content, alive)?;
    }
    client.put_signed(Method::PATCH, &with(&format!("action=flush&position={size}")), headers, nothing, alive)
}

fn signed_url<'a>(value: &'a Value, call: &str) -> Result<&'a str, PlaceError> {
    value.as_str().ok_or_else(|| PlaceError::outage(format!("{call}: the answer has no address to send the file to")))
}

/// A server on this machine that keeps its files in a folder expects its clients to write there themselves.
fn put_here(client: &Client, root: &str, folder: &Path, path: &str, content: Content<'_>) -> Result<(), Failure> {
    if !is_here(client.host()) {
        return Err(PlaceError::refused(format!(
            "files are kept in {root}, a folder of the server's machine; `mlflow server --serve-artifacts` makes it take \
             them itself"
        ))
        .into());
    }
    let target = path.split('/').fold(folder.to_owned(), |folder, part| folder.join(part));
    let write = || {
        fs::create_dir_all(target.parent().unwrap_or(folder))?;
        match content {
            Content::Bytes(bytes) => fs::write(&target, bytes),
            Content::File(file) => fs::copy(file, &target).map(drop),
        }
    };
    write().map_err(|source| PlaceError::Io { file: target.clone(), source }.into())
}

fn is_here(host: &str) -> bool {
    let authority = host.split("://").last().unwrap_or(host);
    ["127.", "localhost", "[::1]"].iter().any(|here| authority.starts_with(here))
}

/// The path of a `file:` address without its scheme.
fn plain(rest: &str) -> PathBuf {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = &rest[rest.find('/').unwrap_or(0)..];
    PathBuf::from(percent_decode_str(path).decode_utf8_lossy().into_owned())
}

/// A path that MLflow takes for a file: some characters that files may have it refuses, wherever they stand
/// (`mlflow.utils.uri.validate_path_is_safe` of 3.17).
pub(super) fn valid_path(path: &str) -> String {
    path.chars().map(|c| if c.is_control() || "#%?:*\"<>|\\".contains(c) { '_' } else { c }).collect()
}

/// A path as an address has it; its slashes stay.
pub(super) fn encoded(path: &str) -> String {
    utf8_percent_encode(path, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_a_path() {
        assert_eq!(encoded("a b/ä#?.json"), "a%20b/%C3%A4%23%3F.json");
        assert_eq!(valid_path("a b/ä#1: x.svg"), "a b/ä_1_ x.svg");
        assert_eq!(plain("///tmp/a%20b"), Path::new("/tmp/a b"));
        assert_eq!(plain("/tmp/x"), Path::new("/tmp/x"));
        assert_eq!(plain("//localhost/tmp/x"), Path::new("/tmp/x"));
    }

    #[test]
    fn this_machine_is_known() {
        assert!(is_here("http://127.0.0.1:5000") && is_here("http://localhost") && is_here("http://[::1]:5000"));
        assert!(!is_here("https://mlflow.example"));
    }
}
