//! Replies about users and the ways into a room.

use crate::object::User;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An invitation is good from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct InviteCreated {
    /// What `invite.accept` takes.
    pub invite: String,
    /// What a person is sent.
    pub url: String,
}

/// Users that were looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Users {
    /// Ascending by handle.
    pub users: Vec<User>,
}
