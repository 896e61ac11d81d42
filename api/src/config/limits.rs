//! `[limits]`: rate limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rate limits.
#[derive(Clone, Copy, Debug)]
pub struct LimitsConfig {
    /// Lifts the limits by address, by account and by user: for tests and benches only.
    pub relaxed: bool,
}

/// Rate limits.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimits {
    /// Lifts the limits by address, by account and by user, and lets passwords be hashed cheaply: for tests and benches only.
    relaxed: bool,
}

impl RawLimits {
    pub(super) const fn check(&self) -> LimitsConfig {
        LimitsConfig { relaxed: self.relaxed }
    }
}
