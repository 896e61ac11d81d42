//! What a Redis says of itself: for whoever sets one up, before a node uses it.

use crate::options::{OpenError, RedisOptions};
use crate::session::TLS_WITHIN;
use redis::{AsyncConnectionConfig, RedisError};

/// What a Redis says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisStatus {
    /// Its version, such as `7.0.15`.
    pub version: String,
    /// Whether it is the primary: a replica takes no lease.
    pub is_primary: bool,
    /// Whether it is alone: a cluster of Redis shares the keys of a bus out, and its scripts need them in one
    /// place.
    pub is_whole: bool,
    /// What it does when its memory is full, such as `noeviction`; `None` where its memory has no limit.
    pub eviction: Option<String>,
}

/// Why a Redis says nothing of itself.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The options are wrong.
    #[error(transparent)]
    Options(#[from] OpenError),
    /// It cannot be reached, does not let us in, or has not answered in time.
    #[error("have Redis answer: {0}")]
    Redis(#[from] RedisError),
}

/// Asks the Redis of these options what it is.
///
/// # Errors
/// [`InspectError`]; one of Redis may pass.
pub async fn inspect(options: &RedisOptions) -> Result<RedisStatus, InspectError> {
    // Whoever asks once has more time than a node that asks all the time.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(TLS_WITHIN))
        .set_response_timeout(Some(TLS_WITHIN));
    options.names()?;
    let mut connection = options.client()?.get_multiplexed_async_connection_with_config(&config).await?;
    let said: String = redis::cmd("INFO").query_async(&mut connection).await?;
    Ok(RedisStatus::read(&said))
}

impl RedisStatus {
    /// Reads what `INFO` answers: `name:value` a line.
    fn read(said: &str) -> Self {
        let value = |name: &str| {
            let mut lines = said.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| *key == name).map(|(_, value)| value.trim())
        };
        let is_limited = value("maxmemory").is_some_and(|bytes| bytes != "0");
        Self {
            version: value("redis_version").unwrap_or("of an unknown version").to_owned(),
            is_primary: value("role") == Some("master"),
            is_whole: value("redis_mode") != Some("cluster"),
            eviction: value("maxmemory_policy").filter(|_| is_limited).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_is_read() {
        let said = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n\r\n# Memory\r\nmaxmemory:0\r\n\
                    maxmemory_policy:allkeys-lru\r\n# Replication\r\nrole:master\r\n";
        let status =
            RedisStatus { version: "7.0.15".to_owned(), is_primary: true, is_whole: true, eviction: None };
        assert_eq!(RedisStatus::read(said), status);
        let said = said.replace("maxmemory:0", "maxmemory:1048576");
        let evicting = RedisStatus { eviction: Some("allkeys-lru".to_owned()), ..status };
        assert_eq!(RedisStatus::read(&said), evicting);
        let said = said.replace("standalone", "cluster").replace("master", "slave");
        assert_eq!(RedisStatus::read(&said), RedisStatus { is_primary: false, is_whole: false, ..evicting });
    }
}
