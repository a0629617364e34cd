//! Requests and answers of HTTP/1.1, read and written by hand: a fault has to be able to stop anywhere.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde_json::Value;

const HEADERS: usize = 96;
const HEAD_BYTES: usize = 64 << 10;

/// The most that is taken of a request's body.
const BODY_BYTES: u64 = 4 << 30;

/// What was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query, as sent.
    pub(crate) target: String,
    /// Names are lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The next request of a connection; `None` where it has ended.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no HTTP.
    pub(crate) fn read(
        input: &mut impl BufRead,
        mut go_on: impl FnMut() -> io::Result<()>,
    ) -> io::Result<Option<Self>> {
        let Some(head) = read_head(input)? else { return Ok(None) };
        let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        parsed.parse(&head).map_err(|error| bad(&error.to_string()))?;
        let (Some(method), Some(target)) = (parsed.method, parsed.path) else { return Err(bad("no request line")) };
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = parsed.headers.iter().map(|header| (header.name.to_ascii_lowercase(), text(header.value)));
        let mut request =
            Self { method: method.to_owned(), target: target.to_owned(), headers: headers.collect(), body: Vec::new() };
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            go_on()?;
        }
        request.body = request.read_body(input)?;
        Ok(Some(request))
    }

    fn read_body(&self, input: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            while let size @ 1.. = chunk_size(input)? {
                take(input, size, &mut body)?;
                read_line(input)?;
            }
            while !read_line(input)?.is_empty() {}
        } else if let Some(size) = self.header("content-length").and_then(|value| value.trim().parse().ok()) {
            take(input, size, &mut body)?;
        }
        Ok(body)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The token that came along.
    pub(crate) fn token(&self) -> Option<&str> {
        self.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::trim)
    }

    /// The steps of the path, each decoded: an encoded slash stays within its step.
    pub(crate) fn steps(&self) -> Vec<String> {
        let path = self.target.split('?').next().unwrap_or_default();
        path.split('/').skip(1).map(decode).collect()
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| decode(&value.replace('+', " "))).next()
    }

    /// The first byte that is asked for, and the last where one is named.
    pub(crate) fn range(&self) -> Option<(u64, Option<u64>)> {
        let (from, to) = self.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
        Some((from.trim().parse().ok()?, to.trim().parse().ok()))
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn read_head(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    loop {
        let before = head.len();
        input.by_ref().take((HEAD_BYTES - before) as u64).read_until(b'\n', &mut head)?;
        match &head[before..] {
            [] if before == 0 => return Ok(None),
            [] => return Err(io::ErrorKind::UnexpectedEof.into()),
            b"\r\n" | b"\n" if before > 0 => return Ok(Some(head)),
            _ => {}
        }
    }
}

fn read_line(input: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    input.by_ref().take(HEAD_BYTES as u64).read_until(b'\n', &mut line)?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn chunk_size(input: &mut impl BufRead) -> io::Result<u64> {
    let line = read_line(input)?;
    let digits = line.split(';').next().unwrap_or_default().trim();
    u64::from_str_radix(digits, 16).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn take(input: &mut impl BufRead, size: u64, body: &mut Vec<u8>) -> io::Result<()> {
    if size > BODY_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the body is too large"));
    }
    match input.by_ref().take(size).read_to_end(body)? as u64 {
        all if all == size => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Arc<[u8]>,
    /// Whether a part may be asked for.
    pub(crate) in_parts: bool,
}

impl Response {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Arc::from([]), in_parts: false }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        let answer = Self { body: Arc::from(value.to_string().into_bytes()), ..Self::new(status) };
        answer.with("Content-Type", "application/json; charset=utf-8")
    }

    pub(crate) fn file(bytes: Arc<[u8]>) -> Self {
        Self { body: bytes, in_parts: true, ..Self::new(200) }.with("Accept-Ranges", "bytes")
    }

    pub(crate) fn redirect(status: u16, to: &str) -> Self {
        Self::new(status).with("Location", to)
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        // A message may hold a line break; a header may not.
        let value = value.replace(['\r', '\n'], " ");
        self.headers.push((name.to_owned(), value));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<Option<Request>> {
        Request::read(&mut text.as_bytes(), || Ok(()))
    }

    #[test]
    fn a_request_is_taken_apart() {
        let text = "GET /api/models/org/name/tree/refs%2Fpr%2F1?recursive=True&cursor=a%20b HTTP/1.1\r\n\
                    Host: x\r\nAuthorization: Bearer hf_x\r\nRange: bytes=5-\r\n\r\n";
        let request = read(text).unwrap().unwrap();
        assert_eq!(request.steps(), ["api", "models", "org", "name", "tree", "refs/pr/1"]);
        assert_eq!(request.query("cursor").as_deref(), Some("a b"));
        assert_eq!((request.token(), request.range()), (Some("hf_x"), Some((5, None))));
        assert!(request.query("expand").is_none());
    }

    #[test]
    fn bodies_come_with_a_length_or_in_chunks() {
        let sized = read("POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello").unwrap().unwrap();
        assert_eq!(sized.body, b"hello");
        let chunked = "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
        assert_eq!(read(chunked).unwrap().unwrap().body, b"hello");
    }

    #[test]
    fn what_is_no_http_is_an_error() {
        assert!(read("").unwrap().is_none());
        assert!(read("GET / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort").is_err());
        assert!(read("\u{1}\u{2}\r\n\r\n").is_err());
        assert!(read("GET / HTTP/1.1\r\n").is_err());
        assert!(read("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").is_err());
    }
}
