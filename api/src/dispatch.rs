//! From a request to its answer: find the route, see who asks, run the handler, whatever it does.

use crate::accounts::Found;
use crate::addresses::party;
use crate::call::{Call, too_large};
use crate::cors::{self, Cors};
use crate::edge::Edge;
use crate::forwarded;
use crate::office::Actor;
use crate::problem::Problem;
use crate::respond::{self, Answer, REQUEST_ID};
use crate::route::{Handler, Reach, Route};
use crate::router::Router;
use crate::routes::ROUTES;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use hyper::body::{self, Body};
use rookery_actors::Identity;
use rookery_engine::Metrics;
use rookery_engine::metrics::NO_ROUTE;
use rookery_engine::trace::{Incoming, Trace};
use rookery_protocol::{ErrorCode, WireError};
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;
use tracing::field::{Empty, display};

/// Characters of a request id that a client may bring: enough for a UUID or a trace id twice over.
const REQUEST_ID_CHARS: usize = 64;

/// What the request is a part of (W3C Trace Context).
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// As long as it takes: what is streamed is given up when it stalls.
const UNBOUNDED: Duration = Duration::MAX;

/// Milliseconds until a request that took too long should be tried again.
const RETRY_AFTER_MS: u32 = 1000;

/// Answers one request. Every answer, errors and panics included, carries the request's id, and so does every line
/// of the log that is written meanwhile.
pub(crate) async fn answer(
    edge: &Arc<Edge>,
    router: &Router,
    peer: SocketAddr,
    request: Request<body::Incoming>,
) -> Answer {
    let request_id = request_id(edge, request.headers());
    // Of the highest level, so that no filter takes the ids from a line that it lets through.
    let id = request_id.to_str().unwrap_or_default();
    let span = tracing::error_span!("request", request_id = id, user = Empty, trace_id = Empty);
    answer_as(edge, router, peer, request, &request_id).instrument(span).await
}

async fn answer_as(
    edge: &Arc<Edge>,
    router: &Router,
    peer: SocketAddr,
    request: Request<body::Incoming>,
    request_id: &HeaderValue,
) -> Answer {
    let started = Instant::now();
    let in_flight = InFlight::begin(edge);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let from = forwarded::client(peer.ip(), request.headers(), &edge.config().server.trusted_proxies);
    // hyper prefers `Transfer-Encoding` to `Content-Length` and hides that both were there, so what
    // follows such a request is never read as another one (RFC 9112, section 6.1).
    let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);

    let cors = Cors::of(request.headers(), &edge.config().server.allowed_origins);
    let found = match cors.preflight(&method, request.headers()) {
        Some(answer) => Err(Ok(answer)),
        None => router.find(&method, &path).map_err(Err),
    };
    let (index, label, outcome) = match found {
        Ok(found) => {
            let route = found.route;
            let trace = match route.handler {
                Handler::User(_) if !route.is_streamed => begin_trace(edge, peer.ip(), request.headers()),
                _ => None,
            };
            if let Some(trace) = &trace {
                tracing::Span::current().record("trace_id", display(trace.id()));
            }
            let call = Call {
                edge: Arc::clone(edge),
                peer,
                request,
                params: found.params,
                body_bytes: route.body_bytes,
                trace,
                line: (route.reach == Reach::Admin).then(Arc::default),
            };
            let time = if route.is_streamed { UNBOUNDED } else { edge.config().server.request_timeout };
            let outcome = within_time(time, run(call, route)).await;
            if started.elapsed() >= time {
                edge.node.metrics().commands.limits.of("request-time").increment(1);
            }
            (found.index, route.path, outcome)
        }
        Err(outcome) => (ROUTES.len(), NO_ROUTE[1], outcome),
    };
    let refused = outcome.as_ref().err().map(Problem::code);
    let code = refused.map(ErrorCode::as_str);
    if let Some(unsaid) = refused.and_then(|code| edge.node.refused(u128::from(party(from)), code)) {
        tracing::info!(%method, route = label, code, unsaid, "refused");
    }
    let id = request_id.to_str().unwrap_or_default();
    let mut answer = outcome.unwrap_or_else(|problem| problem.into_answer(&path, id));
    respond::common_headers(answer.headers_mut(), request_id);
    cors.mark(answer.headers_mut());
    if edge.config().server.is_behind_tls() {
        respond::only_tls(answer.headers_mut());
    }
    if is_chunked && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }

    let status = answer.status().as_u16();
    let took = started.elapsed();
    in_flight.end(index, status, took);
    if answer.status().is_server_error() {
        edge.office.tally.count(edge.node.clock().now(), |happened| happened.errors += 1);
    }
    tracing::debug!(%method, route = label, status, code, ms = took.as_millis(), "answered");
    answer
}

/// Begins the trace of a request where it is to be traced: as a part of what it says it is a part of.
fn begin_trace(edge: &Edge, peer: IpAddr, headers: &HeaderMap) -> Option<Box<Trace>> {
    let tracer = edge.node.tracer();
    if !tracer.is_on() {
        return None;
    }
    let parent = headers.get(TRACE_PARENT).and_then(|value| value.to_str().ok()).and_then(Incoming::parse);
    match parent {
        Some(parent) => {
            let is_trusted = edge.config().server.trusted_proxies.contains(&peer.to_canonical());
            tracer.begin_within(parent, is_trusted)
        }
        None => tracer.begin(),
    }
}

/// Authenticates where the handler needs it, and runs it.
async fn run(call: Call, route: &Route) -> Result<Answer, Problem> {
    // Whoever watches over the server is not kept from it.
    if route.reach == Reach::Public {
        call.edge.addresses.request(call.from(), call.edge.node.moment())?;
    }
    let config = call.edge.config();
    cors::refuse_forgery(call.request.method(), call.headers(), &config.server.allowed_origins)?;
    if call.request.body().size_hint().lower() > call.body_bytes as u64 {
        return Err(too_large(call.body_bytes));
    }
    if let Some(line) = call.line.clone() {
        let edge = Arc::clone(&call.edge);
        let outcome = handle(call, route).await;
        if let Some(line) = line.get() {
            edge.office.note_outcome(*line, outcome.as_ref().err().map(Problem::code)).await;
        }
        return outcome;
    }
    handle(call, route).await
}

async fn handle(call: Call, route: &Route) -> Result<Answer, Problem> {
    match route.handler {
        Handler::Public(handler) => handler(call).await,
        Handler::Admin(handler) => {
            let actor = Actor::of(&call.edge, call.headers()).await?;
            handler(call, actor).await
        }
        Handler::User(handler) => {
            let identity = authenticate(&call.edge, call.headers()).await?;
            tracing::Span::current().record("user", display(identity.user.id));
            handler(call, identity).await
        }
    }
}

/// Finds out whom the request's access token stands for.
pub(crate) async fn authenticate(edge: &Edge, headers: &HeaderMap) -> Result<Identity, Problem> {
    let token = bearer(headers).ok_or_else(|| {
        Problem::new(ErrorCode::Unauthenticated, "an access token is needed: Authorization: Bearer …")
    })?;
    let (identity, found) = edge.accounts.recognise(token).await?;
    let result = match found {
        Found::Remembered => "hit",
        Found::Stored => {
            edge.office.tally.see(edge.node.clock().now(), identity.user.id);
            "miss"
        }
    };
    edge.node.metrics().http.token_lookups.of(result).increment(1);
    Ok(identity)
}

/// Reads the token of `Authorization: Bearer` (RFC 6750, section 2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Gives a handler its time, and turns a panic into an answer: the connection survives it.
async fn within_time(
    time: Duration,
    handler: impl Future<Output = Result<Answer, Problem>>,
) -> Result<Answer, Problem> {
    match tokio::time::timeout(time, AssertUnwindSafe(handler).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_panic)) => {
            tracing::error!("a handler panicked");
            Err(Problem::new(ErrorCode::Internal, "the server made a mistake"))
        }
        Err(_) => {
            let late = WireError::new(ErrorCode::Busy, "the answer took too long; it may still take effect");
            Err(late.retry_after(RETRY_AFTER_MS).into())
        }
    }
}

/// Takes the client's request id when it is harmless in a log, or makes one: 128 random bits.
fn request_id(edge: &Edge, headers: &HeaderMap) -> HeaderValue {
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if let Some(id) = headers.get(REQUEST_ID)
        && (1..=REQUEST_ID_CHARS).contains(&id.len())
        && id.as_bytes().iter().all(harmless)
    {
        return id.clone();
    }
    let mut bits = [0; 16];
    edge.node.random().fill(&mut bits);
    HeaderValue::try_from(format!("{:032x}", u128::from_be_bytes(bits)))
        .expect("hex digits are a header value")
}

/// A request while it is answered. It counts down when it is dropped too: where the client has gone.
struct InFlight {
    metrics: Arc<Metrics>,
}

impl InFlight {
    fn begin(edge: &Edge) -> Self {
        let metrics = Arc::clone(edge.node.metrics());
        metrics.http.in_flight.increment(1.0);
        Self { metrics }
    }

    /// Counts an answer of the route at `index` of the table.
    fn end(self, index: usize, status: u16, took: Duration) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.metrics.http.requests.cross(index, class).increment(1);
        self.metrics.http.seconds.at(index).record(took.as_secs_f64());
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.metrics.http.in_flight.decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_answer() {
        let problem = within_time(Duration::from_secs(1), async { panic!("a mistake") }).await.unwrap_err();
        let answer = problem.into_answer("/", "test");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_that_hangs_is_given_up() {
        let problem = within_time(Duration::from_secs(1), std::future::pending()).await.unwrap_err();
        let answer = problem.into_answer("/", "test");
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
    }

    #[test]
    fn the_bearer_scheme_has_any_case_and_one_token() {
        let read = |value: &'static str| {
            let headers = [(header::AUTHORIZATION, HeaderValue::from_static(value))].into_iter().collect();
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(read("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(read("bearer abc").as_deref(), Some("abc"));
        assert_eq!(read("Basic abc"), None);
        assert_eq!(read("Bearer"), None);
    }
}
