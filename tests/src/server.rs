//! The real binary: started on free ports, killed without warning, started again on the same data.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a server may take to start, and to answer one request.
const PATIENCE: Duration = Duration::from_secs(60);

/// The file in the data folder from which a server reads its settings, where it is there.
pub const SETTINGS: &str = "rookery.toml";

/// Lines of a server's log that are kept.
const LINES_KEPT: usize = 100_000;

/// A running `rookery serve`.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where clients connect.
    pub http: SocketAddr,
    /// Where operators connect.
    pub admin: SocketAddr,
    data_dir: PathBuf,
    env: Vec<(String, String)>,
    /// What it has said.
    log: Arc<Mutex<Vec<String>>>,
    reading: Option<JoinHandle<()>>,
}

impl Server {
    /// The password of every user that a test registers.
    pub const PASSWORD: &str = "correct horse battery";

    /// Starts a server that keeps its data in `data_dir`, on ports of its choice. Where there is a file
    /// [`SETTINGS`] in it, that is its configuration, over which `env` wins.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(data_dir: &Path, env: &[(&str, &str)]) -> Self {
        let env: Vec<_> = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::launch(data_dir.to_owned(), env, any, any)
    }

    fn launch(data_dir: PathBuf, env: Vec<(String, String)>, http: SocketAddr, admin: SocketAddr) -> Self {
        let settings = data_dir.join(SETTINGS).exists();
        let mut child = rookery()
            .args([
                "serve",
                "--listen",
                &http.to_string(),
                "--admin-listen",
                &admin.to_string(),
                "--data-dir",
            ])
            .arg(&data_dir)
            .args(settings.then(|| ["--config".into(), data_dir.join(SETTINGS)]).into_iter().flatten())
            .env("ROOKERY_LIMITS__RELAXED", "true")
            .env("ROOKERY_AUTH__ARGON2_MEMORY_KIB", "8")
            .env("ROOKERY_AUTH__ARGON2_PASSES", "1")
            // The machine that tests run on is short of time and of memory as it likes.
            .env("ROOKERY_SERVER__SHED_LOAD", "false")
            .envs(env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut lines = BufReader::new(child.stderr.take().expect("standard error is a pipe")).lines();
        let mut told = Vec::new();
        let (http, admin) = loop {
            match lines.next() {
                Some(Ok(line)) => match listening(&line) {
                    Some(found) => break found,
                    None => told.push(line),
                },
                _ => panic!("the server did not start: {}", told.join("\n")),
            }
        };
        let log = Arc::new(Mutex::new(told));
        let kept = Arc::clone(&log);
        // Read to its end, since a full pipe would stop the server.
        let reading = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() < LINES_KEPT {
                    kept.push(line);
                }
            }
        });
        Self { child, http, admin, data_dir, env, log, reading: Some(reading) }
    }

    /// Kills the server where it stands, and starts it again on the same data and the same ports.
    ///
    /// # Panics
    /// When it does not start again.
    #[must_use]
    pub fn kill_and_restart(self) -> Self {
        let (http, admin, data_dir, env) = self.kill();
        Self::launch(data_dir, env, http, admin)
    }

    /// Kills the server where it stands (SIGKILL).
    ///
    /// # Panics
    /// When it cannot be killed.
    fn kill(mut self) -> (SocketAddr, SocketAddr, PathBuf, Vec<(String, String)>) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
        (self.http, self.admin, self.data_dir.clone(), std::mem::take(&mut self.env))
    }

    /// Has the server stand still where it is (SIGSTOP).
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Has the server go on (SIGCONT).
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Has the server read its configuration again (SIGHUP).
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Asks the server to end (SIGTERM), and does not wait.
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub fn ask_to_end(&self) {
        self.signal(Signal::TERM);
    }

    /// Returns its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Returns the lines that it has logged.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a child can be signalled");
    }

    /// Asks the server to end (SIGTERM) and returns its exit code.
    ///
    /// # Panics
    /// When it ended by a signal.
    pub fn terminate(mut self) -> i32 {
        self.signal(Signal::TERM);
        self.child.wait().expect("it ends").code().expect("it ends by itself")
    }

    /// Asks the server to end (SIGTERM) and returns all that it has logged.
    ///
    /// # Panics
    /// When it does not end well.
    pub fn terminate_and_read(mut self) -> Vec<String> {
        let (log, reading) = (Arc::clone(&self.log), self.reading.take());
        assert_eq!(self.terminate(), 0);
        reading.map(JoinHandle::join).expect("it is read once").expect("reading does not panic");
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *log)
    }

    /// Waits for the server to end and returns its exit code, if it ended by itself.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn ended(mut self) -> Option<i32> {
        self.child.wait().expect("a child can be waited for").code()
    }

    /// Asks the server to end, and starts it again on the same data and the same ports.
    ///
    /// # Panics
    /// When it does not end well, or does not start again.
    #[must_use]
    pub fn terminate_and_restart(mut self) -> Self {
        let (http, admin, data_dir) = (self.http, self.admin, self.data_dir.clone());
        let env = std::mem::take(&mut self.env);
        assert_eq!(self.terminate(), 0);
        Self::launch(data_dir, env, http, admin)
    }

    /// Returns how much memory the server has, in KiB.
    ///
    /// # Panics
    /// Where there is no `/proc`.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a process that runs has a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says its memory");
        line.trim().trim_end_matches(" kB").parse().expect("it is a number")
    }

    /// Registers a user, logs it in, and returns its access token.
    ///
    /// # Panics
    /// When either is refused.
    pub fn user(&self, handle: &str) -> String {
        let (email, password) = (format!("{handle}@example.org"), Self::PASSWORD);
        let register = json!({ "email": email, "password": password, "handle": handle, "name": handle });
        let (status, body) = post(self.http, "/v1/auth/register", &register);
        assert_eq!(status, 201, "{body}");
        self.login(handle)
    }

    /// Logs a registered user in, and returns its access token.
    ///
    /// # Panics
    /// When that is refused.
    pub fn login(&self, handle: &str) -> String {
        let login = json!({ "email": format!("{handle}@example.org"), "password": Self::PASSWORD });
        let (status, body) = post(self.http, "/v1/auth/login", &login);
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().expect("there is a token").to_owned()
    }

    /// Returns the status and the text of a probe on the operators' port.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn probe(&self, path: &str) -> (u16, String) {
        get(self.admin, path).expect("the server answers")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads `listening http=ADDR admin=ADDR`, the line by which a server says that it listens: where
/// clients connect, and where operators do.
pub fn listening(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let rest = line.strip_prefix("listening http=")?;
    let (http, admin) = rest.split_once(" admin=")?;
    Some((http.parse().ok()?, admin.parse().ok()?))
}

/// Returns a command line of the binary of this workspace, without arguments yet.
pub fn rookery() -> Command {
    Command::new(binary())
}

fn post(server: SocketAddr, path: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let (status, text) = exchange(
        server,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
    .expect("the server answers");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Gets `path` from a server and returns the status and the body.
///
/// # Errors
/// It does not answer, or not with HTTP.
pub fn get(server: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    exchange(server, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
}

/// Reads metrics as a server writes them: each series, named with its labels, and its value.
pub fn series(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '))
}

fn exchange(server: SocketAddr, request: &str) -> std::io::Result<(u16, String)> {
    let mut tcp = TcpStream::connect(server)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.write_all(request.as_bytes())?;
    let mut answer = String::new();
    tcp.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    status.zip(body).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}

/// Returns the binary of this workspace, built once in the profile of the tests.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "rookery", "--bin", "rookery"])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the binary builds");
        // The tests run from `target/PROFILE/deps`.
        let tests = std::env::current_exe().expect("a test has a path");
        tests.ancestors().nth(2).expect("a test is in target/PROFILE/deps").join("rookery")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_read_from_the_line_that_says_them() {
        let addresses = listening("listening http=127.0.0.1:4711 admin=127.0.0.1:4712");
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(addresses, Some((at(4711), at(4712))));
        assert_eq!(listening("opening the store"), None);
    }
}
