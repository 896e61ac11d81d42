//! A route: one row of the table of endpoints.

pub(crate) mod docs;

use crate::call::Call;
use crate::office::Actor;
use crate::problem::Problem;
use crate::respond::Answer;
use docs::Docs;
use futures_util::future::BoxFuture;
use http::Method;
use rookery_actors::Identity;

/// Bytes of a body, unless the route says otherwise: the largest frame of a WebSocket.
const BODY_BYTES: usize = rookery_protocol::limits::FRAME_BYTES;

/// What a handler returns at once, and gives later.
pub(crate) type Answering = BoxFuture<'static, Result<Answer, Problem>>;

/// Who may call, and what does it. The two are one value, so that a handler that needs an identity
/// cannot be reached without one.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// Everybody.
    Public(fn(Call) -> Answering),
    /// Whoever has a good access token.
    User(fn(Call, Identity) -> Answering),
    /// Operators and admins of the server.
    Admin(fn(Call, Actor) -> Answering),
}

/// Which listener serves a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The public one.
    Public,
    /// The one for operators.
    Admin,
    /// Both.
    Both,
}

/// One endpoint.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// With `{name}` for what varies; also the label in metrics and logs.
    pub(crate) path: &'static str,
    pub(crate) handler: Handler,
    pub(crate) reach: Reach,
    pub(crate) body_bytes: usize,
    /// Whether its handler reads the body as it comes, under limits of its own of size and of time.
    pub(crate) is_streamed: bool,
    /// Its name for client developers; unique.
    pub(crate) operation: &'static str,
    /// What client developers are told of it.
    pub(crate) docs: Docs,
}

impl Route {
    pub(crate) const fn get(path: &'static str, operation: &'static str, handler: Handler) -> Self {
        Self::new(Method::GET, path, operation, handler)
    }

    pub(crate) const fn post(path: &'static str, operation: &'static str, handler: Handler) -> Self {
        Self::new(Method::POST, path, operation, handler)
    }

    pub(crate) const fn put(path: &'static str, operation: &'static str, handler: Handler) -> Self {
        Self::new(Method::PUT, path, operation, handler)
    }

    pub(crate) const fn patch(path: &'static str, operation: &'static str, handler: Handler) -> Self {
        Self::new(Method::PATCH, path, operation, handler)
    }

    pub(crate) const fn delete(path: &'static str, operation: &'static str, handler: Handler) -> Self {
        Self::new(Method::DELETE, path, operation, handler)
    }

    const fn new(method: Method, path: &'static str, operation: &'static str, handler: Handler) -> Self {
        Self {
            method,
            path,
            handler,
            reach: Reach::Public,
            body_bytes: BODY_BYTES,
            operation,
            is_streamed: false,
            docs: Docs::NONE,
        }
    }

    /// Serves the route on other listeners than the public one.
    pub(crate) const fn reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// Sets the largest body.
    pub(crate) const fn body_bytes(mut self, bytes: usize) -> Self {
        self.body_bytes = bytes;
        self
    }

    /// Has the handler read the body as it comes, for as long as it does.
    pub(crate) const fn streamed(mut self) -> Self {
        self.is_streamed = true;
        self.body_bytes = usize::MAX;
        self
    }

    /// Returns whether `listener` serves the route.
    pub(crate) fn is_on(&self, listener: Reach) -> bool {
        self.reach == Reach::Both || self.reach == listener
    }
}
