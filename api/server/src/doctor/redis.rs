//! The Redis of a cluster: whether it answers, and is one that a bus can use.

use super::Finding;
use crate::wiring;
use rookery_api::config::ClusterConfig;
use rookery_bus_redis::{RedisStatus, inspect};

const NAME: &str = "redis";

/// Asks it, and judges what it says.
pub(super) async fn look(config: &ClusterConfig) -> Finding {
    match inspect(&wiring::redis_options(config)).await {
        Ok(status) => judge(&status),
        Err(error) => Finding::fail(NAME, error),
    }
}

/// Whether it keeps anything over a restart does not count: nothing lives only there.
fn judge(status: &RedisStatus) -> Finding {
    let RedisStatus { version, is_primary, is_whole, eviction } = status;
    match eviction.as_deref() {
        _ if !is_whole => {
            Finding::fail(NAME, format!("{version} answers, but shares its keys out (cluster mode)"))
        }
        _ if !is_primary => {
            Finding::fail(NAME, format!("{version} answers, but is a replica: name the primary"))
        }
        Some(policy) if policy != "noeviction" => Finding::warn(
            NAME,
            format!(
                "{version} answers, but throws keys away when its memory is full ({policy}): servers lose \
                 their leases then; set maxmemory-policy noeviction"
            ),
        ),
        _ => Finding::ok(NAME, format!("{version} answers")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn only_a_primary_that_keeps_its_keys_is_right() {
        let good =
            RedisStatus { version: "7.0.15".to_owned(), is_primary: true, is_whole: true, eviction: None };
        let evicting = |policy: &str| RedisStatus { eviction: Some(policy.to_owned()), ..good.clone() };
        assert_eq!(judge(&good).level, Level::Ok);
        assert_eq!(judge(&evicting("noeviction")).level, Level::Ok);
        assert_eq!(judge(&evicting("volatile-ttl")).level, Level::Warn);
        assert_eq!(judge(&RedisStatus { is_primary: false, ..good.clone() }).level, Level::Fail);
        assert_eq!(judge(&RedisStatus { is_whole: false, ..good.clone() }).level, Level::Fail);
    }
}
