//! File descriptors: one a connection, so as many as the system lets this process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are kept for everything but connections: the database with its readers, the search index,
/// uploads (64), connections to Redis, ScyllaDB or a bucket, the listeners.
///
/// Without them a full house would keep the store from opening a file, so connections are the ones to wait.
const RESERVED: u64 = 256;

/// The limit leaves nothing for connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "serve with {0} file descriptors: {RESERVED} are needed beside connections (ulimit -n, LimitNOFILE=)"
)]
pub(crate) struct TooFew(u64);

/// Raises the soft limit to the hard one and returns what it is now; `None` is no limit.
pub(crate) fn raise() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%error, limit = limit.current, "the limit of file descriptors was not raised");
        return limit.current;
    }
    limit.maximum
}

/// Returns the limit of this process; `None` is no limit.
pub(crate) fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Returns the most that [`raise`] can reach; `None` is no limit.
pub(crate) fn attainable() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Returns how many connections fit, at most `wanted`.
///
/// # Errors
/// None do.
pub(crate) fn fitting(limit: Option<u64>, wanted: usize) -> Result<usize, TooFew> {
    let Some(limit) = limit else { return Ok(wanted) };
    match limit.saturating_sub(RESERVED) {
        0 => Err(TooFew(limit)),
        fit => Ok(wanted.min(usize::try_from(fit).unwrap_or(usize::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_get_what_nothing_else_needs() {
        assert_eq!(fitting(None, 16_384), Ok(16_384));
        assert_eq!(fitting(Some(20_000), 16_384), Ok(16_384));
        assert_eq!(fitting(Some(1024), 16_384), Ok(768));
        assert_eq!(fitting(Some(RESERVED), 1), Err(TooFew(RESERVED)));
    }
}
