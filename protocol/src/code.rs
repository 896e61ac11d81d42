//! What a refusal says: error codes and the error object, and the codes of a closed connection
//! (PROTOCOL section 7).

use crate::word::words;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

words! {
    /// Why a command or a request was refused.
    pub enum ErrorCode {
        /// Not a command, or a request that cannot be read.
        BadRequest = "bad_request",
        /// A field is missing, of the wrong type or out of range; `details.field` says which.
        Invalid = "invalid",
        /// Nobody is known to be asking.
        Unauthenticated = "unauthenticated",
        /// The access token has run out.
        TokenExpired = "token_expired",
        /// The one who asks may not.
        Forbidden = "forbidden",
        /// It is not there, or not for the one who asks.
        NotFound = "not_found",
        /// It is not in the state that was expected.
        Conflict = "conflict",
        /// More than the limit.
        TooLarge = "too_large",
        /// Too often; try again after the delay.
        RateLimited = "rate_limited",
        /// Too much is waiting; try again after the delay.
        Busy = "busy",
        /// Nothing can be stored or read now; try again after the delay.
        StoreUnavailable = "store_unavailable",
        /// There is no such command.
        UnknownOp = "unknown_op",
        /// The command is known and not served here.
        Unsupported = "unsupported",
        /// A fault of the server.
        Internal = "internal",
    }
}

impl ErrorCode {
    /// Returns the HTTP status (RFC 9110, section 15) that says the same.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::BadRequest | Self::UnknownOp | Self::Unsupported => 400,
            Self::Unauthenticated | Self::TokenExpired => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::Invalid => 422,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Busy | Self::StoreUnavailable => 503,
        }
    }

    /// Returns whether the same again may succeed later.
    pub const fn retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Busy | Self::StoreUnavailable)
    }
}

/// A refusal, as the client reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[error("{code}: {message}")]
pub struct WireError {
    /// Why, for programs.
    pub code: ErrorCode,
    /// Why, for people.
    pub message: String,
    /// Whether the same again may succeed later.
    pub retryable: bool,
    /// Milliseconds to wait before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

/// What a refusal is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Details {
    /// The field at fault, as a path with dots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl WireError {
    /// Returns a refusal that is as retryable as its code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retryable: code.retryable(),
            retry_after_ms: None,
            details: None,
        }
    }

    /// Names the field at fault.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.details = Some(Details { field: Some(field.into()) });
        self
    }

    /// Says how many milliseconds to wait before the same again.
    #[must_use]
    pub fn retry_after(mut self, millis: u32) -> Self {
        self.retry_after_ms = Some(millis);
        self
    }
}

/// Why the server closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// It is over, as agreed.
    Normal,
    /// The peer broke the WebSocket protocol.
    ProtocolError,
    /// A text frame was not UTF-8.
    InvalidPayload,
    /// A WebSocket message was over the limit.
    MessageTooBig,
    /// The server shuts down.
    Draining,
    /// The peer does not read fast enough.
    SlowConsumer,
    /// The peer does not answer pings.
    NoPong,
    /// The server has lost what it knew of the connection.
    StateLost,
    /// The access token has run out.
    TokenExpired,
    /// Too many commands.
    TooManyRequests,
    /// A fault of the server.
    Internal,
    /// A frame that cannot be decoded.
    Malformed,
    /// The token was not accepted.
    AuthFailed,
    /// No token came in time.
    AuthTimeout,
    /// The login was ended.
    SessionRevoked,
    /// The account was disabled.
    AccountDisabled,
    /// Neither codec was offered.
    Unsupported,
    /// A frame over the limit.
    TooLarge,
}

impl CloseCode {
    /// Every code, by number.
    pub const ALL: &'static [Self] = &[
        Self::Normal,
        Self::ProtocolError,
        Self::InvalidPayload,
        Self::MessageTooBig,
        Self::Draining,
        Self::SlowConsumer,
        Self::NoPong,
        Self::StateLost,
        Self::TokenExpired,
        Self::TooManyRequests,
        Self::Internal,
        Self::Malformed,
        Self::AuthFailed,
        Self::AuthTimeout,
        Self::SessionRevoked,
        Self::AccountDisabled,
        Self::Unsupported,
        Self::TooLarge,
    ];

    /// Returns the number in the close frame: RFC 6455, section 7.4.1, below 4000; ours above.
    pub const fn as_u16(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::ProtocolError => 1002,
            Self::InvalidPayload => 1007,
            Self::MessageTooBig => 1009,
            Self::Draining => 4000,
            Self::SlowConsumer => 4001,
            Self::NoPong => 4002,
            Self::StateLost => 4003,
            Self::TokenExpired => 4004,
            Self::TooManyRequests => 4005,
            Self::Internal => 4006,
            Self::Malformed => 4500,
            Self::AuthFailed => 4501,
            Self::AuthTimeout => 4502,
            Self::SessionRevoked => 4503,
            Self::AccountDisabled => 4504,
            Self::Unsupported => 4505,
            Self::TooLarge => 4506,
        }
    }

    /// Returns the code with this number, if it is one of ours.
    pub fn from_u16(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_u16() == number)
    }

    /// Returns the word in the close frame.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::ProtocolError => "protocol_error",
            Self::InvalidPayload => "invalid_payload",
            Self::MessageTooBig => "message_too_big",
            Self::Draining => "draining",
            Self::SlowConsumer => "slow_consumer",
            Self::NoPong => "no_pong",
            Self::StateLost => "state_lost",
            Self::TokenExpired => "token_expired",
            Self::TooManyRequests => "too_many_requests",
            Self::Internal => "internal",
            Self::Malformed => "malformed",
            Self::AuthFailed => "auth_failed",
            Self::AuthTimeout => "auth_timeout",
            Self::SessionRevoked => "session_revoked",
            Self::AccountDisabled => "account_disabled",
            Self::Unsupported => "unsupported",
            Self::TooLarge => "too_large",
        }
    }

    /// Returns whether the client should connect again and resume.
    pub const fn reconnect(self) -> bool {
        matches!(self.as_u16(), 4000..=4499)
    }
}
