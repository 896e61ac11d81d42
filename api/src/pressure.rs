//! How much memory and time the process has left: looked at once a second, apart from all that is served.
//!
//! | what | where |
//! |---|---|
//! | memory, where a limit is set | `RssAnon` and `RssShmem` of `/proc/self/status` (proc(5)): what is mapped from files can be dropped |
//! | memory, in a control group with a limit | `memory.current` without what `memory.stat` calls file cache and reclaimable slab, of the group or the parent that is nearest to its limit (Linux, "Control Group v2") |
//! | memory, otherwise | the process's, of the machine's `MemTotal` |
//! | waiting for memory | `full avg10` of the group's `memory.pressure`, or of `/proc/pressure/memory` (Linux, "PSI") |
//! | lag | how late the look itself is |
//!
//! What the system does not tell counts as no pressure.

mod group;

use crate::edge::Edge;
use group::Group;
use rookery_engine::admission::Pressure;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(1);

/// Looks until the node's tasks stop.
pub(crate) async fn run(edge: Arc<Edge>) {
    let group = Group::own();
    let mut was_on = false;
    loop {
        let due = Instant::now() + EVERY;
        tokio::select! {
            () = edge.node.tasks().stopped() => return,
            () = sleep_until(due) => {}
        }
        let lag = due.elapsed();
        let (is_on, limit) = {
            let config = edge.config();
            (config.server.sheds_load, config.server.max_memory_mib)
        };
        if is_on {
            note(&edge, look(group.as_ref(), limit, lag));
        } else if was_on {
            edge.node.admission().open();
            edge.node.metrics().operation.admission_level.set(0.0);
        }
        was_on = is_on;
    }
}

/// Hands a look on, and says when the level changes.
fn note(edge: &Edge, pressure: Pressure) {
    let metrics = &edge.node.metrics().operation;
    metrics.memory_used.set(pressure.memory);
    if let Some(level) = edge.node.admission().look(pressure) {
        metrics.admission_level.set(f64::from(level.as_u8()));
        tracing::warn!(
            level = level.as_u8(),
            memory = pressure.memory,
            memory_stall = pressure.memory_stall,
            lag_ms = pressure.lag.as_millis(),
            "what is let in has changed"
        );
    }
}

/// Looks once. The files are the kernel's, made as they are read: nothing waits for a disk.
fn look(group: Option<&Group>, limit_mib: Option<u64>, lag: Duration) -> Pressure {
    let memory = match (limit_mib, group) {
        (Some(mib), _) => own_bytes().map(|bytes| share(bytes, mib << 20)),
        (None, Some(group)) => group.memory(),
        (None, None) => own_bytes().zip(machine_bytes()).map(|(bytes, all)| share(bytes, all)),
    };
    let stall = group.and_then(Group::memory_stall).or_else(|| stall(Path::new("/proc/pressure/memory")));
    Pressure { memory: memory.unwrap_or_default(), memory_stall: stall.unwrap_or_default(), lag }
}

/// Returns the bytes of memory that are the process's own.
fn own_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    Some(kib(&status, "RssAnon:")?.saturating_add(kib(&status, "RssShmem:").unwrap_or_default()) << 10)
}

fn machine_bytes() -> Option<u64> {
    kib(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:").map(|kib| kib << 10)
}

/// Reads a line as `RssAnon:    5678 kB`.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Reads the share of `full avg10=12.34 …` in a file of pressure.
fn stall(file: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(file).ok()?;
    let full = text.lines().find_map(|line| line.strip_prefix("full avg10="))?;
    full.split(' ').next()?.parse::<f64>().ok().map(|percent| percent / 100.0)
}

#[expect(clippy::cast_precision_loss, reason = "a share of memory needs no 53 bits")]
fn share(used: u64, limit: u64) -> f64 {
    if limit == 0 { 0.0 } else { used as f64 / limit as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_of_its_own_and_the_machine_has_more() {
        let (own, all) = (own_bytes().unwrap(), machine_bytes().unwrap());
        assert!(0 < own && own < all, "{own} of {all}");
        let pressure = look(None, Some(1), Duration::ZERO);
        assert!(pressure.memory > 1.0, "a test has more than a MiB: {pressure:?}");
        assert!(look(None, None, Duration::ZERO).memory < 1.0);
    }

    #[test]
    fn lines_of_the_kernel_are_read() {
        assert_eq!(kib("VmRSS:\t  12 kB\nRssAnon:\t    5678 kB\n", "RssAnon:"), Some(5678));
        assert_eq!(kib("RssAnon:\t", "RssAnon:"), None);
    }
}
