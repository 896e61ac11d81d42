//! `[limits]`: rate limits.

use super::error::Problems;
use rookery_actors::RateConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rate limits.
#[derive(Clone, Copy, Debug)]
pub struct LimitsConfig {
    /// Lifts the limits by address, by account and by user: for tests and benches only.
    pub relaxed: bool,
    /// How much a login, a user and a room may do.
    pub rates: RateConfig,
    /// Requests of one address in a second.
    pub address_requests_per_second: u32,
    /// WebSockets and event streams of one address in a minute.
    pub address_connects_per_minute: u32,
}

/// Rate limits.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimits {
    /// Lifts the limits by address, by account and by user, and lets passwords be hashed cheaply: for tests and benches only.
    relaxed: bool,
    /// Messages a second of one login, or what costs as much; four seconds' worth may come at once. A user may do twice that with all logins together.
    #[schemars(range(min = 1, max = 100))]
    session_messages_per_second: u64,
    /// Messages a second of one room, changes of them included; four seconds' worth may come at once.
    #[schemars(range(min = 1, max = 1000))]
    room_messages_per_second: u64,
    /// Requests a second of one address (of IPv6 a /64); ten seconds' worth may come at once.
    #[schemars(range(min = 1, max = 1000))]
    address_requests_per_second: u64,
    /// WebSockets and event streams a minute that one address opens; a minute's worth may come at once.
    #[schemars(range(min = 1, max = 60_000))]
    address_connects_per_minute: u64,
}

impl Default for RawLimits {
    fn default() -> Self {
        let RateConfig { session_messages, room_messages } = RateConfig::default();
        Self {
            relaxed: false,
            session_messages_per_second: session_messages.into(),
            room_messages_per_second: room_messages.into(),
            address_requests_per_second: 50,
            address_connects_per_minute: 120,
        }
    }
}

impl RawLimits {
    pub(super) fn check(&self, problems: &mut Problems<'_>) -> LimitsConfig {
        let mut number =
            |key: &str, value, most| u32::try_from(problems.number(key, value, 1, most)).unwrap_or(u32::MAX);
        LimitsConfig {
            relaxed: self.relaxed,
            rates: RateConfig {
                session_messages: number(
                    "limits.session_messages_per_second",
                    self.session_messages_per_second,
                    100,
                ),
                room_messages: number("limits.room_messages_per_second", self.room_messages_per_second, 1000),
            },
            address_requests_per_second: number(
                "limits.address_requests_per_second",
                self.address_requests_per_second,
                1000,
            ),
            address_connects_per_minute: number(
                "limits.address_connects_per_minute",
                self.address_connects_per_minute,
                60_000,
            ),
        }
    }
}
