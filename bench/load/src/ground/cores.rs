//! Who runs on which core, and how many descriptors there may be.

use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The core of the server, with `--pin`.
pub(crate) const SERVER_CORE: u32 = 0;

/// The core of the client, with `--pin`.
pub(crate) const CLIENT_CORE: u32 = 1;

/// Puts this thread, and whatever it starts from now on, on one core.
///
/// # Errors
/// When there is no such core, or the process may not run on it.
pub(crate) fn pin_to(core: u32) -> anyhow::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core as usize);
    sched_setaffinity(None, &cores).with_context(|| format!("run on core {core} alone"))
}

/// Runs `start` so that whatever it starts is on one core, and this thread afterwards where it was.
pub(crate) fn pinned<T>(core: Option<u32>, start: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let Some(core) = core else { return start() };
    let before = sched_getaffinity(None).context("ask for the cores of this process")?;
    pin_to(core)?;
    let started = start();
    sched_setaffinity(None, &before).context("go back to the cores from before")?;
    started
}

/// Raises the limit of descriptors of this process, and of those it starts, as far as it may be raised up to
/// `wanted`; returns what it is then.
pub(crate) fn raise_descriptors(wanted: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    if current >= wanted {
        return current;
    }
    let hard = limit.maximum.unwrap_or(u64::MAX);
    // Above the hard limit only the privileged may go; all others as far as it.
    for (soft, hard) in [(wanted, hard.max(wanted)), (hard.min(wanted), hard)] {
        let raised = Rlimit { current: Some(soft), maximum: Some(hard) };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            return soft;
        }
    }
    current
}
