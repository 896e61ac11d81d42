//! A call: one request on its way through its handler, and what the handler may ask of it.

use crate::accounts::Asker;
use crate::edge::Edge;
use crate::forwarded;
use crate::problem::Problem;
use crate::query;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use rookery_actors::Identity;
use rookery_engine::trace::{Step, Trace};
use rookery_protocol::{ErrorCode, Op, ReplyBody, WireError};
use serde::de::DeserializeOwned;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// One request.
pub(crate) struct Call {
    pub(crate) edge: Arc<Edge>,
    pub(crate) peer: SocketAddr,
    pub(crate) request: Request<Incoming>,
    /// What stands in the path for the route's `{names}`.
    pub(crate) params: Vec<(String, String)>,
    /// The largest body that the route takes.
    pub(crate) body_bytes: usize,
    /// Its trace, where it is traced.
    pub(crate) trace: Option<Box<Trace>>,
    /// Its line in the audit log, once it has one; `None` where calls have none.
    pub(crate) line: Option<Arc<OnceLock<Uuid>>>,
}

impl Call {
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Returns the address that the request came from, behind the proxies that are trusted.
    pub(crate) fn from(&self) -> IpAddr {
        forwarded::client(self.peer.ip(), self.headers(), &self.edge.config().server.trusted_proxies)
    }

    /// Returns who asks, for what may lead to a letter.
    pub(crate) fn asker(&self) -> Asker {
        let language = self.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Asker { address: self.from(), language: language.map(str::to_owned) }
    }

    /// Parses what stands in the path for `{name}`, percent-decoded; what is no id is nothing that exists.
    pub(crate) fn path<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        let text = self.params.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
        let value = text.and_then(query::decode).and_then(|text| text.parse().ok());
        value.ok_or_else(|| Problem::new(ErrorCode::NotFound, "there is nothing at this path"))
    }

    /// Parses a value of the query.
    pub(crate) fn query<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, Problem> {
        let text = self.request.uri().query().and_then(|query| query::value(query, name));
        let parse = |text: String| text.parse().map_err(|_| Problem::field(name, "is not as it must be"));
        text.map(parse).transpose()
    }

    /// Reads the body as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        self.require_json()?;
        let body = self.body().await?;
        self.decode(&body)
    }

    /// Reads the body as JSON, or takes the default when there is none.
    pub(crate) async fn json_or_default<T: DeserializeOwned + Default>(&mut self) -> Result<T, Problem> {
        let body = self.body().await?;
        if body.is_empty() {
            return Ok(T::default());
        }
        self.require_json()?;
        self.decode(&body)
    }

    fn decode<T: DeserializeOwned>(&mut self, body: &[u8]) -> Result<T, Problem> {
        self.begin(Step::Decode);
        let value = parse(body)?;
        self.begin(Step::Authorise);
        Ok(value)
    }

    /// Performs an op of `who`: what a socket does with a command.
    pub(crate) async fn perform(&mut self, who: &Identity, op: Op) -> Result<ReplyBody, Problem> {
        self.edge.node.spend(who, &op)?;
        let mut trace = self.trace.take();
        if let Some(trace) = &mut trace {
            trace.set_op(op.name());
            if trace.step() != Some(Step::Authorise) {
                trace.next(Step::Authorise);
            }
        }
        Ok(self.edge.node.perform_traced(&who.user, op, trace).await?)
    }

    fn begin(&mut self, step: Step) {
        if let Some(trace) = &mut self.trace {
            trace.next(step);
        }
    }

    /// Requires a JSON content type: no form of another site can set it.
    fn require_json(&self) -> Result<(), Problem> {
        let text = self.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = text.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/json") {
            return Ok(());
        }
        Err(Problem::new(ErrorCode::Unsupported, "the body must be application/json")
            .status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
    }

    /// Reads the whole body within its size and its time.
    async fn body(&mut self) -> Result<Bytes, Problem> {
        let limited = Limited::new(self.request.body_mut(), self.body_bytes).collect();
        match tokio::time::timeout(self.edge.config().server.body_timeout, limited).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(self.body_bytes)),
            Ok(Err(_)) => Err(Problem::new(ErrorCode::BadRequest, "the body broke off").closing()),
            Err(_) => Err(Problem::new(ErrorCode::BadRequest, "the body did not arrive in time")
                .status(StatusCode::REQUEST_TIMEOUT)
                .closing()),
        }
    }
}

/// Says that a body is over its limit.
pub(crate) fn too_large(limit: usize) -> Problem {
    Problem::new(ErrorCode::TooLarge, format!("the body is over {limit} bytes")).closing()
}

/// Not JSON is a bad request; JSON of another shape is invalid, with the field that is.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // A derived struct would also read an array, as its fields in their order.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(Problem::new(ErrorCode::Invalid, "the body is an object"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if !error.is_data() {
            return not_json(&error);
        }
        let text = error.to_string();
        // Serde names what is missing only in words, and the path then is its parent's.
        let missing = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let field = missing.unwrap_or(&path).to_owned();
        WireError::new(ErrorCode::Invalid, text).field(field).into()
    })?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::new(ErrorCode::BadRequest, format!("the body is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Body {
        outer: Inner,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        name: String,
    }

    fn errors(body: &str) -> String {
        let problem = parse::<Body>(body.as_bytes()).unwrap_err();
        format!("{problem:?}")
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        assert_eq!(parse::<Body>(br#"{"outer":{"name":"x","more":1}}"#).unwrap().outer.name, "x");
        assert!(errors(r#"{"outer":{"name":7}}"#).contains("Some(\"outer.name\")"));
        assert!(errors(r#"{"outer":{}}"#).contains("Some(\"name\")"));
        assert!(errors(r#"{"outer":{"name":"x"}} {}"#).contains("BadRequest"));
        assert!(errors("{").contains("BadRequest"));
        assert!(errors(r#" [{"name":"x"}]"#).contains("Invalid"));
    }
}
