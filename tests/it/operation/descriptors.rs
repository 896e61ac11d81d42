//! File descriptors: too few to start, fewer than connections, and none left.

use super::until;
use crate::folder::Folder;
use crate::rooms::group;
use rookery_tests::server::{Server, rookery};
use rookery_tests::wire::Wire;
use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
use serde_json::{Value, json};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Runs the binary with so many descriptors.
fn limited(descriptors: u32, folder: &Folder, arguments: &[&str]) -> Output {
    let binary = rookery();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("ulimit -n {descriptors} && exec \"$0\" \"$@\"")).arg(binary.get_program());
    shell.args(arguments).arg("--data-dir").arg(&folder.0);
    shell.env("ROOKERY_SERVER__LISTEN", "127.0.0.1:0").env("ROOKERY_SERVER__ADMIN_LISTEN", "127.0.0.1:0");
    shell.stdin(Stdio::null()).output().unwrap()
}

#[test]
fn too_few_stop_the_start_and_the_doctor_says_how_many_connections_fit() {
    let folder = Folder::new("few");
    let started = limited(200, &folder, &["serve"]);
    let told = String::from_utf8_lossy(&started.stderr).into_owned();
    assert_eq!(started.status.code(), Some(1), "{told}");
    assert!(told.contains("with 200 file descriptors: 256 are needed beside connections"), "{told}");

    let finding = |descriptors: u32| {
        let looked = limited(descriptors, &folder, &["doctor", "--json"]);
        let findings: Vec<Value> = serde_json::from_slice(&looked.stdout).unwrap();
        let found = findings.into_iter().find(|finding| finding["name"] == "file descriptors").unwrap();
        (found["level"].as_str().unwrap().to_owned(), found["detail"].as_str().unwrap().to_owned())
    };
    let (level, detail) = finding(200);
    assert!(level == "fail" && detail.contains("256 are needed"), "{level} {detail}");
    let (level, detail) = finding(1024);
    assert!(
        level == "warn" && detail.contains("up to 1024: 768 of the 16384 connections"),
        "{level} {detail}"
    );
}

/// Lets a server have so many descriptors, or all that it may have.
fn let_have(server: &Server, descriptors: Option<u64>) {
    // As a server raises its own.
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit { current: descriptors.or(maximum), maximum };
    prlimit(Some(server.pid()), Resource::Nofile, limit).unwrap();
}

/// Returns the descriptors that a server has.
fn open(server: &Server) -> u64 {
    let path = format!("/proc/{}/fd", server.pid().as_raw_nonzero());
    std::fs::read_dir(path).unwrap().count() as u64
}

/// Returns the time for which a server has been on a processor (proc(5), fields 14 and 15, 100 to the second).
fn processor_time(server: &Server) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid().as_raw_nonzero())).unwrap();
    let fields: Vec<u64> =
        stat.rsplit_once(") ").unwrap().1.split(' ').filter_map(|field| field.parse().ok()).collect();
    Duration::from_millis((fields[10] + fields[11]) * 10)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_descriptors_waits_without_spinning_and_takes_who_waited() {
    let folder = Folder::new("none-left");
    let server = Server::start(&folder.0, &[]);
    let mut wire = Wire::log_in(server.http, &server.user("alice")).await;
    let room = group(&mut wire, "Tea", &[]).await;
    wire.ok("room.open", json!({ "room": room })).await;
    let_have(&server, Some(open(&server)));
    let refused = || server.log().iter().filter(|line| line.contains("connections are not accepted")).count();
    let waiting: Vec<_> = (0..10).map(|_| TcpStream::connect(server.http).unwrap()).collect();
    until("it says that it takes none", || refused() > 0).await;

    let used = processor_time(&server);
    for number in 0..10 {
        super::say(&mut wire, &room, &number.to_string()).await;
        assert_eq!(wire.room_event().await["body"]["text"], number.to_string(), "who is there goes on");
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let used = processor_time(&server).saturating_sub(used);
    assert!(used < Duration::from_millis(1500), "it has spun for {used:?} of three seconds");
    assert_eq!(refused(), 1, "it is said once a minute");

    let_have(&server, None);
    drop(waiting);
    until("it takes connections again", || server.probe("/livez").0 == 200).await;
    assert_eq!(server.terminate(), 0);
}
