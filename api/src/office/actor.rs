//! Who does something in the office.

use crate::dispatch::bearer;
use crate::edge::Edge;
use crate::problem::Problem;
use http::HeaderMap;
use rookery_protocol::{ErrorCode, UserId};
use serde::Deserialize;
use std::net::IpAddr;

/// The longest reason that is kept.
const REASON_CHARS: usize = 1000;

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    /// Whoever holds the server's signing key.
    Operator,
    /// A user who administers the server.
    Admin(UserId),
    /// Somebody at this address who could reach the operators' listener, where it asks for no more than that.
    Address(IpAddr),
}

impl Actor {
    /// Finds out who asks: by the operator's token, or by the access token of an admin of the server.
    pub(crate) async fn of(edge: &Edge, headers: &HeaderMap) -> Result<Self, Problem> {
        if bearer(headers).is_some_and(|token| edge.accounts.is_operator(token)) {
            return Ok(Self::Operator);
        }
        let identity = crate::dispatch::authenticate(edge, headers).await?;
        let user = identity.user.id;
        let standing =
            edge.accounts.standing(user).await.map_err(|error| crate::accounts::unavailable(&error))?;
        if standing.is_admin && !standing.is_barred(edge.node.clock().now()) {
            return Ok(Self::Admin(user));
        }
        Err(Problem::new(ErrorCode::Forbidden, "this is for admins of the server"))
    }

    /// Finds out who asks where whoever can reach the listener may: by a token where there is a good one.
    pub(crate) async fn named(edge: &Edge, headers: &HeaderMap, from: IpAddr) -> Self {
        Self::of(edge, headers).await.unwrap_or(Self::Address(from))
    }

    /// Returns its name in the audit log.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Admin(user) => user.to_string(),
            Self::Address(address) => format!("address {address}"),
        }
    }

    /// Refuses an admin what only operators may.
    pub(crate) fn must_operate(self) -> Result<(), Problem> {
        match self {
            Self::Operator => Ok(()),
            Self::Admin(_) | Self::Address(_) => {
                Err(Problem::new(ErrorCode::Forbidden, "this is for operators of the server"))
            }
        }
    }
}

/// Why something is done: the body of every request that changes something.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Because {
    reason: String,
}

impl Because {
    /// Returns the reason, of 1 to 1000 characters.
    pub(crate) fn reason(self) -> Result<String, Problem> {
        checked(self.reason)
    }
}

/// Returns a reason that is one.
pub(crate) fn checked(reason: String) -> Result<String, Problem> {
    let is_one = !reason.trim().is_empty() && reason.chars().count() <= REASON_CHARS;
    is_one.then_some(reason).ok_or_else(|| Problem::field("reason", "a reason has 1 to 1000 characters"))
}
