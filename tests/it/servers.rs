//! The real servers that tests share: those that `tests/servers/with` has started, or their own.

mod cassandra;
mod otlp;
mod redis;
mod smtp;

pub(crate) use cassandra::Cassandra;
pub(crate) use otlp::{Otlp, Received, STEPS};
pub(crate) use redis::Redis;
pub(crate) use smtp::{Mail, Smtp};
