//! What a process and the kernel use, as Linux tells it.

use crate::result::Cpu;
use std::fs;

/// Clock ticks a second in `/proc/PID/stat`; Linux has had this value on every machine since 2.6.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process uses, or has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) cpu: Cpu,
    pub(crate) rss_bytes: u64,
    /// The most there ever was.
    pub(crate) peak_bytes: u64,
    pub(crate) voluntary_switches: u64,
    pub(crate) involuntary_switches: u64,
}

impl Usage {
    /// Returns what is known of a process; all zero where there is none.
    pub(crate) fn of(pid: u32) -> Self {
        let status = text(&format!("/proc/{pid}/status"));
        let mut usage = Self {
            cpu: cpu(&text(&format!("/proc/{pid}/stat"))).unwrap_or_default(),
            rss_bytes: number(&status, "VmRSS:") * 1024,
            peak_bytes: number(&status, "VmHWM:") * 1024,
            ..Self::default()
        };
        // Switches are told of each thread; those of threads that are gone are gone with them.
        for thread in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
            usage.voluntary_switches += number(&status, "voluntary_ctxt_switches:");
            usage.involuntary_switches += number(&status, "nonvoluntary_ctxt_switches:");
        }
        usage
    }
}

/// Returns the CPU that the calling thread has used.
pub(crate) fn of_this_thread() -> Cpu {
    cpu(&text("/proc/thread-self/stat")).unwrap_or_default()
}

fn cpu(stat: &str) -> Option<Cpu> {
    // The second field is a name in parentheses that may hold spaces; utime and stime are 14 and 15.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut seconds = || Some(fields.next()?.parse::<f64>().ok()? / TICKS_PER_SECOND);
    Some(Cpu { user_s: seconds()?, system_s: seconds()? })
}

/// Memory of the kernel that sockets take: of all of this machine, both ends of each connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KernelMemory {
    /// Buffers of TCP sockets, from `/proc/net/sockstat`.
    pub(crate) buffers: u64,
    /// All kernel objects (sockets, descriptors, epoll items), from `/proc/meminfo`.
    pub(crate) slab: u64,
}

impl KernelMemory {
    /// Returns what there is now.
    pub(crate) fn now() -> Self {
        let sockets = text("/proc/net/sockstat");
        let tcp = sockets.lines().find(|line| line.starts_with("TCP:")).unwrap_or_default();
        let pages =
            tcp.rsplit_once("mem ").and_then(|(_, pages)| pages.trim().parse::<u64>().ok()).unwrap_or(0);
        let page = rustix::param::page_size() as u64;
        Self { buffers: pages * page, slab: number(&text("/proc/meminfo"), "Slab:") * 1024 }
    }

    /// Returns both together, less what there was before.
    pub(crate) const fn since(self, before: Self) -> u64 {
        (self.buffers + self.slab).saturating_sub(before.buffers + before.slab)
    }
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Returns the number behind a name that begins a line; 0 where there is none.
fn number(text: &str, name: &str) -> u64 {
    let found = text.lines().find_map(|line| line.strip_prefix(name));
    found.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_can_read_its_own_use() {
        let usage = Usage::of(std::process::id());
        assert!(usage.rss_bytes > 1 << 20 && usage.peak_bytes >= usage.rss_bytes, "{usage:?}");
        assert!(usage.voluntary_switches + usage.involuntary_switches > 0, "{usage:?}");
        assert!(KernelMemory::now().slab > 0);
    }

    #[test]
    fn cpu_is_read_behind_any_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 1";
        assert_eq!(cpu(stat), Some(Cpu { user_s: 1.5, system_s: 0.5 }));
        assert_eq!(cpu("7 (a"), None);
    }
}
