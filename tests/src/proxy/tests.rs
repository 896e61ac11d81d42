//! Each fault, seen from both sides over real TCP.

use super::*;
use std::io::{Error, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

/// How long nothing has to come for it to be said that nothing comes.
const SILENCE: Duration = Duration::from_millis(200);

/// How long something may take.
const WITHIN: Duration = Duration::from_secs(10);

/// A server that takes connections and leaves them to the test.
async fn proxied() -> (TcpListener, FaultProxy) {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("there is a free port");
    let proxy = FaultProxy::start(server.local_addr().expect("it has an address")).await;
    (server, proxy)
}

/// Returns both ends of a connection through the proxy.
async fn connected(server: &TcpListener, proxy: &FaultProxy) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(proxy.address()).await.expect("the proxy takes it");
    let (behind, _) = server.accept().await.expect("it reaches the server");
    (client, behind)
}

async fn say(to: &mut TcpStream, text: &str) {
    to.write_all(text.as_bytes()).await.expect("it is taken");
}

/// Reads as many bytes as `text` has, and compares.
async fn expect(from: &mut TcpStream, text: &str) {
    let mut read = vec![0; text.len()];
    let all = tokio::time::timeout(WITHIN, from.read_exact(&mut read)).await;
    all.expect("it comes in time").expect("it comes");
    assert_eq!(String::from_utf8_lossy(&read), text);
}

async fn expect_nothing(from: &mut TcpStream) {
    let read = tokio::time::timeout(SILENCE, from.read_u8()).await;
    assert!(read.is_err(), "{read:?}");
}

/// Returns how a connection has ended: with nothing more to read, or broken.
async fn end(of: &mut TcpStream) -> Result<usize, ErrorKind> {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(WITHIN, of.read_to_end(&mut rest)).await.expect("it ends in time");
    read.map_err(|error: Error| error.kind())
}

#[tokio::test]
async fn everything_passes_and_is_counted() {
    let (server, proxy) = proxied().await;
    let (mut client, mut behind) = connected(&server, &proxy).await;
    say(&mut client, "question").await;
    expect(&mut behind, "question").await;
    say(&mut behind, "long answer").await;
    expect(&mut client, "long answer").await;
    let counts = Counts { connections: 1, open: 1, requests: 8, replies: 11, lost: 0 };
    assert_eq!(proxy.counts(), counts);
    client.shutdown().await.expect("it can be half closed");
    assert_eq!(end(&mut behind).await, Ok(0));
    say(&mut behind, "afterthought").await;
    expect(&mut client, "afterthought").await;
    drop(behind);
    assert_eq!(end(&mut client).await, Ok(0));
    while proxy.counts().open > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_cut_direction_waits_and_the_other_goes_on() {
    let (server, proxy) = proxied().await;
    let (mut client, mut behind) = connected(&server, &proxy).await;
    proxy.set(Direction::Replies, Way::Cut);
    say(&mut client, "question").await;
    expect(&mut behind, "question").await;
    say(&mut behind, "answer").await;
    expect_nothing(&mut client).await;
    let (mut newer, mut newer_behind) = connected(&server, &proxy).await;
    say(&mut newer_behind, "hello").await;
    expect_nothing(&mut newer).await;
    proxy.set(Direction::Replies, Way::Open);
    expect(&mut client, "answer").await;
    expect(&mut newer, "hello").await;
}

#[tokio::test]
async fn what_is_lost_does_not_come_back_and_its_connection_is_reset() {
    let (server, proxy) = proxied().await;
    let (mut client, mut behind) = connected(&server, &proxy).await;
    proxy.set_both(Way::Lost);
    say(&mut client, "question").await;
    say(&mut behind, "answer").await;
    expect_nothing(&mut client).await;
    expect_nothing(&mut behind).await;
    assert_eq!(proxy.counts().lost, 14);
    proxy.set_both(Way::Open);
    say(&mut client, "are you there").await;
    assert_eq!(end(&mut client).await, Err(ErrorKind::ConnectionReset));
    assert_eq!(end(&mut behind).await, Err(ErrorKind::ConnectionReset));
    let (mut client, mut behind) = connected(&server, &proxy).await;
    say(&mut client, "question").await;
    expect(&mut behind, "question").await;
}

#[tokio::test]
async fn a_lost_end_leaves_the_other_side_waiting() {
    let (server, proxy) = proxied().await;
    let (client, mut behind) = connected(&server, &proxy).await;
    proxy.set(Direction::Requests, Way::Lost);
    drop(client);
    expect_nothing(&mut behind).await;
    proxy.set(Direction::Requests, Way::Open);
    assert_eq!(end(&mut behind).await, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_delay_moves_everything_by_the_same_time() {
    const DELAY: Duration = Duration::from_millis(300);
    let (server, proxy) = proxied().await;
    let (mut client, mut behind) = connected(&server, &proxy).await;
    proxy.set(Direction::Requests, Way::Delayed(DELAY));
    let start = Instant::now();
    for text in ["one ", "two ", "three"] {
        say(&mut client, text).await;
        tokio::time::sleep(DELAY / 6).await;
    }
    expect(&mut behind, "one two three").await;
    let took = start.elapsed();
    assert!(took >= DELAY, "{took:?}");
    assert!(took < DELAY * 3, "{took:?}: one delay after the other");
    say(&mut behind, "at once").await;
    expect(&mut client, "at once").await;
}

#[tokio::test]
async fn a_throttled_way_takes_its_time_until_it_is_open() {
    let (server, proxy) = proxied().await;
    let (mut client, mut behind) = connected(&server, &proxy).await;
    proxy.set(Direction::Requests, Way::Throttled(10_000));
    let (start, text) = (Instant::now(), "x".repeat(4000));
    say(&mut client, &text).await;
    expect(&mut behind, &text).await;
    assert!(start.elapsed() >= Duration::from_millis(390), "{:?}", start.elapsed());
    let much = "y".repeat(200_000);
    say(&mut client, &much).await;
    proxy.set(Direction::Requests, Way::Open);
    expect(&mut behind, &much).await;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn connections_are_closed_and_reset_and_new_ones_pass() {
    let (server, proxy) = proxied().await;
    for (is_reset, wanted) in [(true, Err(ErrorKind::ConnectionReset)), (false, Ok(0))] {
        let (mut client, mut behind) = connected(&server, &proxy).await;
        say(&mut client, "question").await;
        expect(&mut behind, "question").await;
        let end_it = if is_reset { FaultProxy::reset } else { FaultProxy::close };
        end_it(&proxy);
        assert_eq!(end(&mut client).await, wanted);
        assert_eq!(end(&mut behind).await, wanted);
    }
    let (mut client, mut behind) = connected(&server, &proxy).await;
    say(&mut client, "question").await;
    expect(&mut behind, "question").await;
}

#[tokio::test]
async fn new_connections_are_refused_and_taken_again_and_old_ones_stay() {
    let (server, proxy) = proxied().await;
    let (mut client, mut behind) = connected(&server, &proxy).await;
    proxy.refuse().await;
    let refused = TcpStream::connect(proxy.address()).await;
    assert_eq!(refused.map(drop).map_err(|error| error.kind()), Err(ErrorKind::ConnectionRefused));
    say(&mut client, "still there").await;
    expect(&mut behind, "still there").await;
    proxy.take().await;
    TcpStream::connect(proxy.address()).await.expect("it is taken again");
}

#[tokio::test]
async fn a_sender_waits_when_too_much_is_under_way() {
    let (server, proxy) = proxied().await;
    let (mut client, _behind) = connected(&server, &proxy).await;
    proxy.set(Direction::Requests, Way::Cut);
    let much = vec![0; 1 << 20];
    let mut sent = 0;
    while tokio::time::timeout(SILENCE, client.write_all(&much)).await.is_ok() {
        sent += 1;
        assert!(sent < 100, "all of it is taken");
    }
}
