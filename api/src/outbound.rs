//! The one client that speaks HTTP to other servers: with an end to everything.
//!
//! No redirects, since an answer must not say where to ask next; no proxy of the environment; no cookies. A
//! host that an operator has named is asked as it is. Whatever else an answer leads to (the keys and the tokens of a
//! provider may be on other hosts) has to be a server that everybody can reach.

use crate::inside::{self, Inside, PublicOnly};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use openidconnect::AsyncHttpClient;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::BTreeSet;
use std::sync::Arc;
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
    /// It is not asked: nobody has named it, and it is inside.
    #[error(transparent)]
    Inside(#[from] Inside),
    /// The answer cannot be passed on.
    #[error("read the answer: {0}")]
    Unreadable(#[from] http::Error),
}

/// The client.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    client: reqwest::Client,
    named: Named,
}

/// The hosts that an operator has named.
#[derive(Clone, Debug)]
struct Named(Arc<BTreeSet<String>>);

impl Resolve for Named {
    fn resolve(&self, name: Name) -> Resolving {
        if !self.0.contains(name.as_str()) {
            return PublicOnly.resolve(name);
        }
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl Outbound {
    /// Makes the client, of an operator who has named `hosts`; it connects when it is used.
    ///
    /// # Panics
    /// When the system has no source of certificates that can be read.
    pub(crate) fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        let named = Named(Arc::new(hosts.into_iter().collect()));
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .timeout(WITHIN)
            .connect_timeout(CONNECTED_WITHIN)
            .dns_resolver(Arc::new(named.clone()))
            .pool_max_idle_per_host(2)
            .user_agent(concat!("rookery/", env!("CARGO_PKG_VERSION")));
        Self { client: client.build().expect("the client has no settings that can be wrong"), named }
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`OutboundError`]; whether the request was taken is not known then.
    pub(crate) async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, OutboundError> {
        let request: reqwest::Request = request.try_into()?;
        let url = request.url();
        if !url.host_str().is_some_and(|host| self.named.0.contains(host)) {
            inside::may_be_asked(url)?;
        }
        let mut answer = self.client.execute(request).await?;
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
