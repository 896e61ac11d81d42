//! What a user may as a user of the server: whether it is barred from it, and whether it administers it.

use super::Accounts;
use crate::docket;
use rookery_engine::store::{Book, StoreError};
use rookery_protocol::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// How a user stands with the server. Most have no entry, which is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Standing {
    /// Whether it administers the server.
    pub(crate) is_admin: bool,
    /// Why it cannot log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ban: Option<Ban>,
    /// When it was asked to be forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) erased_at: Option<Timestamp>,
}

/// A user is barred from the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ban {
    /// Since when.
    pub(crate) at: Timestamp,
    /// Until when; for good without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    /// Why, for those who look at it later.
    pub(crate) reason: String,
}

impl Standing {
    /// Whether the user is barred at `now`.
    pub(crate) fn is_barred(&self, now: Timestamp) -> bool {
        let is_banned = self.ban.as_ref().is_some_and(|ban| ban.until.is_none_or(|until| now < until));
        is_banned || self.erased_at.is_some()
    }
}

impl Accounts {
    /// Returns how a user stands with the server.
    pub(crate) async fn standing(&self, user: UserId) -> Result<Standing, StoreError> {
        let known = docket::read(&*self.store, Book::Standings, user.0).await?;
        Ok(known.map(|known| known.what).unwrap_or_default())
    }
}
