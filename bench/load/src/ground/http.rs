//! As much HTTP/1.1 as the setup needs: JSON posted over one connection, which is kept (RFC 9112).

use anyhow::{Context, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddrV4, TcpStream};

/// Bytes of an answer that are read at most.
const ANSWER_BYTES: usize = 4 << 20;

/// Times that a request is made where the server says that it is busy.
const ATTEMPTS: u32 = 20;

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Http {
    server: SocketAddrV4,
    stream: BufReader<TcpStream>,
}

impl Http {
    /// Connects.
    pub(crate) fn connect(server: SocketAddrV4) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server).with_context(|| format!("reach the server at {server}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { server, stream: BufReader::new(stream) })
    }

    /// Makes a request, as somebody or as nobody, and returns the JSON of a good answer.
    ///
    /// # Errors
    /// When there is no answer, or one that says no.
    pub(crate) fn call(
        &mut self,
        what: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        for attempt in 1.. {
            let (status, text) = self.exchange(what, token, body).with_context(|| what.to_owned())?;
            match status {
                200..300 => {
                    return serde_json::from_str(&text).with_context(|| format!("read the answer to {what}"));
                }
                429 | 503 if attempt < ATTEMPTS => {
                    std::thread::sleep(std::time::Duration::from_millis(u64::from(attempt) * 20));
                }
                _ => bail!("{what}: {status} {text}"),
            }
        }
        unreachable!("the last attempt returns")
    }

    fn exchange(
        &mut self,
        what: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> anyhow::Result<(u16, String)> {
        let server = self.server;
        let body = body.map_or_else(String::new, Value::to_string);
        let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
        let request = format!(
            "{what} HTTP/1.1\r\nHost: {server}\r\n{token}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split_whitespace().nth(1).and_then(|status| status.parse().ok());
        let status: u16 = status.with_context(|| format!("read the status line {line:?}"))?;
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
        if length > ANSWER_BYTES {
            bail!("an answer of {length} bytes");
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        Ok((status, String::from_utf8(answer)?))
    }
}
