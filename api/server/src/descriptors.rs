//! File descriptors: one a connection, so as many as the system lets this process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Below this many a server is for trying things out.
pub(crate) const FEW: u64 = 4096;

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

/// Returns the most that [`raise`] can reach; `None` is no limit.
pub(crate) fn attainable() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}
