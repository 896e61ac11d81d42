//! The real binary as a child process: started, killed without warning, started again.

use crate::process::cpu_seconds;
use anyhow::{Context, bail};
use rookery_tests::server::listening;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// The time for a start: opening a database after a kill replays at most one log of a few MiB.
const START_WITHIN: Duration = Duration::from_secs(30);

/// A server on a folder of its own. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    binary: PathBuf,
    folder: PathBuf,
    child: Child,
    address: SocketAddr,
    used: Usage,
}

/// What the processes used up to now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Seconds of CPU, user and system.
    pub(crate) cpu_seconds: f64,
    /// The most memory at any time, in bytes.
    pub(crate) peak_bytes: u64,
}

impl Usage {
    /// Returns this together with what another process used.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            cpu_seconds: self.cpu_seconds + other.cpu_seconds,
            peak_bytes: self.peak_bytes.max(other.peak_bytes),
        }
    }
}

impl Server {
    /// Starts `binary` with its data and its log below `folder`, on a port that is free.
    pub(crate) fn start(binary: &Path, folder: &Path) -> anyhow::Result<Self> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (child, address) = spawn(binary, folder, any)?;
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        Ok(Self { binary, folder, child, address, used: Usage::default() })
    }

    /// Returns where it listens; the same after every start.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it as a crash would, and starts it again on the same data and the same port.
    pub(crate) fn kill_and_restart(&mut self) -> anyhow::Result<()> {
        self.used = self.usage();
        self.child.kill().context("kill the server")?;
        self.child.wait().context("wait for the killed server")?;
        let (child, address) = spawn(&self.binary, &self.folder, self.address)?;
        if address != self.address {
            bail!("the server came back at {address} and was at {}", self.address);
        }
        self.child = child;
        Ok(())
    }

    /// Kills it for good, as a crash would.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("kill the server")?;
        self.child.wait().map(drop).context("wait for the killed server")
    }

    /// Returns what this process and its killed forerunners used.
    pub(crate) fn usage(&self) -> Usage {
        self.used.with(usage(&self.child.id().to_string()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what a process uses from `/proc`; nothing where that is not there.
pub(crate) fn usage(process: &str) -> Usage {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0);
    Usage { cpu_seconds: cpu_seconds(process).unwrap_or(0.0), peak_bytes: kib * 1_024 }
}

fn spawn(binary: &Path, folder: &Path, listen: SocketAddr) -> anyhow::Result<(Child, SocketAddr)> {
    let mut child = Command::new(binary)
        .args(["serve", "--admin-listen", "127.0.0.1:0", "--listen"])
        .arg(listen.to_string())
        .arg("--data-dir")
        .arg(folder.join("data"))
        .env("ROOKERY_LIMITS__RELAXED", "true")
        // Hundreds of accounts are made at once; how hard their passwords are is not measured here.
        .env("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "64")
        .env("ROOKERY_AUTH__ARGON2_PASSES", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {}", binary.display()))?;
    let stderr = child.stderr.take().context("take the server's standard error")?;
    let log = folder.join("server.log");
    let listening = OpenOptions::new().create(true).append(true).open(&log).map(|log| watch(stderr, log));
    let address = listening?.recv_timeout(START_WITHIN);
    if let Ok(address) = address {
        return Ok((child, address));
    }
    child.kill()?;
    child.wait()?;
    bail!("the server did not say where it listens; see {}", log.display())
}

/// Copies what the server says into `log`, and sends on where it listens.
fn watch(stderr: ChildStderr, mut log: File) -> Receiver<SocketAddr> {
    let (found, address) = sync_channel(1);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if let Some((http, _)) = listening(&line) {
                // Nobody waits any more after a late start.
                let _ = found.try_send(http);
            }
            // The log is for people; a full disk must not stop the server's output.
            let _ = writeln!(log, "{line}");
        }
    });
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_can_read_its_own_use() {
        assert!(usage("self").peak_bytes > 0);
    }
}
