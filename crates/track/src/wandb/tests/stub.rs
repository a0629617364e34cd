//! As much of the server as a run needs, on loopback, with faults on demand.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use serde_json::{Value, json};

/// What the server has.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Held {
    /// Lines by the names of their files.
    pub(super) lines: BTreeMap<String, Vec<String>>,
    /// The variables of the last `UpsertBucket`.
    pub(super) run: Value,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// Names and aliases of committed artifacts, by their digests.
    pub(super) artifacts: BTreeMap<String, Value>,
    pub(super) exit_code: Option<i64>,
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// It is not looked at, and this is answered.
    Answer(u16, &'static str),
    /// It is done, and nobody hears of it.
    Silence,
}

#[derive(Debug, Default)]
struct State {
    held: Held,
    requests: Vec<String>,
    /// Faults by the number of their request.
    faults: BTreeMap<usize, Fault>,
    /// What `RunResumeStatus` answers.
    existing: Value,
}

/// A server.
#[derive(Debug)]
pub(super) struct Stub {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

impl Stub {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let (served, base) = (Arc::clone(&state), url.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let _ = serve(stream.unwrap(), &served, &base);
            }
        });
        Self { url, state }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn held(&self) -> Held {
        self.lock().held.clone()
    }

    /// What was asked so far: the path, or the name of the operation.
    pub(super) fn requests(&self) -> Vec<String> {
        self.lock().requests.clone()
    }

    /// Lets the `at`-th request from now fail.
    pub(super) fn fail(&self, at: usize, fault: Fault) {
        let mut state = self.lock();
        let at = state.requests.len() + at;
        state.faults.insert(at, fault);
    }

    pub(super) fn has_run(&self, existing: Value) {
        self.lock().existing = existing;
    }

    /// Lines of a file of the run.
    pub(super) fn lines(&self, name: &str) -> Vec<Value> {
        let held = self.held();
        let lines = held.lines.get(name).into_iter().flatten();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>, base: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "authorization" => authorization = value.trim().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;

    let mut state = state.lock().unwrap();
    let question: Value = serde_json::from_slice(&body).unwrap_or_default();
    let asked = if path == "/graphql" { question["operationName"].as_str().unwrap().to_owned() } else { path.clone() };
    // Who asks with the key is known; who uploads must not show it to the keeper of the files.
    assert_eq!(authorization == "Basic YXBpOmtleQ==", !path.starts_with("/put/"), "{asked}: {authorization}");
    let fault = state.faults.get(&state.requests.len()).cloned();
    state.requests.push(asked.clone());
    if let Some(Fault::Answer(status, headers)) = fault {
        return answer(stream, status, headers, &json!({"error": "a fault"}));
    }
    let existing = state.existing.clone();
    let said = state.held.take(&path, &asked, &question, &body, base, &existing);
    match fault {
        Some(_) => Ok(()),
        None => answer(stream, 200, "", &said),
    }
}

fn answer(mut stream: TcpStream, status: u16, headers: &str, body: &Value) -> std::io::Result<()> {
    let body = body.to_string();
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

impl Held {
    fn take(&mut self, path: &str, asked: &str, question: &Value, body: &[u8], base: &str, existing: &Value) -> Value {
        let variables = &question["variables"];
        if let Some(name) = path.strip_prefix("/put/run/") {
            self.files.insert(name.to_owned(), body.to_vec());
            return Value::Null;
        }
        if let Some(name) = path.strip_prefix("/put/artifact/") {
            self.files.insert(format!("artifact:{name}"), body.to_vec());
            return Value::Null;
        }
        if path == "/files/team/tunesmith/0123456789abcdef/file_stream" {
            return self.stream(question);
        }
        let data = match asked {
            "UpsertBucket" => {
                self.run = variables.clone();
                self.exit_code = None;
                let project = json!({"name": variables["project"], "entity": {"name": "team"}});
                json!({"upsertBucket": {"bucket": {"name": variables["name"], "project": project}, "inserted": true}})
            }
            "RunResumeStatus" => json!({"model": {"bucket": existing}}),
            "CreateRunFiles" => {
                let names = variables["files"].as_array().unwrap().iter();
                let place = |name: &Value| json!({"name": name, "uploadUrl": format!("{base}/put/run/{}", name.as_str().unwrap())});
                json!({"createRunFiles": {"uploadHeaders": ["x-kind: run"], "files": names.map(place).collect::<Vec<_>>()}})
            }
            "CreateArtifact" => {
                let input = &variables["input"];
                let digest = input["digest"].as_str().unwrap();
                let state = if self.artifacts.contains_key(digest) { "COMMITTED" } else { "PENDING" };
                self.files.insert(format!("pending:{digest}"), input.to_string().into_bytes());
                json!({"createArtifact": {"artifact": {"id": digest, "state": state}}})
            }
            "CreateArtifactManifest" => {
                // A relative address, as a server of one's own may answer.
                let file = json!({"uploadUrl": "/put/artifact/wandb_manifest.json", "uploadHeaders": []});
                json!({"createArtifactManifest": {"artifactManifest": {"id": "manifest", "file": file}}})
            }
            "CreateArtifactFiles" => {
                let files = variables["input"]["artifactFiles"].as_array().unwrap().iter();
                let edge = |file: &Value| {
                    let url = format!("{base}/put/artifact/{}", file["name"].as_str().unwrap());
                    json!({"node": {"uploadUrl": url, "artifact": {"id": file["artifactID"]}}})
                };
                json!({"createArtifactFiles": {"files": {"edges": files.map(edge).collect::<Vec<_>>()}}})
            }
            "CommitArtifact" => {
                let digest = variables["artifactID"].as_str().unwrap();
                let input: Value = serde_json::from_slice(&self.files[&format!("pending:{digest}")]).unwrap();
                self.artifacts.insert(digest.to_owned(), input);
                json!({"commitArtifact": {"artifact": {"id": digest}}})
            }
            other => panic!("{other} is not known"),
        };
        json!({"data": data})
    }

    fn stream(&mut self, body: &Value) -> Value {
        for (name, chunk) in body["files"].as_object().into_iter().flatten() {
            let lines = self.lines.entry(name.clone()).or_default();
            let offset = chunk["offset"].as_u64().unwrap() as usize;
            assert!(offset <= lines.len(), "{name} would have a gap at {offset}");
            for (at, line) in chunk["content"].as_array().unwrap().iter().enumerate() {
                lines.resize(lines.len().max(offset + at + 1), String::new());
                lines[offset + at] = line.as_str().unwrap().to_owned();
            }
        }
        if body["complete"] == true {
            self.exit_code = body["exitcode"].as_i64();
        }
        json!({"limits": {}})
    }
}
