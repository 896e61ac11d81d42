//! Identifiers, positions and times: newtypes, so that one is never taken for another.

use crate::limits::SAFE_INTEGER;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        ///
        /// **Shape**: lower-case text with hyphens in JSON, 16 bytes (`bin`) in MessagePack.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[cfg_attr(test, derive(ts_rs::TS), ts(type = "string"))]
        #[serde(transparent)]
        #[schemars(transparent)]
        pub struct $name(#[schemars(with = "String", extend("format" = "uuid"))] pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

uuid_id! {
    /// A user.
    UserId
    /// A room.
    RoomId
    /// A login session: what a refresh token family belongs to and what a user can revoke.
    SessionId
    /// A device, as the client names it.
    DeviceId
    /// The name a client gives to a write, so that sending it again does not write twice.
    ClientId
    /// A file that was uploaded.
    FileId
}

/// A position in a room's log: 1 is the first event, 0 is before it.
///
/// Decoding refuses what is above [`SAFE_INTEGER`], so that [`Seq::next`] cannot overflow.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema,
)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
#[schemars(transparent)]
pub struct Seq(#[schemars(range(max = 9_007_199_254_740_991_u64))] pub u64);

impl Seq {
    /// The position before the first event.
    pub const ZERO: Self = Self(0);

    /// Returns the position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Says that a text or a number is not a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a whole number below 2^53")]
pub struct NoPosition;

impl TryFrom<u64> for Seq {
    type Error = NoPosition;

    fn try_from(value: u64) -> Result<Self, NoPosition> {
        if value > SAFE_INTEGER { Err(NoPosition) } else { Ok(Self(value)) }
    }
}

impl FromStr for Seq {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        text.parse::<u64>().map_err(|_| NoPosition)?.try_into()
    }
}

impl<'de> Deserialize<'de> for Seq {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = u64::deserialize(deserializer)?;
        Self::try_from(value).map_err(|_| D::Error::custom("a number of 2^53 or above"))
    }
}

/// A moment: milliseconds since the Unix epoch, UTC.
///
/// Decoding refuses what is further away from the epoch than [`SAFE_INTEGER`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema,
)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(transparent)]
#[schemars(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Returns this moment `millis` later.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0 + millis)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = i64::deserialize(deserializer)?;
        if value.unsigned_abs() > SAFE_INTEGER {
            return Err(D::Error::custom("a number of 2^53 or above"));
        }
        Ok(Self(value))
    }
}
