//! Which thread goes first where there are more of them than cores.
//!
//! A message that is on its way goes before somebody who comes to read, and both before what is only to be found
//! later: when thousands come back at once and the readers have work for seconds, the sockets and the committer have
//! little to do at a time, and get the core for that at once.

/// By how much a reader gives way: it gets about a third of what a commit gets.
pub(crate) const READER: i32 = 5;

/// By how much the indexer gives way: it gets about a tenth.
pub(crate) const INDEXER: i32 = 10;

/// Has this thread give way to the others by `nice`, where the system knows of priorities of threads.
pub(crate) fn give_way(nice: i32) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), nice) {
        tracing::debug!(%error, "a thread keeps its priority");
    }
}
