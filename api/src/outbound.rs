//! The one client that speaks HTTP to other servers: with an end to everything.
//!
//! No redirects, since an answer must not say where to ask next; no proxy of the environment; no cookies. An
//! address that an operator has set is asked as it is. Whatever is asked on behalf of a user has to be looked at
//! first: where the client is made is the one place for a resolver that refuses addresses inside.

use futures_util::future::BoxFuture;
use http::{Request, Response};
use openidconnect::AsyncHttpClient;
use std::time::Duration;

/// From the first byte sent until the last one read.
///
/// Providers answer within a second; a person waits for this behind a login button.
const WITHIN: Duration = Duration::from_secs(10);

/// Until a connection is there.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);

/// Bytes of an answer: the largest sets of keys have some 20 KiB.
const ANSWER_BYTES: usize = 256 << 10;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    /// It could not be asked, or did not answer in time.
    #[error("have the server answer: {0}")]
    Away(#[from] reqwest::Error),
    /// The answer is larger than any that is expected.
    #[error("read the answer: it is over {ANSWER_BYTES} bytes")]
    TooLarge,
    /// The answer cannot be passed on.
    #[error("read the answer: {0}")]
    Unreadable(#[from] http::Error),
}

/// The client.
#[derive(Clone, Debug)]
pub(crate) struct Outbound(reqwest::Client);

impl Outbound {
    /// Makes the client; it connects when it is used.
    ///
    /// # Panics
    /// When the system has no source of certificates that can be read.
    pub(crate) fn new() -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .timeout(WITHIN)
            .connect_timeout(CONNECTED_WITHIN)
            .pool_max_idle_per_host(2)
            .user_agent(concat!("rookery/", env!("CARGO_PKG_VERSION")));
        Self(client.build().expect("the client has no settings that can be wrong"))
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`OutboundError`]; whether the request was taken is not known then.
    pub(crate) async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, OutboundError> {
        let mut answer = self.0.execute(request.try_into()?).await?;
        let mut whole = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            whole = whole.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await? {
            if body.len() + piece.len() > ANSWER_BYTES {
                return Err(OutboundError::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        Ok(whole.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Outbound {
    type Error = OutboundError;
    type Future = BoxFuture<'c, Result<Response<Vec<u8>>, OutboundError>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.send(request))
    }
}
