//! The control group that this process is in: how much memory it and its parents may have (Linux, "Control
//! Group v2", section "Memory").

use super::{share, stall};
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// Where control groups are mounted (systemd and every container runtime).
const MOUNTED_AT: &str = "/sys/fs/cgroup";

/// A control group whose memory is limited, by itself or by a parent.
#[derive(Debug)]
pub(super) struct Group {
    /// It and its parents, as folders.
    folders: Vec<PathBuf>,
}

impl Group {
    /// Returns the one of this process; `None` where it has no limit, or the system has none.
    pub(super) fn own() -> Option<Self> {
        Self::named(&read_to_string("/proc/self/cgroup").ok()?, Path::new(MOUNTED_AT))
    }

    /// Reads the line `0::/path` of what a process says of its groups.
    fn named(groups: &str, mounted_at: &Path) -> Option<Self> {
        let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let own = mounted_at.join(path);
        let folders = own.ancestors().take_while(|folder| folder.starts_with(mounted_at));
        let group = Self { folders: folders.map(Path::to_owned).collect() };
        group.memory().is_some().then_some(group)
    }

    /// Returns the largest share of a limit that is used up by what cannot be dropped. Limits may be set while
    /// it runs, so they are read each time.
    pub(super) fn memory(&self) -> Option<f64> {
        let shares = self.folders.iter().filter_map(|folder| {
            let limits = ["memory.max", "memory.high"].map(|file| number(&folder.join(file)));
            let limit = limits.into_iter().flatten().min()?;
            let used = number(&folder.join("memory.current"))?;
            let stat = read_to_string(folder.join("memory.stat")).ok()?;
            let droppable = ["active_file", "inactive_file", "slab_reclaimable"];
            let droppable: u64 = droppable.iter().filter_map(|name| line(&stat, name)).sum();
            Some(share(used.saturating_sub(droppable), limit))
        });
        shares.reduce(f64::max)
    }

    /// Returns the share of ten seconds in which the whole group waited for memory.
    pub(super) fn memory_stall(&self) -> Option<f64> {
        stall(&self.folders.first()?.join("memory.pressure"))
    }
}

/// Reads a number; `max` is none.
fn number(file: &Path) -> Option<u64> {
    read_to_string(file).ok()?.trim().parse().ok()
}

/// Reads `name 123` among other such lines.
fn line(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, remove_dir_all, write};

    #[test]
    fn the_limit_that_is_nearest_counts_and_caches_do_not() {
        let root = std::env::temp_dir().join(format!("rookery-group-{}", std::process::id()));
        let service = root.join("system.slice/rookery.service");
        create_dir_all(&service).unwrap();
        let put = |folder: &Path, file: &str, text: &str| write(folder.join(file), text).unwrap();
        let groups = "4:memory:/old\n0::/system.slice/rookery.service\n";
        put(&service, "memory.max", "max\n");
        assert!(Group::named(groups, &root).is_none(), "no limit is none");

        put(&service, "memory.max", "1000\n");
        put(&service, "memory.high", "800\n");
        put(&service, "memory.current", "700\n");
        put(&service, "memory.stat", "anon 300\ninactive_file 200\nactive_file 80\nslab_reclaimable 20\n");
        put(&service, "memory.pressure", "some avg10=9.00 avg60=0\nfull avg10=2.50 avg60=0.00\n");
        let group = Group::named(groups, &root).unwrap();
        let is = |share: Option<f64>, wanted: f64| (share.unwrap() - wanted).abs() < 1e-9;
        assert!(is(group.memory(), 0.5), "{:?}", group.memory());
        assert!(is(group.memory_stall(), 0.025));

        let slice = root.join("system.slice");
        put(&slice, "memory.max", "1000\n");
        put(&slice, "memory.current", "900\n");
        put(&slice, "memory.stat", "anon 900\n");
        assert!(is(group.memory(), 0.9), "{:?}", group.memory());
        remove_dir_all(root).unwrap();
    }
}
