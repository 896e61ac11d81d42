//! Commands on users, oneself among them (PROTOCOL sections 1 and 3).

use crate::id::{DeviceId, FileId, Seq, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Proves who speaks, or extends the connection with a fresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Auth {
    /// The access token.
    pub token: String,
    /// The device it speaks from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// The last position of the inbox that this client has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox_after: Option<Seq>,
}

/// Asks for a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UserGet {
    /// Whom.
    pub user: UserId,
}

/// Looks for users by handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UserSearch {
    /// How the handle begins: at least 2 characters, whatever their case, with or without `@`.
    pub query: String,
    /// At most 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Blocks a user, or no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UserBlock {
    /// Whom.
    pub user: UserId,
    /// Set or taken off.
    pub on: bool,
}

/// Changes one's own profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProfileUpdate {
    /// 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// 3 to 32 of `a-z 0-9 _ .`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// At most 1024 characters; an empty text takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// A picture that was uploaded; the nil id takes the picture away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<FileId>,
}
