//! The data dir: there, writable, with room, on a disk that syncs, and whose it is at the moment.

use super::Finding;
use rookery_api::accounts::{KeyError, SigningKeys, signing_key_path};
use rustix::fs::Access;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// Bytes of free space below which a server will soon refuse writes.
const LITTLE_SPACE: u64 = 512 << 20;

/// Bytes of free space below which it is as good as full.
const NO_SPACE: u64 = 16 << 20;

/// Syncs that are timed; the middle one counts.
const SYNCS: usize = 9;

/// A sync that takes longer makes every acknowledgement feel slow.
const SLOW_SYNC: Duration = Duration::from_millis(25);

/// What the other checks need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// There is none yet: the first start makes it.
    Absent,
    /// Nobody uses it.
    Idle,
    /// A server does.
    InUse,
}

/// Looks at the folder itself; a running server holds `lock_file`.
pub(super) fn look(dir: &Path, lock_file: &Path, findings: &mut Vec<Finding>) -> State {
    if !dir.exists() {
        findings.push(absent(dir));
        return State::Absent;
    }
    findings.push(match probe_writes(dir) {
        Ok(sync) if sync > SLOW_SYNC => {
            Finding::warn("data dir", format!("writable; a sync takes {sync:.1?}, which is slow"))
        }
        Ok(sync) => {
            Finding::ok("data dir", format!("{} is writable; a sync takes {sync:.1?}", dir.display()))
        }
        Err(error) => Finding::fail("data dir", format!("{} is not writable: {error}", dir.display())),
    });
    findings.push(free_space(dir));
    let (state, finding) = lock(lock_file);
    findings.push(finding);
    state
}

/// Looks at the signing key, which the first start makes.
pub(super) fn signing_key(dir: &Path, is_given: bool) -> Finding {
    const NAME: &str = "signing key";
    if is_given {
        return Finding::ok(NAME, "given by auth.signing_key");
    }
    let path = signing_key_path(dir);
    match SigningKeys::open(&path) {
        Ok(_) => Finding::ok(NAME, format!("only its owner reads {}", path.display())),
        Err(KeyError::Io(_, error)) if error.kind() == io::ErrorKind::NotFound => {
            Finding::ok(NAME, "is made at the first start")
        }
        Err(error) => Finding::fail(NAME, error),
    }
}

/// Looks at whether a folder that is not there can be made: in the nearest one that is.
fn absent(dir: &Path) -> Finding {
    const NAME: &str = "data dir";
    // Above a relative path is the working directory.
    let here = Path::new(".");
    let above = dir.ancestors().skip(1).find(|above| above.symlink_metadata().is_ok()).unwrap_or(here);
    let may_make = rustix::fs::access(above, Access::WRITE_OK | Access::EXEC_OK);
    if let (true, Ok(())) = (above.is_dir(), may_make) {
        return Finding::ok(NAME, format!("{} is made at the first start", dir.display()));
    }
    Finding::fail(NAME, format!("{} cannot be made: {} takes no folder", dir.display(), above.display()))
}

/// Writes and syncs a small file of our own, and returns the median time of a sync.
fn probe_writes(dir: &Path) -> io::Result<Duration> {
    let path = dir.join(format!(".doctor-{}", std::process::id()));
    let timed = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        let mut times = Vec::with_capacity(SYNCS);
        for _ in 0..SYNCS {
            let started = Instant::now();
            file.write_all(&[0; 4096])?;
            file.sync_data()?;
            times.push(started.elapsed());
        }
        times.sort_unstable();
        Ok(times[SYNCS / 2])
    };
    let outcome = timed();
    // Where it could not be made there is nothing to remove.
    let _ = std::fs::remove_file(&path);
    outcome
}

fn free_space(dir: &Path) -> Finding {
    const NAME: &str = "free space";
    match rustix::fs::statvfs(dir) {
        Err(error) => Finding::warn(NAME, format!("not known: {error}")),
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let detail = format!("{} MiB", free >> 20);
            match free {
                0..NO_SPACE => Finding::fail(NAME, detail),
                NO_SPACE..LITTLE_SPACE => Finding::warn(NAME, detail),
                _ => Finding::ok(NAME, detail),
            }
        }
    }
}

fn lock(file: &Path) -> (State, Finding) {
    const NAME: &str = "lock";
    match File::open(file).map(|file| file.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => {
            (State::InUse, Finding::ok(NAME, "held: a server is running here"))
        }
        Ok(Err(TryLockError::Error(error))) => {
            (State::Idle, Finding::warn(NAME, format!("not known: {error}")))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            (State::Idle, Finding::warn(NAME, format!("not known: {error}")))
        }
        Ok(Ok(())) | Err(_) => (State::Idle, Finding::ok(NAME, "free")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_folder_that_cannot_be_made_is_told() {
        let level = |dir: &Path| {
            let mut findings = Vec::new();
            assert_eq!(look(dir, &dir.join("lock"), &mut findings), State::Absent);
            findings.into_iter().map(|finding| finding.level).collect::<Vec<_>>()
        };
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(level(&here.join("no/such/folder")), [Level::Ok]);
        assert_eq!(level(Path::new("no/such/folder")), [Level::Ok]);
        assert_eq!(level(&here.join("Cargo.toml/data")), [Level::Fail]);
    }
}
