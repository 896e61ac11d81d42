//! HTTP as bytes: what a client library would never send, and answers as they came.

use rookery_tests::contract::expect_answer;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection.
pub(crate) struct Raw {
    stream: TcpStream,
    read: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.expect("the server takes connections"),
            read: Vec::new(),
        }
    }

    /// Writes bytes; a peer that has closed already is no error, its answer is what counts.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Writes a request with a JSON body, or none when it is null.
    pub(crate) async fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut lines = vec![format!("{method} {path} HTTP/1.1"), "host: test".to_owned()];
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        if !body.is_empty() {
            lines.push("content-type: application/json".to_owned());
        }
        lines.push(format!("content-length: {}", body.len()));
        let text = format!("{}\r\n\r\n{body}", lines.join("\r\n"));
        self.send(text).await;
    }

    /// Reads one answer, or `None` when the connection ends before it.
    pub(crate) async fn answer(&mut self) -> Option<RawAnswer> {
        self.answer_to("GET").await
    }

    /// Reads the answer to a request of a method: one to `HEAD` has no body.
    pub(crate) async fn answer_to(&mut self, method: &str) -> Option<RawAnswer> {
        let head_bytes = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.read.drain(..head_bytes).collect()).expect("a head is text");
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, value)| value.parse().expect("a length is a number"));
        let length = if method == "HEAD" || status == 304 { 0 } else { length };
        while self.read.len() < length {
            self.more().await?;
        }
        Some(RawAnswer { status, headers, body: self.read.drain(..length).collect() })
    }

    /// Reads the next piece of a chunked body (RFC 9112, section 7.1), or `None` at its end, in good
    /// order or not.
    pub(crate) async fn chunk(&mut self) -> Option<Vec<u8>> {
        let line = loop {
            if let Some(at) = self.read.windows(2).position(|two| two == b"\r\n") {
                break at;
            }
            self.more().await?;
        };
        let size = std::str::from_utf8(&self.read[..line]).expect("a size is text");
        let size = usize::from_str_radix(size, 16).expect("a size is hexadecimal");
        while self.read.len() < line + 2 + size + 2 {
            self.more().await?;
        }
        let chunk = self.read.drain(..line + 2 + size + 2).skip(line + 2).take(size).collect();
        (size > 0).then_some(chunk)
    }

    /// Waits until the peer closes, and returns what it said before.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await.is_some() {}
        std::mem::take(&mut self.read)
    }

    async fn more(&mut self) -> Option<()> {
        // A reset is an end like any other.
        let read = self.stream.read_buf(&mut self.read).await.unwrap_or(0);
        (read > 0).then_some(())
    }
}

impl RawAnswer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the status and the problem's code.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        (self.status, self.json()["code"].as_str().expect("a problem has a code").to_owned())
    }
}

/// Sends one request on a connection of its own, and holds the answer against the contract.
pub(crate) async fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> RawAnswer {
    let mut raw = Raw::connect(address).await;
    raw.request(method, path, headers, body).await;
    let answer = raw.answer_to(method).await.expect("an answer");
    if method != "HEAD" {
        let body = serde_json::from_slice(&answer.body).ok();
        expect_answer(method, path, answer.status, body.as_ref());
    }
    answer
}
