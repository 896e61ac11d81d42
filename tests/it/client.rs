//! A conversation of the client: it keeps its login and its place, comes back when it may, and says
//! when it may not.

mod fake;

use crate::http::call;
use crate::rooms::{fresh, group};
use fake::{Fake, PATIENCE, SEED, during, tokens};
use rookery_client::{Backoff, Chat, GaveUp, HttpClient, Login, News, ServerUrl};
use rookery_protocol::{ClientId, Codec, MessageBody, MessageSend, Op, RoomId, Seq};
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Moves the conversation on until `is_it`, and returns everything that happened until then.
async fn until(chat: &mut Chat, is_it: impl Fn(&News) -> bool) -> Vec<News> {
    let mut news = Vec::new();
    while !news.last().is_some_and(&is_it) {
        let next = timeout(PATIENCE, chat.next()).await.expect("something happens");
        news.push(next.expect("the conversation goes on"));
    }
    news
}

/// Waits for the end of the conversation.
async fn end(chat: &mut Chat) -> GaveUp {
    loop {
        if let Err(gave_up) = timeout(PATIENCE, chat.next()).await.expect("it ends") {
            return gave_up;
        }
    }
}

/// What became of the connections.
fn connections(news: &[News]) -> Vec<&'static str> {
    let name = |news: &News| match news {
        News::Connected { .. } => Some("connected"),
        News::Refreshed(_) => Some("refreshed"),
        News::Closed(_) => Some("closed"),
        News::Failed(_) => Some("failed"),
        _ => None,
    };
    news.iter().filter_map(name).collect()
}

fn is_connected(news: &News) -> bool {
    matches!(news, News::Connected { .. })
}

/// Has the tokens of a live conversation replaced at once.
async fn expire(chat: &mut Chat, peer: &mut fake::Peer) {
    until(chat, is_connected).await;
    chat.use_tokens(tokens(1, 0));
    let (_, token) = during(chat, peer.auth()).await;
    assert_eq!(token, "a1");
}

/// A conversation of `alice` with a real node.
async fn chat(node: &TestNode) -> (Chat, String) {
    let login = Login { email: "alice@example.org".into(), password: "correct horse battery".into() };
    let tokens = HttpClient::new(node.http().into()).login(&login).await.unwrap();
    let access_token = tokens.access_token.clone();
    let random = fastrand::Rng::with_seed(SEED);
    (Chat::new(ServerUrl::from(node.http()), Codec::Json, tokens, None, random), access_token)
}

#[tokio::test]
async fn fresh_tokens_outlive_the_failure_of_the_socket_they_were_for() {
    let fake = Fake::start().await;
    let mut chat = fake.chat(0);
    let (mut news, peer) = during(&mut chat, async {
        let refresh = fake.refresh().await;
        assert_eq!(refresh.token, "r1");
        refresh.grant(2).await;
        fake.no_socket().await;
        fake.socket().await
    })
    .await;
    assert_eq!(peer.token, "a2");
    news.extend(until(&mut chat, is_connected).await);
    assert_eq!(connections(&news), ["refreshed", "failed", "connected"]);
}

#[tokio::test]
async fn a_refresh_under_way_outlives_its_connection() {
    let fake = Fake::start().await;
    let (mut chat, mut peer) = fake.live().await;
    expire(&mut chat, &mut peer).await;
    let (_, refresh) = during(&mut chat, fake.refresh()).await;
    drop(peer);
    until(&mut chat, |news| matches!(news, News::Closed(_))).await;
    let (_, peer) = during(&mut chat, async {
        refresh.grant(2).await;
        fake.socket().await
    })
    .await;
    assert_eq!(peer.token, "a2");
}

#[tokio::test]
async fn a_refresh_that_fails_on_a_live_connection_is_tried_again_later_and_later() {
    let fake = Fake::start().await;
    let (mut chat, mut peer) = fake.live().await;
    expire(&mut chat, &mut peer).await;
    let began = Instant::now();
    let (_, asked) = during(&mut chat, async {
        for _ in 0..4 {
            fake.refresh().await.answer(500, json!({})).await;
        }
        let busy = json!({ "code": "busy", "retry_after_ms": 700 });
        fake.refresh().await.answer(503, busy).await;
        let refused_at = Instant::now();
        let refresh = fake.refresh().await;
        assert!(refused_at.elapsed() >= Duration::from_millis(700), "the server named the time");
        assert_eq!(refresh.token, "r1");
        refresh.grant(2).await;
        peer.auth().await
    })
    .await;
    assert_eq!(asked, "a2");
    let mut backoff = Backoff::new(fastrand::Rng::with_seed(SEED));
    let least: Duration = (0..4).map(|_| backoff.failed(None)).sum();
    assert!(began.elapsed() >= least, "{:?} is less than {least:?}", began.elapsed());
}

#[tokio::test]
async fn a_login_that_is_gone_ends_a_live_conversation_and_is_told_once() {
    let fake = Fake::start().await;
    let (mut chat, mut peer) = fake.live().await;
    expire(&mut chat, &mut peer).await;
    let (_, refresh) = during(&mut chat, fake.refresh()).await;
    refresh.answer(401, json!({ "code": "unauthenticated" })).await;
    assert!(matches!(end(&mut chat).await, GaveUp::Login(_)));
    assert!(matches!(end(&mut chat).await, GaveUp::Ended));
}

#[tokio::test]
async fn a_fresh_token_that_a_live_connection_refuses_opens_the_next() {
    let fake = Fake::start().await;
    let (mut chat, mut peer) = fake.live().await;
    until(&mut chat, is_connected).await;
    chat.use_tokens(tokens(2, 600));
    let (mut news, (refused, next)) = during(&mut chat, async {
        let forbidden = json!({ "code": "forbidden", "message": "another login", "retryable": false });
        let refused = peer.refuse_auth(forbidden).await;
        (refused, fake.socket().await)
    })
    .await;
    assert_eq!((refused.as_str(), next.token.as_str()), ("a2", "a2"));
    news.extend(until(&mut chat, is_connected).await);
    assert_eq!(connections(&news), ["refreshed", "closed", "connected"]);
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_for_now_is_shown_again() {
    let fake = Fake::start().await;
    let (mut chat, mut peer) = fake.live().await;
    until(&mut chat, is_connected).await;
    chat.use_tokens(tokens(2, 600));
    let (news, again) = during(&mut chat, async {
        let busy = json!({ "code": "busy", "message": "full", "retryable": true, "retry_after_ms": 5 });
        assert_eq!(peer.refuse_auth(busy).await, "a2");
        peer.auth().await
    })
    .await;
    assert_eq!(again, "a2");
    assert_eq!(connections(&news), ["refreshed"]);
}

#[tokio::test]
async fn a_room_goes_on_at_its_position_after_the_server_ended_the_socket() {
    let (clock, options) = TestNodeOptions::with_fragile_clock();
    let node = TestNode::with(options).await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let mut b = Wire::log_in(node.http(), bob.token()).await;
    let room = group(&mut b, "Tea", &[&alice]).await;
    let (mut chat, _) = chat(&node).await;
    chat.follow(serde_json::from_value(room.clone()).unwrap(), Some(Seq::ZERO));
    let before = send(&mut b, &room).await;
    let is_event = |seq: u64| move |news: &News| matches!(news, News::Event(event) if event.seq == Seq(seq));
    let mut news = until(&mut chat, is_event(before)).await;
    clock.break_next();
    chat.submit(Op::Ping).unwrap();
    news.extend(until(&mut chat, |news| matches!(news, News::Closed(_))).await);
    assert!(matches!(news.last(), Some(News::Closed(closed)) if closed.code == Some(4006)));
    send(&mut b, &room).await;
    let last = send(&mut b, &room).await;
    news.extend(until(&mut chat, is_event(last)).await);
    let opened_after = |news: &News| if let News::Opened { after, .. } = news { *after } else { None };
    let opened: Vec<Seq> = news.iter().filter_map(opened_after).collect();
    assert_eq!(opened, [Seq::ZERO, Seq(before)]);
    let seq = |news: &News| if let News::Event(event) = news { Some(event.seq.0) } else { None };
    let heard: Vec<u64> = news.iter().filter_map(seq).collect();
    assert_eq!(heard, (1..=last).collect::<Vec<u64>>());
}

/// Sends a message and returns its place.
async fn send(wire: &mut Wire, room: &Value) -> u64 {
    let body = json!({ "kind": "text", "text": "hello" });
    let draft = json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": body });
    wire.ok("message.send", draft).await["seq"].as_u64().unwrap()
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_goes_out_again_under_its_name_and_gets_its_first_place() {
    let node = TestNode::start().await;
    let alice = node.user("alice").await;
    let mut a = Wire::log_in(node.http(), alice.token()).await;
    let room = group(&mut a, "Tea", &[]).await;
    let fake = Fake::start().await;
    let (mut chat, mut peer) = fake.live().await;
    let message = MessageSend {
        room: serde_json::from_value::<RoomId>(room).unwrap(),
        client_id: ClientId(uuid::Uuid::from_u128(fresh())),
        attempt: None,
        body: MessageBody::text("hello"),
        reply_to: None,
    };
    let sent = chat.submit(Op::MessageSend(Box::new(message))).unwrap();
    // The fake passes everything on to the node, and the first answer to nobody.
    let (_, (first, second, place, _peer)) = during(&mut chat, async {
        let first = peer.command().await;
        let mut place = a.ok("message.send", first["d"].clone()).await;
        drop(peer);
        let mut peer = fake.socket().await;
        let second = peer.command().await;
        let again = a.ok("message.send", second["d"].clone()).await;
        place["duplicate"] = json!(true);
        assert_eq!(again, place);
        peer.say(json!({ "id": second["id"], "ok": again })).await;
        (first, second, place, peer)
    })
    .await;
    let mut expected = first["d"].clone();
    assert_eq!(expected.get("attempt"), None);
    expected["attempt"] = json!(2);
    assert_eq!((&second["op"], &second["d"]), (&json!("message.send"), &expected));
    let news = until(&mut chat, |news| matches!(news, News::Answered { .. })).await;
    let Some(News::Answered { handle, outcome, .. }) = news.last() else {
        panic!("it is what was waited for")
    };
    assert_eq!(*handle, sent);
    assert_eq!(outcome.as_ref().unwrap().read::<Value>().unwrap(), place);
    assert!(chat.is_quiet());
}

#[tokio::test]
async fn a_client_comes_back_when_the_bye_says_and_no_sooner() {
    let fake = Fake::start().await;
    let (mut chat, mut peer) = fake.live().await;
    let (_, waited) = during(&mut chat, async {
        // Longer than any wait of its own after a first break.
        let bye = json!({ "code": 4000, "reason": "draining", "retry_after_ms": 400 });
        peer.say(json!({ "ev": "bye", "d": bye })).await;
        let left_at = Instant::now();
        peer.close(4000).await;
        fake.socket().await;
        left_at.elapsed()
    })
    .await;
    assert!(waited >= Duration::from_millis(400), "{waited:?}");
}

#[tokio::test]
async fn a_client_whose_session_was_revoked_does_not_come_back() {
    let node = TestNode::start().await;
    node.user("alice").await;
    let (mut chat, token) = chat(&node).await;
    until(&mut chat, is_connected).await;
    let bearer = format!("Bearer {token}");
    call(node.http(), "POST", "/v1/auth/logout", &[("authorization", &bearer)], &Value::Null).await;
    let gave_up = end(&mut chat).await;
    assert!(matches!(&gave_up, GaveUp::Closed(closed) if closed.code == Some(4503)), "{gave_up:?}");
    assert!(matches!(end(&mut chat).await, GaveUp::Ended));
    assert_eq!(chat.totals().connections, 1);
}
