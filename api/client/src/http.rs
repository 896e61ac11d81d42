//! HTTP/1.1 with JSON in and out, over one connection that is kept.

mod error;

pub use error::{ApiError, HttpError};

use crate::server_url::ServerUrl;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;

/// The time for one request: hashing a password may have to queue on a loaded server.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Bytes of an answer: a page of 100 messages of the greatest size, twice over.
const ANSWER_BYTES: usize = 4 << 20;

/// One connection of HTTP, made when it is needed and kept between requests.
#[derive(Debug)]
pub struct HttpClient {
    server: ServerUrl,
    idle: Option<Live>,
}

#[derive(Debug)]
struct Live {
    sender: http1::SendRequest<Full<Bytes>>,
    connection: http1::Connection<TokioIo<TcpStream>, Full<Bytes>>,
}

/// What is asked besides method and path.
#[derive(Clone, Copy, Debug, Default)]
struct Extra<'a> {
    token: Option<&'a str>,
    body: Option<&'a [u8]>,
}

/// An answer of any status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status and headers.
    pub head: ::http::response::Parts,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// Reads the body of a success as JSON.
    ///
    /// # Errors
    /// [`HttpError::Refused`] for any other status, [`HttpError::Unreadable`] for another body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        if !self.head.status.is_success() {
            return Err(ApiError::read(self).into());
        }
        serde_json::from_slice(&self.body).map_err(|error| HttpError::Unreadable(error.to_string()))
    }
}

impl HttpClient {
    /// Returns a client that is not connected yet.
    pub fn new(server: ServerUrl) -> Self {
        Self { server, idle: None }
    }

    /// Returns whom it speaks to.
    pub fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// Makes a request, with `body` as JSON, and returns its answer whatever the status.
    ///
    /// # Errors
    /// When there is no answer. The request may have been carried out all the same.
    ///
    /// # Cancel safety
    /// The connection is given up; the request may have been carried out.
    pub async fn request(
        &mut self,
        method: ::http::Method,
        path: &str,
        token: Option<&str>,
        body: Option<&impl Serialize>,
    ) -> Result<Answer, HttpError> {
        let body = body.map(serde_json::to_vec).transpose();
        let body = body.map_err(|error| HttpError::Unwritable(error.to_string()))?;
        let extra = Extra { token, body: body.as_deref() };
        tokio::time::timeout(ANSWER_WITHIN, self.exchange(&method, path, extra))
            .await
            .map_err(|_| HttpError::Late)?
    }

    async fn exchange(
        &mut self,
        method: &::http::Method,
        path: &str,
        extra: Extra<'_>,
    ) -> Result<Answer, HttpError> {
        let mut live = match self.idle.take() {
            Some(live) => live,
            None => Live::connect(&self.server).await?,
        };
        if live.has_ended().await {
            live = Live::connect(&self.server).await?;
        }
        let request = self.build(method, path, extra)?;
        let answer = live.send(request).await?;
        let is_last =
            answer.head.headers.get(::http::header::CONNECTION).is_some_and(|value| value == "close");
        self.idle = (!is_last).then_some(live);
        Ok(answer)
    }

    fn build(
        &self,
        method: &::http::Method,
        path: &str,
        extra: Extra<'_>,
    ) -> Result<::http::Request<Full<Bytes>>, HttpError> {
        let mut request = ::http::Request::builder()
            .method(method)
            .uri(path)
            .header(::http::header::HOST, self.server.authority());
        if let Some(token) = extra.token {
            request = request.header(::http::header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if extra.body.is_some() {
            request = request.header(::http::header::CONTENT_TYPE, "application/json");
        }
        let body = Full::new(Bytes::copy_from_slice(extra.body.unwrap_or_default()));
        request.body(body).map_err(|error| HttpError::Unwritable(error.to_string()))
    }
}

impl Live {
    async fn connect(server: &ServerUrl) -> Result<Self, HttpError> {
        let stream = TcpStream::connect(server.host_and_port()).await.map_err(HttpError::Connect)?;
        stream.set_nodelay(true).map_err(HttpError::Connect)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Self { sender, connection })
    }

    /// Returns whether the server has closed the connection since the last request.
    async fn has_ended(&mut self) -> bool {
        poll_fn(|cx| Poll::Ready(Pin::new(&mut self.connection).poll(cx).is_ready())).await
            || self.sender.is_closed()
    }

    async fn send(&mut self, request: ::http::Request<Full<Bytes>>) -> Result<Answer, HttpError> {
        let Self { sender, connection } = self;
        let exchange = async {
            sender.ready().await?;
            let (head, body) = sender.send_request(request).await?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES).collect().await;
            let body = body.map_err(|error| HttpError::Unreadable(error.to_string()))?.to_bytes();
            Ok(Answer { head, body })
        };
        let mut exchange = pin!(exchange);
        let mut has_ended = false;
        // The connection moves only while it is polled; there is no task that would do it.
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(answer) = exchange.as_mut().poll(cx) {
                    return Poll::Ready(answer);
                }
                if has_ended || Pin::new(&mut *connection).poll(cx).is_pending() {
                    return Poll::Pending;
                }
                has_ended = true;
            }
        })
        .await
    }
}
