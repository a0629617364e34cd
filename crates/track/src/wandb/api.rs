//! The server's interface: questions in GraphQL, lines into a run, files to where it says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ureq::http::Method;

use super::artifact::{Artifact, md5_of};
use super::settings::Settings;
use crate::PlaceError;
use crate::http::{Answer, Content, Http};

const UPSERT_BUCKET: &str = "mutation UpsertBucket($name: String, $project: String, $entity: String, $groupName: String, \
    $displayName: String, $notes: String, $config: JSONString, $host: String, $program: String, $jobType: String, \
    $tags: [String!]) { upsertBucket(input: {name: $name, modelName: $project, entityName: $entity, \
    groupName: $groupName, displayName: $displayName, notes: $notes, config: $config, host: $host, \
    jobProgram: $program, jobType: $jobType, tags: $tags}) { bucket { id name displayName \
    project { id name entity { id name } } } inserted } }";

const RUN_RESUME_STATUS: &str = "query RunResumeStatus($project: String, $entity: String, $name: String!) { \
    model(name: $project, entityName: $entity) { id name entity { id name } bucket(name: $name, missingOk: true) { \
    id name summaryMetrics historyLineCount eventsLineCount historyTail config } } }";

const CREATE_RUN_FILES: &str = "mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, \
    $files: [String!]!) { createRunFiles(input: {entityName: $entity, projectName: $project, runName: $run, \
    files: $files}) { runID uploadHeaders files { name uploadUrl } } }";

const CREATE_ARTIFACT: &str = "mutation CreateArtifact($input: CreateArtifactInput!) { createArtifact(input: $input) { \
    artifact { id state artifactSequence { latestArtifact { id } } } } }";

const CREATE_ARTIFACT_FILES: &str = "mutation CreateArtifactFiles($input: CreateArtifactFilesInput!) { \
    createArtifactFiles(input: $input) { files { edges { node { uploadUrl uploadHeaders artifact { id } } } } } }";

const CREATE_ARTIFACT_MANIFEST: &str = "mutation CreateArtifactManifest($artifactID: ID!, $baseArtifactID: ID, \
    $name: String!, $digest: String!, $entityName: String!, $projectName: String!, $runName: String!, \
    $manifestType: ArtifactManifestType!, $includeUpload: Boolean!) { createArtifactManifest(input: { \
    artifactID: $artifactID, baseArtifactID: $baseArtifactID, name: $name, digest: $digest, entityName: $entityName, \
    projectName: $projectName, runName: $runName, type: $manifestType}) { artifactManifest { id file { id \
    uploadUrl @include(if: $includeUpload) uploadHeaders @include(if: $includeUpload) } } } }";

const COMMIT_ARTIFACT: &str = "mutation CommitArtifact($artifactID: ID!) { \
    commitArtifact(input: {artifactID: $artifactID}) { artifact { id digest } } }";

/// A server, and who asks.
#[derive(Debug)]
pub(super) struct Api {
    http: Http,
    base_url: String,
    app_url: String,
    authorization: String,
}

/// Where a run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RunPath {
    pub(super) entity: String,
    pub(super) project: String,
    pub(super) id: String,
}

impl Api {
    pub(super) fn new(settings: &Settings) -> Self {
        let key = settings.key.as_ref().map_or("", |key| &key.0);
        Self {
            http: Http::new(),
            base_url: settings.base_url.clone(),
            app_url: settings.app_url.clone().unwrap_or_else(|| app_url(&settings.base_url)),
            authorization: format!("Basic {}", STANDARD.encode(format!("api:{key}"))),
        }
    }

    /// The page of a run.
    pub(super) fn page(&self, run: &RunPath) -> String {
        let RunPath { entity, project, id } = run;
        format!("{}/{}/{}/runs/{}", self.app_url, segment(entity), segment(project), segment(id))
    }

    /// Makes or changes a run, and says where it is.
    pub(super) fn upsert(&self, variables: &Value) -> Result<RunPath, PlaceError> {
        let data = self.ask("UpsertBucket", UPSERT_BUCKET, variables)?;
        let bucket = &data["upsertBucket"]["bucket"];
        let told = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let path = (|| {
            let project = &bucket["project"];
            Some(RunPath {
                entity: told(&project["entity"]["name"])?,
                project: told(&project["name"])?,
                id: told(&bucket["name"])?,
            })
        })();
        path.ok_or_else(|| {
            PlaceError::outage(format!("UpsertBucket: the answer does not say where the run is: {data}"))
        })
    }

    /// What is there of a run, where there is one.
    pub(super) fn existing(&self, entity: Option<&str>, project: &str, id: &str) -> Result<Option<Value>, PlaceError> {
        let variables = json!({"entity": entity, "project": project, "name": id});
        let data = self.ask("RunResumeStatus", RUN_RESUME_STATUS, &variables)?;
        Ok(Some(data["model"]["bucket"].clone()).filter(|bucket| !bucket.is_null()))
    }

    /// Puts lines into a run, each at its place: lines that are there already are replaced by the same.
    pub(super) fn stream(&self, run: &RunPath, body: &Value) -> Result<(), PlaceError> {
        let RunPath { entity, project, id } = run;
        let path = format!("files/{}/{}/{}/file_stream", segment(entity), segment(project), segment(id));
        let url = format!("{}/{path}", self.base_url);
        let headers = [("authorization", self.authorization.as_str())];
        self.taken(&self.http.send_json(Method::POST, &url, &headers, Some(body))?)
    }

    /// Uploads files of a run. Names have slashes.
    pub(super) fn put_files(
        &self,
        run: &RunPath,
        files: &[(String, Content<'_>)],
        alive: &dyn Fn(),
    ) -> Result<(), PlaceError> {
        if files.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let RunPath { entity, project, id } = run;
        let variables = json!({"entity": entity, "project": project, "run": id, "files": names});
        let data = self.ask("CreateRunFiles", CREATE_RUN_FILES, &variables)?;
        let made = &data["createRunFiles"];
        let places = made["files"].as_array().map_or(&[][..], Vec::as_slice);
        for (name, content) in files {
            let place = places.iter().find(|place| place["name"] == name.as_str());
            let url = place.and_then(|place| place["uploadUrl"].as_str());
            let url =
                url.ok_or_else(|| PlaceError::outage(format!("CreateRunFiles: the answer has no place for {name}")))?;
            self.put(url, &made["uploadHeaders"], *content, alive)?;
        }
        Ok(())
    }

    /// Uploads an artifact of a run. One that is there already is left alone, as are files that the server has.
    pub(super) fn put_artifact(&self, run: &RunPath, artifact: &Artifact, alive: &dyn Fn()) -> Result<(), PlaceError> {
        let RunPath { entity, project, id } = run;
        let (client, sequence) = artifact.client_ids(id);
        let aliases = artifact.aliases.iter();
        let aliases: Vec<Value> =
            aliases.map(|alias| json!({"artifactCollectionName": artifact.name, "alias": alias})).collect();
        let input = json!({
            "entityName": entity,
            "projectName": project,
            "runName": id,
            "artifactTypeName": artifact.kind,
            "artifactCollectionName": artifact.name,
            "digest": artifact.digest(),
            "digestAlgorithm": "MANIFEST_MD5",
            "aliases": aliases,
            "metadata": artifact.metadata.to_string(),
            "enableDigestDeduplication": true,
            "clientID": client,
            "sequenceClientID": sequence,
        });
        let data = self.ask("CreateArtifact", CREATE_ARTIFACT, &json!({"input": input}))?;
        let made = &data["createArtifact"]["artifact"];
        if made["state"] == "COMMITTED" {
            return Ok(());
        }
        let artifact_id = text(made, "id", "CreateArtifact")?;
        let manifest = |digest: &str, upload: bool| {
            let variables = json!({
                "artifactID": artifact_id,
                "baseArtifactID": made["artifactSequence"]["latestArtifact"]["id"],
                "name": "wandb_manifest.json",
                "digest": digest,
                "entityName": entity,
                "projectName": project,
                "runName": id,
                "manifestType": "FULL",
                "includeUpload": upload,
            });
            let data = self.ask("CreateArtifactManifest", CREATE_ARTIFACT_MANIFEST, &variables)?;
            Ok::<_, PlaceError>(data["createArtifactManifest"]["artifactManifest"].clone())
        };
        let manifest_id = manifest("", false)?["id"].clone();
        let births = self.put_artifact_files(artifact, &artifact_id, &manifest_id, alive)?;
        let text_of_manifest = artifact.manifest(&births);
        let made = manifest(&md5_of(text_of_manifest.as_bytes()), true)?;
        let url = text(&made["file"], "uploadUrl", "CreateArtifactManifest")?;
        self.put(&url, &made["file"]["uploadHeaders"], Content::Bytes(text_of_manifest.as_bytes()), alive)?;
        self.ask("CommitArtifact", COMMIT_ARTIFACT, &json!({"artifactID": artifact_id}))?;
        Ok(())
    }

    /// Uploads what the server does not have, and says of each file since which version it is unchanged.
    fn put_artifact_files(
        &self,
        artifact: &Artifact,
        artifact_id: &str,
        manifest_id: &Value,
        alive: &dyn Fn(),
    ) -> Result<Vec<String>, PlaceError> {
        let files = artifact.files.iter();
        let specs: Vec<Value> = files
            .map(|file| {
                let (name, md5) = (&file.name, &file.digest);
                json!({"artifactID": artifact_id, "name": name, "md5": md5, "artifactManifestID": manifest_id})
            })
            .collect();
        let variables = json!({"input": {"artifactFiles": specs, "storageLayout": "V2"}});
        let data = self.ask("CreateArtifactFiles", CREATE_ARTIFACT_FILES, &variables)?;
        let edges = data["createArtifactFiles"]["files"]["edges"].as_array().cloned().unwrap_or_default();
        if edges.len() != artifact.files.len() {
            let message =
                format!("CreateArtifactFiles: {} files asked for, {} answered", artifact.files.len(), edges.len());
            return Err(PlaceError::outage(message));
        }
        let mut births = Vec::new();
        for (file, edge) in artifact.files.iter().zip(&edges) {
            let node = &edge["node"];
            if let Some(url) = node["uploadUrl"].as_str() {
                self.put(url, &node["uploadHeaders"], Content::File(&file.path), alive)?;
            }
            births.push(node["artifact"]["id"].as_str().unwrap_or(artifact_id).to_owned());
        }
        Ok(births)
    }

    /// Uploads to where the server said. The address itself is the permission: whoever keeps the files gets no key.
    fn put(&self, url: &str, headers: &Value, content: Content<'_>, alive: &dyn Fn()) -> Result<(), PlaceError> {
        let absolute = if url.starts_with('/') { format!("{}{url}", self.base_url) } else { url.to_owned() };
        let lines = headers.as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_str);
        let headers: Vec<(&str, &str)> =
            lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim())).collect();
        self.http.upload(Method::PUT, &absolute, &headers, content, alive)?.good()?;
        Ok(())
    }

    fn ask(&self, name: &str, query: &str, variables: &Value) -> Result<Value, PlaceError> {
        let body = json!({"operationName": name, "query": query, "variables": variables});
        let url = format!("{}/graphql", self.base_url);
        let answer = self.http.send_json(Method::POST, &url, &[("authorization", &self.authorization)], Some(&body))?;
        self.taken(&answer)?;
        let mut answer = answer.json()?;
        if let Some(error) = answer["errors"].as_array().and_then(|errors| errors.first()) {
            let said = error["message"].as_str().map_or_else(|| error.to_string(), str::to_owned);
            return Err(PlaceError::refused(format!("{name}: {said}")));
        }
        Ok(answer["data"].take())
    }

    fn taken(&self, answer: &Answer) -> Result<(), PlaceError> {
        if answer.status == 401 {
            let message = format!(
                "{} does not take the API key, which is WANDB_API_KEY or else what `wandb login` stored; {}/authorize shows yours",
                self.base_url, self.app_url
            );
            return Err(PlaceError::refused(message));
        }
        answer.good().map(|_| ())
    }
}

fn text(value: &Value, name: &str, asked: &str) -> Result<String, PlaceError> {
    let found = value[name].as_str().map(str::to_owned);
    found.ok_or_else(|| PlaceError::outage(format!("{asked}: the answer has no {name}")))
}

/// Where people look, for a server whose address is that for programs.
fn app_url(base_url: &str) -> String {
    if base_url.contains("://api.wandb.") {
        base_url.replacen("://api.", "://", 1)
    } else {
        base_url.replacen("://api.", "://app.", 1)
    }
}

/// A name as a part of an address.
fn segment(name: &str) -> String {
    const OTHERS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(name, OTHERS).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_look_elsewhere_than_programs() {
        assert_eq!(app_url("https://api.wandb.ai"), "https://wandb.ai");
        assert_eq!(app_url("https://api.example.com"), "https://app.example.com");
        assert_eq!(app_url("http://localhost:8080"), "http://localhost:8080");
    }

    #[test]
    fn names_are_parts_of_addresses() {
        assert_eq!(segment("My team/ü~1"), "My%20team%2F%C3%BC~1");
    }
}
