//! Everybody at once: who waits in the system's queue until they are accepted.

use crate::folder::Folder;
use rookery_tests::server::Server;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Those who come while the server stands still; the default queue is of 128.
const AT_ONCE: usize = 1_000;

#[test]
fn a_thousand_who_come_while_the_server_stands_still_are_served_when_it_goes_on() {
    let folder = Folder::new("queue");
    let server = Server::start(&folder.0, &[]);
    server.pause();
    let waiting: Vec<TcpStream> = (0..AT_ONCE)
        .map(|number| {
            TcpStream::connect_timeout(&server.http, Duration::from_millis(900))
                .unwrap_or_else(|error| panic!("number {number} would have to try again: {error}"))
        })
        .collect();
    server.resume();
    for mut socket in waiting {
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        socket
            .write_all(b"GET /v1/nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
    assert_eq!(server.terminate(), 0);
}
