//! A server on loopback that answers as it is told, or fails in the ways that servers fail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With its query, as it was sent.
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes() }
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
    }
}

/// What goes wrong with one request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The connection is closed before anything is done.
    Dies,
    /// What was asked is done, and nobody hears of it.
    DiesAfterwards,
    /// Half of the answer comes.
    DiesMidway,
    /// This is answered, and nothing done.
    Answers(Reply),
    /// It takes a while.
    Sleeps(Duration),
}

/// Says for each request, counted from 0, what goes wrong with it.
pub(crate) type Faults = Box<dyn Fn(usize, &Request) -> Option<Fault> + Send>;

/// A running server. It ends with the test's process.
pub(crate) struct Server {
    pub(crate) url: String,
    faults: Arc<Mutex<Faults>>,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers every request with what `answer` makes of it.
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let faults: Arc<Mutex<Faults>> = Arc::new(Mutex::new(Box::new(|_, _| None)));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, these, list) = (Arc::new(answer), Arc::clone(&faults), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, faults, asked) = (Arc::clone(&answer), Arc::clone(&these), Arc::clone(&list));
                // A client that goes away in the middle is what some tests are about.
                thread::spawn(move || stream.ok().and_then(|stream| serve(stream, &*answer, &faults, &asked)));
            }
        });
        Self { url, faults, asked }
    }

    /// From now on, with requests counted anew.
    pub(crate) fn fail(&self, faults: impl Fn(usize, &Request) -> Option<Fault> + Send + 'static) {
        self.asked.lock().unwrap().clear();
        *self.faults.lock().unwrap() = Box::new(faults);
    }

    /// What was asked since the last [`Server::fail`].
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &dyn Fn(&Request) -> Reply,
    faults: &Mutex<Faults>,
    asked: &Mutex<Vec<Request>>,
) -> Option<()> {
    let request = read(&stream)?;
    let fault = {
        let mut asked = asked.lock().unwrap();
        // Files are known to whoever holds them.
        let body = if request.body.len() > 1 << 16 { Vec::new() } else { request.body.clone() };
        asked.push(Request { body, ..request.clone() });
        (*faults.lock().unwrap())(asked.len() - 1, &request)
    };
    let reply = match &fault {
        Some(Fault::Dies) => return None,
        Some(Fault::Answers(reply)) => reply.clone(),
        Some(Fault::Sleeps(pause)) => {
            thread::sleep(*pause);
            answer(&request)
        }
        _ => answer(&request),
    };
    if matches!(fault, Some(Fault::DiesAfterwards)) {
        return None;
    }
    let mut text =
        format!("HTTP/1.1 {} x\r\nconnection: close\r\ncontent-length: {}\r\n", reply.status, reply.body.len());
    for (name, value) in &reply.headers {
        text += &format!("{name}: {value}\r\n");
    }
    let mut bytes = format!("{text}\r\n").into_bytes();
    bytes.extend(&reply.body);
    if matches!(fault, Some(Fault::DiesMidway)) {
        bytes.truncate(bytes.len() - reply.body.len().div_ceil(2).max(3));
    }
    stream.write_all(&bytes).ok()
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
    let mut body = vec![0; length.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body })
}
