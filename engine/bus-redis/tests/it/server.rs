//! A Redis of a test's own, which it may kill and stop.

use redis::{Client, FromRedisValue};
use rustix::process::{Pid, Signal, kill_process};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::Instant;

/// How long Redis may take to be there.
const START_WITHIN: Duration = Duration::from_secs(10);

/// Where a Redis is that tests share: `HOST:PORT`.
const SHARED: &str = "ROOKERY_TEST_REDIS";

/// A `redis-server` of its own port, without a file. It ends with the test.
#[derive(Debug)]
pub(crate) struct RedisServer {
    port: u16,
    args: Vec<String>,
    process: Child,
}

/// A Redis that nobody stops: the one that tests share, or one of the test's own.
#[derive(Debug)]
pub(crate) enum AnyRedis {
    Shared(String),
    Own(RedisServer),
}

impl AnyRedis {
    pub(crate) async fn find() -> Self {
        match std::env::var_os(SHARED).and_then(|address| address.into_string().ok()) {
            Some(address) => Self::Shared(format!("redis://{address}")),
            None => Self::Own(RedisServer::start(&[]).await),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Shared(url) => url.clone(),
            Self::Own(server) => server.url(),
        }
    }
}

impl RedisServer {
    /// Starts one with these arguments, and waits until it is there.
    pub(crate) async fn start(args: &[&str]) -> Self {
        // Freed before Redis takes it: a port that is given to nobody else soon.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
        let port = port.expect("there is a free port").port();
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let process = run(port, &args);
        let server = Self { port, args, process };
        server.wait().await;
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it, and all that it had.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it is dead");
    }

    /// Starts it again where it was, empty.
    pub(crate) async fn restart(&mut self) {
        self.process = run(self.port, &self.args);
        self.wait().await;
    }

    /// Stops it where it stands.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Has it do something.
    pub(crate) async fn command<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let client = Client::open(self.url()).expect("it is an address");
        let mut connection = client.get_multiplexed_async_connection().await.expect("Redis is there");
        let mut command = redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(*word);
        }
        command.query_async(&mut connection).await.expect("Redis does it")
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("it has a process id"), signal).expect("it can be signalled");
    }

    async fn wait(&self) {
        let end = Instant::now() + START_WITHIN;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(Instant::now() < end, "redis-server did not start within {START_WITHIN:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn run(port: u16, args: &[String]) -> Child {
    let port = port.to_string();
    let started = Command::new("redis-server")
        .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(args)
        .current_dir(std::env::temp_dir())
        .stdout(Stdio::null())
        .spawn();
    started.unwrap_or_else(|error| {
        panic!(
            "redis-server cannot be run ({error}): tests of the bus need a real Redis. \
             `tests/servers/with` installs what is missing and runs tests with it"
        )
    })
}
