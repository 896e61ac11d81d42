//! The real binary as a child process, on a folder of its own.

use super::cores;
use anyhow::{Context, bail};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// The time for a start: opening a database of a run before takes at most one log of a few MiB.
const START_WITHIN: Duration = Duration::from_secs(30);

/// What the server is told besides where it is: nobody is throttled, thousands of accounts are made in seconds,
/// tokens outlast a run.
const SETTINGS: [(&str, &str); 4] = [
    ("ROOKERY_LIMITS__RELAXED", "true"),
    ("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "64"),
    ("ROOKERY_AUTH__ARGON2_PASSES", "1"),
    ("ROOKERY_AUTH__ACCESS_TOKEN_MINUTES", "60"),
];

/// See the file's description. Dropping it kills it and removes its folder.
#[derive(Debug)]
pub(crate) struct Server {
    binary: PathBuf,
    folder: PathBuf,
    core: Option<u32>,
    child: Child,
    address: SocketAddrV4,
    keeps_folder: bool,
}

impl Server {
    /// Starts `binary` with its data below `folder`, which is made, on a port that is free, on this core if one is
    /// given.
    pub(crate) fn start(binary: &Path, folder: PathBuf, core: Option<u32>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        let (child, address) = spawn(binary, &folder, core, "127.0.0.1:0")?;
        Ok(Self { binary: binary.to_owned(), folder, core, child, address, keeps_folder: false })
    }

    /// Stops it in good order and starts it again on the same data and the same port: nothing of what was before is
    /// in its memory.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).context("stop the server")?;
        let status = self.child.wait().context("wait for the server to stop")?;
        if !status.success() {
            bail!("the server stopped with {status}; see {}", self.folder.join("server.log").display());
        }
        let (child, address) = spawn(&self.binary, &self.folder, self.core, &self.address.to_string())?;
        self.child = child;
        self.address = address;
        Ok(())
    }

    pub(crate) const fn address(&self) -> SocketAddrV4 {
        self.address
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Leaves its folder where it is.
    pub(crate) const fn keep_folder(&mut self) {
        self.keeps_folder = true;
    }

    /// Returns the settings as text, for the run's hash.
    pub(crate) fn settings() -> String {
        SETTINGS.map(|(name, value)| format!("{name}={value}")).join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody left to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !self.keeps_folder {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn spawn(
    binary: &Path,
    folder: &Path,
    core: Option<u32>,
    listen: &str,
) -> anyhow::Result<(Child, SocketAddrV4)> {
    let mut command = Command::new(binary);
    command
        .args(["serve", "--admin-listen", "127.0.0.1:0", "--listen", listen, "--data-dir"])
        .arg(folder.join("data"))
        .envs(SETTINGS)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = cores::pinned(core, || {
        command.spawn().with_context(|| format!("start {} (cargo build makes it)", binary.display()))
    })?;
    let stderr = child.stderr.take().context("take the server's standard error")?;
    let log = folder.join("server.log");
    let listening = OpenOptions::new().create(true).append(true).open(&log).map(|log| watch(stderr, log))?;
    if let Ok(address) = listening.recv_timeout(START_WITHIN) {
        return Ok((child, address));
    }
    // It may have ended by itself.
    let _ = child.kill();
    child.wait()?;
    let told = std::fs::read_to_string(&log).unwrap_or_default();
    let last: Vec<&str> = told.lines().rev().take(5).collect();
    bail!(
        "the server did not say where it listens: {}",
        last.into_iter().rev().collect::<Vec<_>>().join(" | ")
    )
}

/// Copies what the server says into `log`, and sends on where it listens.
fn watch(stderr: ChildStderr, mut log: File) -> Receiver<SocketAddrV4> {
    let (found, address) = sync_channel(1);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if let Some(listens) = listening(&line) {
                // Nobody waits any more after a late start.
                let _ = found.try_send(listens);
            }
            // The log is for people; a full disk must not stop the server's output.
            let _ = writeln!(log, "{line}");
        }
    });
    address
}

/// Reads `listening http=ADDR admin=ADDR`, the line by which a server says that it listens.
fn listening(line: &str) -> Option<SocketAddrV4> {
    line.strip_prefix("listening http=")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_says_where_it_listens_is_known() {
        assert_eq!(
            listening("listening http=127.0.0.1:4711 admin=127.0.0.1:1"),
            "127.0.0.1:4711".parse().ok()
        );
        assert_eq!(listening("opening the store"), None);
    }
}
