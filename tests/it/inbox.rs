//! Notices: what somebody else did that one has to know of, in one's inbox, exactly once.

use crate::chat::{draft, heard, name, say_body};
use crate::http::call;
use crate::rooms::{group, two};
use rookery_engine::store::{Append, Log, Notice, NoticeKind, Notices, Projection, Store};
use rookery_engine::{FaultStore, Faults, MemoryStore};
use rookery_protocol::{Event, EventBody, MessageBody, RoomId, Seq, Timestamp};
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn mentioning(whom: &Value) -> Value {
    json!({ "kind": "text", "text": "the content", "mentions": whom })
}

/// Returns what a notice says: its kind, where, and which event.
fn notice(event: &Value) -> (String, Value, Value) {
    assert_eq!(event["type"], "message", "{event}");
    let kind = event["body"]["kind"].as_str().unwrap().strip_prefix("x.notice.").unwrap().to_owned();
    let meta = &event["body"]["meta"];
    (kind, meta["room"].clone(), meta["seq"].clone())
}

/// Waits for the next notice, past whatever else comes.
async fn next_notice(wire: &mut Wire) -> Value {
    loop {
        let mut event = wire.event().await;
        let kind = event["d"]["body"]["kind"].as_str().unwrap_or_default();
        if event["ev"] == "room.event" && kind.starts_with("x.notice.") {
            return event["d"].take();
        }
    }
}

/// Logs a user in once more, and returns its inbox.
async fn with_inbox(node: &TestNode, user: &TestUser, after: u64) -> (Wire, Value) {
    let mut wire = Wire::open(node.http()).await.with_background();
    let mut who = wire.ok("auth", json!({ "token": user.token(), "inbox_after": after })).await;
    (wire, who["inbox"].take())
}

/// Reads the notices in an inbox.
async fn notices(wire: &mut Wire, inbox: &Value) -> Vec<(String, Value, Value)> {
    let page = wire.ok("room.history", json!({ "room": inbox, "limit": 100 })).await;
    let all = page["messages"].as_array().unwrap().iter();
    all.filter(|event| event["type"] == "message").map(notice).collect()
}

/// Waits until the courier has nothing left.
async fn delivered(store: &dyn Notices) {
    for _ in 0..2000 {
        if store.notices(None, 1).await.is_ok_and(|left| left.is_empty()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("notices are left");
}

#[tokio::test]
async fn who_is_added_mentioned_or_removed_finds_it_in_the_inbox() {
    let node = TestNode::start().await;
    let (_, mut a, bob, b) = two(&node).await;
    let (mut b, inbox) = {
        drop(b);
        with_inbox(&node, &bob, 0).await
    };
    let room = group(&mut a, "Tea", &[]).await;
    let added = a.ok("member.add", json!({ "room": room, "users": [bob.id()] })).await["seq"].clone();
    let first = next_notice(&mut b).await;
    assert_eq!(notice(&first), ("added".to_owned(), room.clone(), added.clone()));
    assert_eq!(first["room"], inbox);
    let said = say_body(&mut a, &room, &mentioning(&json!([bob.id()]))).await;
    let second = next_notice(&mut b).await;
    assert_eq!(notice(&second), ("mention".to_owned(), room.clone(), json!(said)));
    assert!(!second.to_string().contains("the content"), "it can be deleted there, and is not here");
    assert_eq!(b.ok("room.get", json!({ "room": inbox })).await["me"]["unread"], 2);
    let marked = b.ok("read.mark", json!({ "room": inbox, "seq": second["seq"] })).await;
    assert_eq!(marked["unread"], 0);
    let gone = a.ok("member.remove", json!({ "room": room, "user": bob.id() })).await["seq"].clone();
    let third = next_notice(&mut b).await;
    assert_eq!(notice(&third), ("removed".to_owned(), room.clone(), gone.clone()));
    assert_eq!(b.ok("room.list", json!({})).await["total_unread"], 0, "an inbox is not in the list");

    // From a position on it is the same, and over HTTP.
    let (mut again, _) = with_inbox(&node, &bob, first["seq"].as_u64().unwrap()).await;
    assert_eq!(next_notice(&mut again).await, second);
    assert_eq!(next_notice(&mut again).await, third);
    let path = format!("/v1/rooms/{}/messages", inbox.as_str().unwrap());
    let bearer = format!("Bearer {}", bob.token());
    let page = call(node.http(), "GET", &path, &[("authorization", &bearer)], &Value::Null).await.json();
    let kinds: Vec<_> = page["messages"].as_array().unwrap().iter().skip(2).map(|e| notice(e).0).collect();
    assert_eq!(kinds, ["added", "mention", "removed"]);
    // Nobody else sees it, and its owner writes nothing into it.
    assert_eq!(a.refused("room.history", json!({ "room": inbox })).await, "not_found");
    for (op, d) in [
        ("message.send", draft(&inbox, &mentioning(&json!([])))),
        ("message.delete", json!({ "room": inbox, "client_id": name(), "target": first["seq"] })),
        ("pin.set", json!({ "room": inbox, "client_id": name(), "target": first["seq"], "on": true })),
    ] {
        assert_eq!(b.refused(op, d).await, "forbidden", "{op}");
    }
}

#[tokio::test]
async fn nobody_is_told_of_what_one_did_oneself_or_of_what_is_said_to_two() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, b) = two(&node).await;
    let mut b = b.with_background();
    let direct = a.ok("room.direct", json!({ "user": bob.id() })).await["id"].take();
    say_body(&mut a, &direct, &mentioning(&json!([bob.id(), "all"]))).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    assert_eq!(notice(&next_notice(&mut b).await).0, "added");
    let both = json!([alice.id(), bob.id(), bob.id(), "all", uuid::Uuid::from_u128(9)]);
    let said = say_body(&mut a, &room, &mentioning(&both)).await;
    assert_eq!(notice(&next_notice(&mut b).await), ("mention".to_owned(), room.clone(), json!(said)));
    b.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    assert!(!heard(&mut b).await.iter().any(|event| event["d"]["body"]["kind"] == "x.notice.removed"));
    let (mut a, inbox) = with_inbox(&node, &alice, 0).await;
    assert_eq!(notices(&mut a, &inbox).await, []);
}

#[tokio::test]
async fn somebody_who_never_came_finds_it_all_after_the_first_login() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let node = TestNode::over(Arc::clone(&store)).await;
    let (_, mut a, bob, _) = two(&node).await;
    let carol = node.user("carol").await;
    let room = group(&mut a, "Tea", &[&bob, &carol]).await;
    say_body(&mut a, &room, &mentioning(&json!(["all"]))).await;
    delivered(store.as_ref()).await;
    let (mut c, inbox) = with_inbox(&node, &carol, 0).await;
    let found: Vec<_> = notices(&mut c, &inbox).await.into_iter().map(|notice| notice.0).collect();
    assert_eq!(found, ["added", "mention"]);
    let heard = [notice(&next_notice(&mut c).await).0, notice(&next_notice(&mut c).await).0];
    assert_eq!(heard, ["added", "mention"]);
}

#[tokio::test]
async fn a_mention_of_all_reaches_two_hundred_inboxes_and_no_more() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let node = TestNode::over(Arc::clone(&store)).await;
    let (_, mut a, bob, _) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let mut others = Vec::new();
    for number in 0..199 {
        others.push(node.user(&format!("user{number}")).await.id());
    }
    for some in others[..198].chunks(50) {
        a.ok("member.add", json!({ "room": room, "users": some })).await;
    }
    let told = say_body(&mut a, &room, &mentioning(&json!(["all"]))).await;
    a.ok("member.add", json!({ "room": room, "users": [others[198]] })).await;
    let untold = say_body(&mut a, &room, &mentioning(&json!(["all"]))).await;
    let named = say_body(&mut a, &room, &mentioning(&json!(["all", others[0]]))).await;
    delivered(store.as_ref()).await;
    let (mut b, inbox) = with_inbox(&node, &bob, 0).await;
    let of = |found: &[(String, Value, Value)], seq: u64| {
        found.iter().filter(|notice| notice.0 == "mention" && notice.2 == seq).count()
    };
    let found = notices(&mut b, &inbox).await;
    assert_eq!((of(&found, told), of(&found, untold), of(&found, named)), (1, 0, 0));
    assert_eq!(b.ok("room.get", json!({ "room": room })).await["me"]["mentions"], 3, "counted it is");
    let (mut first, inbox) = with_inbox(&node, &node.login("user0").await, 0).await;
    let found = notices(&mut first, &inbox).await;
    assert_eq!((of(&found, told), of(&found, untold), of(&found, named)), (1, 0, 1), "who is named is told");
}

#[tokio::test]
async fn notices_are_there_once_whatever_the_store_does_in_the_middle() {
    for seed in 1..=12 {
        let faults = Faults { refused: 0.1, lost: 0.1, unheard: 0.3, ..Faults::default() };
        let store = Arc::new(FaultStore::by_seed(MemoryStore::new(), seed, faults));
        store.calm();
        let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
        let (_, mut a, bob, _) = two(&node).await;
        let room = group(&mut a, "Tea", &[&bob]).await;
        delivered(store.inner()).await;
        store.rage();
        let mut said = Vec::new();
        for _ in 0..4 {
            let mut asked = draft(&room, &mentioning(&json!([bob.id()])));
            loop {
                match a.call("message.send", asked.clone()).await {
                    Ok(sent) => break said.push(sent["seq"].clone()),
                    Err(_) => asked["attempt"] = json!(2),
                }
            }
        }
        // Nothing happens any more that would have somebody look again.
        delivered(store.inner()).await;
        store.calm();
        let (mut b, inbox) = with_inbox(&node, &bob, 0).await;
        let mut found: Vec<_> = notices(&mut b, &inbox).await.into_iter().map(|notice| notice.2).collect();
        found.remove(0);
        found.sort_by_key(Value::as_u64);
        assert_eq!(found, said, "seed {seed}");
    }
}

#[tokio::test]
async fn what_was_not_delivered_or_not_forgotten_before_a_restart_is_delivered_once() {
    let store = Arc::new(MemoryStore::new());
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let (alice, mut a, bob, _) = two(&node).await;
    let room = group(&mut a, "Tea", &[]).await;
    drop((a, node));
    // A node that died right after its append.
    let room: RoomId = serde_json::from_value(room).unwrap();
    let notice = Notice {
        user: bob.id(),
        room,
        seq: Seq(3),
        kind: NoticeKind::Mention,
        by: alice.id(),
        at: Timestamp(1),
    };
    for number in 3..6 {
        let event = Event {
            room,
            seq: Seq(number),
            ord: number - 2,
            at: Timestamp(1),
            by: alice.id(),
            client_id: None,
            target: None,
            reply_to: None,
            body: EventBody::Message(MessageBody::text("x")),
        };
        let events = [event].into_iter().collect();
        // The same notice each time, as where it could not be forgotten.
        let projections = [Projection::Notice(notice)].into_iter().collect();
        store.append(Append { room, expected: Seq(number - 1), events, projections }).await.unwrap();
        let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
        delivered(store.as_ref()).await;
        let (mut b, inbox) = with_inbox(&node, &node.login("bob").await, 0).await;
        let found = notices(&mut b, &inbox).await;
        assert_eq!(found, [("mention".to_owned(), json!(room), json!(3))]);
    }
}
