//! One batch over HTTP: tried again where that may help, and given up otherwise.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use std::time::Duration;
use tokio::time::sleep;

/// How long one request may take, connecting included.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// How often one batch is sent. With the pauses between it is given up after half a minute at most, and newer
/// spans are worth more by then.
const TRIES: u32 = 5;

/// The pause after the first try; doubled after each.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest pause that a receiver can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Bytes of an answer that are read: it is a number and a word.
const ANSWER_BYTES: usize = 16 * 1024;

/// Why spans cannot be exported at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is no URL of HTTP.
    #[error("read the endpoint of traces as the URL of an HTTP server")]
    Endpoint,
    /// The client cannot be made.
    #[error("make the client for traces: {0}")]
    Client(String),
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("{0}")]
    Away(String),
    #[error("it answers {status}")]
    Status { status: StatusCode, pause: Option<Duration> },
}

impl SendError {
    /// Whether the same batch may be taken later (OTLP specification, "OTLP/HTTP Response").
    const fn is_passing(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Status { status, .. } => matches!(
                *status,
                StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            ),
        }
    }
}

/// What takes spans.
#[derive(Debug)]
pub(crate) struct Receiver {
    client: Client,
    url: Url,
    /// Whether it has taken the last batch, so that the log says once that it does not.
    is_well: bool,
}

impl Receiver {
    pub(crate) fn open(endpoint: &str, mut headers: HeaderMap) -> Result<Self, OpenError> {
        let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let url = Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or(OpenError::Endpoint)?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        let client = Client::builder()
            .default_headers(headers)
            .timeout(ANSWERS_WITHIN)
            .redirect(Policy::none())
            // The environment is read by the binary alone.
            .no_proxy()
            .build()
            .map_err(|error| OpenError::Client(chain(&error)))?;
        Ok(Self { client, url, is_well: true })
    }

    /// Sends a batch. Returns how many of its spans were refused, or `None` where it was not taken at all.
    ///
    /// # Cancel safety
    /// Whether the receiver has it is not known then.
    pub(crate) async fn send(&mut self, request: Bytes) -> Option<u64> {
        let mut pause = PAUSE;
        for tried in 1..=TRIES {
            match self.post(request.clone()).await {
                Ok(refused) => {
                    if !std::mem::replace(&mut self.is_well, true) {
                        tracing::info!("traces are taken again");
                    }
                    return Some(refused);
                }
                Err(error) => {
                    if std::mem::replace(&mut self.is_well, false) {
                        tracing::warn!(%error, "traces are not taken");
                    }
                    if !error.is_passing() || tried == TRIES {
                        return None;
                    }
                    let asked = match error {
                        SendError::Status { pause, .. } => pause,
                        SendError::Away(_) => None,
                    };
                    sleep(asked.unwrap_or(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        None
    }

    async fn post(&self, request: Bytes) -> Result<u64, SendError> {
        let sent = self.client.post(self.url.clone()).body(request).send().await;
        let mut answer = sent.map_err(|error| SendError::Away(chain(&error.without_url())))?;
        let status = answer.status();
        if !status.is_success() {
            let seconds = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
            let pause = seconds.and_then(|text| text.parse().ok()).map(Duration::from_secs);
            return Err(SendError::Status { status, pause: pause.map(|pause| pause.min(LONGEST_PAUSE)) });
        }
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await
            && body.len() + chunk.len() <= ANSWER_BYTES
        {
            body.extend_from_slice(&chunk);
        }
        // It has taken the batch; what it says beside is worth a number, not a second try.
        let said = ExportTraceServiceResponse::decode(&body[..]).ok().and_then(|said| said.partial_success);
        Ok(said.map_or(0, |partly| u64::try_from(partly.rejected_spans).unwrap_or(0)))
    }
}

/// Says what went wrong, down to what the system says.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
