//! The real binary under systemd, whose part the test plays: a socket that hears what the server says of itself
//! (`sd_notify(3)`).

use super::{metric, until};
use crate::disk::Fault;
use crate::folder::Folder;
use crate::rooms::group;
use rookery_tests::server::{SETTINGS, Server};
use rookery_tests::wire::Wire;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

/// What systemd listens at.
struct Systemd {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Systemd {
    fn new(folder: &Folder) -> Self {
        let path = folder.at("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self { socket, path }
    }

    /// Starts a server that has to say so twice in so many milliseconds.
    fn start(&self, folder: &Folder, watchdog_ms: u64, more: &[(&str, &str)]) -> Server {
        let (socket, time) = (self.path.display().to_string(), (watchdog_ms * 1000).to_string());
        let mut env = vec![("NOTIFY_SOCKET", socket.as_str()), ("WATCHDOG_USEC", time.as_str())];
        env.extend(more);
        Server::start(&folder.0, &env)
    }

    /// Returns the lines of the next message.
    fn hear(&self) -> Vec<String> {
        let mut bytes = [0; 1024];
        let length = self.socket.recv(&mut bytes).expect("the server says something");
        std::str::from_utf8(&bytes[..length]).unwrap().lines().map(str::to_owned).collect()
    }

    /// Returns the lines of the next message that is about something else than the watchdog.
    fn hear_news(&self) -> Vec<String> {
        loop {
            let lines = self.hear();
            if lines != ["WATCHDOG=1"] {
                return lines;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_when_it_is_ready_alive_reloading_and_stopping() {
    let folder = Folder::new("notified");
    std::fs::write(folder.at(SETTINGS), "[server]\ndrain_delay_seconds = 1\n").unwrap();
    let systemd = Systemd::new(&folder);
    let server = systemd.start(&folder, 400, &[]);
    assert_eq!(systemd.hear(), ["READY=1", "STATUS=serving"], "the first word, once it listens");
    for _ in 0..5 {
        assert_eq!(systemd.hear(), ["WATCHDOG=1"]);
    }

    server.hang_up();
    let reloading = systemd.hear_news();
    assert_eq!((reloading[0].as_str(), reloading[2].as_str()), ("RELOADING=1", "STATUS=reloading"));
    let time: u64 = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap().parse().unwrap();
    assert!(time > 0, "{reloading:?}");
    assert_eq!(systemd.hear_news(), ["READY=1", "STATUS=serving"]);
    std::fs::write(folder.at(SETTINGS), "[server\n").unwrap();
    server.hang_up();
    assert_eq!(systemd.hear_news()[0], "RELOADING=1");
    assert_eq!(systemd.hear_news(), ["READY=1", "STATUS=serving; the last reload failed"]);

    server.ask_to_end();
    let stopping = systemd.hear_news();
    // A second of delay, ten of grace, and what a close may take beyond that.
    assert_eq!(stopping[0], "STOPPING=1");
    let extended: u64 = stopping[1].strip_prefix("EXTEND_TIMEOUT_USEC=").unwrap().parse().unwrap();
    assert!((11_000_000..60_000_000).contains(&extended), "{stopping:?}");
    assert!(stopping[2].starts_with("STATUS=draining"), "{stopping:?}");
    assert_eq!(systemd.hear(), ["WATCHDOG=1"], "it is alive while it drains");
    assert_eq!(server.ended(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_disk_stands_still_says_no_more_that_it_is_alive() {
    let folder = Folder::new("still");
    let (systemd, fault) = (Systemd::new(&folder), Fault::new(&folder.0));
    let server = systemd.start(&folder, 400, &fault.env());
    let mut wire = Wire::log_in(server.http, &server.user("alice")).await;
    let room = group(&mut wire, "Tea", &[]).await;
    fault.set("stuck");
    let body = serde_json::json!({ "kind": "text", "text": "on its way" });
    let client_id = uuid::Uuid::from_u128(crate::rooms::fresh());
    let id = wire
        .send("message.send", serde_json::json!({ "room": room, "client_id": client_id, "body": body }))
        .await;
    let is_told = || server.log().iter().any(|line| line.contains("the server is stuck"));
    until("it knows that it is stuck", is_told).await;
    // What was said before is heard; then there is silence for several times the half of 400 ms.
    systemd.socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut bytes = [0; 1024];
    while systemd.socket.recv(&mut bytes).is_ok() {}
    assert_eq!(server.probe("/livez").0, 200, "the disk is no reason for whoever only restarts");
    until("it is not ready", || server.probe("/readyz").1.contains("[-]store failed: a commit has taken"))
        .await;

    fault.clear();
    systemd.socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(systemd.hear(), ["WATCHDOG=1"], "and says it again when the disk moves");
    wire.reply(id).await.expect("the message is acked now");
    until("it is ready", || server.probe("/readyz").0 == 200).await;
    assert!(metric(&server, "rookery_appends_total{outcome=\"applied\"}") > 0.5);
    assert_eq!(server.terminate(), 0);
}
