//! Rooms and their members over the socket: made once, seen by members only, run by their roles.

use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};

/// Makes a group and returns its id.
pub(crate) async fn group(wire: &mut Wire, title: &str, members: &[&TestUser]) -> Value {
    let members: Vec<_> = members.iter().map(|user| user.id()).collect();
    let create = json!({ "client_id": uuid::Uuid::from_u128(fresh()), "kind": "group", "title": title, "members": members });
    wire.ok("room.create", create).await["id"].take()
}

/// Returns a number that no other call in this process returns.
pub(crate) fn fresh() -> u128 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) | (7 << 76) | (2 << 62)
}

/// Registers Alice and Bob, and connects both.
pub(crate) async fn two(node: &TestNode) -> (TestUser, Wire, TestUser, Wire) {
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let wires =
        (Wire::log_in(node.http(), alice.token()).await, Wire::log_in(node.http(), bob.token()).await);
    (alice, wires.0, bob, wires.1)
}

#[tokio::test]
async fn creating_a_room_twice_makes_it_once() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let create = json!({ "client_id": uuid::Uuid::from_u128(1), "kind": "channel", "title": "News", "members": [bob.id()] });
    let first = a.ok("room.create", create.clone()).await;
    assert_eq!(
        (&first["kind"], &first["title"], &first["members"]),
        (&json!("channel"), &json!("News"), &json!(2))
    );
    assert_eq!(first["head"], json!({ "seq": 3, "ord": 0, "at": first["created_at"] }));
    assert_eq!(a.ok("room.create", create.clone()).await, first);
    // Another user's room of the same name is another room.
    assert_ne!(
        b.ok("room.create", json!({ "client_id": create["client_id"], "kind": "group", "title": "News" }))
            .await["id"],
        first["id"]
    );
}

#[tokio::test]
async fn two_users_have_one_direct_room_whoever_asks() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let (by_alice, by_bob) = (
        a.ok("room.direct", json!({ "user": bob.id() })).await,
        b.ok("room.direct", json!({ "user": alice.id() })).await,
    );
    assert_eq!(by_alice["id"], by_bob["id"]);
    assert_eq!((&by_bob["kind"], &by_bob["me"]["role"]), (&json!("direct"), &json!("member")));
    assert_eq!(a.refused("room.direct", json!({ "user": alice.id() })).await, "invalid");
    assert_eq!(a.refused("room.direct", json!({ "user": uuid::Uuid::from_u128(99) })).await, "not_found");
    // Nobody is added to it, nobody leaves it.
    let carol = node.user("carol").await;
    assert_eq!(
        a.refused("member.add", json!({ "room": by_alice["id"], "users": [carol.id()] })).await,
        "forbidden"
    );
    assert_eq!(
        a.refused("member.remove", json!({ "room": by_alice["id"], "user": bob.id() })).await,
        "forbidden"
    );
}

#[tokio::test]
async fn a_stranger_is_told_that_there_is_no_such_room_whatever_it_asks() {
    let node = TestNode::start().await;
    let (alice, mut a, _, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[]).await;
    let asks = [
        ("room.get", json!({ "room": room })),
        ("room.update", json!({ "room": room, "title": "Mine" })),
        ("room.open", json!({ "room": room, "after": 0 })),
        ("room.history", json!({ "room": room })),
        ("member.list", json!({ "room": room })),
        ("member.add", json!({ "room": room, "users": [alice.id()] })),
        ("member.remove", json!({ "room": room, "user": alice.id() })),
        ("member.role", json!({ "room": room, "user": alice.id(), "role": "reader" })),
        (
            "message.send",
            json!({ "room": room, "client_id": uuid::Uuid::from_u128(5), "body": { "kind": "text", "text": "x" } }),
        ),
    ];
    for (op, d) in asks {
        let mut elsewhere = d.clone();
        elsewhere["room"] = json!(uuid::Uuid::from_u128(77));
        assert_eq!(b.refused(op, d).await, "not_found", "{op}");
        assert_eq!(b.refused(op, elsewhere).await, "not_found", "{op} of no room at all");
    }
    assert_eq!(a.ok("room.get", json!({ "room": room })).await["head"]["seq"], 2, "nothing was changed");
    b.settle().await;
    assert_eq!(b.unasked(), Vec::<Value>::new(), "nothing was heard");
}

#[tokio::test]
async fn members_come_go_and_change_by_events_of_the_room() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[]).await;
    a.ok("room.open", json!({ "room": room })).await;
    assert_eq!(
        a.ok("member.add", json!({ "room": room, "users": [bob.id()], "role": "reader" })).await,
        json!({ "seq": 3 })
    );
    let added = a.room_event().await;
    assert_eq!(
        (&added["type"], &added["body"]),
        (&json!("member"), &json!({ "user": bob.id(), "change": "added", "role": "reader" }))
    );
    // Adding it again changes nothing.
    assert_eq!(a.ok("member.add", json!({ "room": room, "users": [bob.id()] })).await, json!({ "seq": 3 }));

    let hello = json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": { "kind": "text", "text": "hello" } });
    assert_eq!(b.refused("message.send", hello.clone()).await, "forbidden", "a reader does not write");
    a.ok("member.role", json!({ "room": room, "user": bob.id(), "role": "member" })).await;
    assert_eq!(b.ok("message.send", hello).await["seq"], 5);
    assert_eq!(b.refused("room.update", json!({ "room": room, "title": "Mine" })).await, "forbidden");
    assert_eq!(
        a.refused("member.role", json!({ "room": room, "user": alice.id(), "role": "member" })).await,
        "conflict",
        "the last owner makes somebody else owner first"
    );

    let listed = a.ok("member.list", json!({ "room": room })).await;
    let roles: Vec<_> = listed["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (m["user"]["handle"].clone(), m["role"].clone(), m["joined_seq"].clone()))
        .collect();
    assert_eq!(roles.len(), 2);
    assert!(
        roles.contains(&(json!("bob"), json!("member"), json!(3)))
            && roles.contains(&(json!("alice"), json!("owner"), json!(1)))
    );

    b.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    assert_eq!(b.refused("room.get", json!({ "room": room })).await, "not_found");
    assert_eq!(b.ok("room.list", json!({})).await["rooms"], json!([]));
}

#[tokio::test]
async fn a_list_shows_what_is_unread_and_the_newest_activity_first() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let (old, new) = (group(&mut a, "Old", &[&bob]).await, group(&mut a, "New", &[&bob]).await);
    let say = |room: &Value, mention: Value| json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": { "kind": "text", "text": "x", "mentions": mention } });
    a.ok("message.send", say(&new, json!([]))).await;
    node.advance(std::time::Duration::from_secs(1));
    a.ok("message.send", say(&old, json!([bob.id()]))).await;
    a.ok("message.send", say(&old, json!(["all"]))).await;
    let list = b.ok("room.list", json!({})).await;
    let seen: Vec<_> = list["rooms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|room| (room["title"].clone(), room["me"]["unread"].clone(), room["me"]["mentions"].clone()))
        .collect();
    assert_eq!(seen, [(json!("Old"), json!(2), json!(2)), (json!("New"), json!(1), json!(0))]);
    assert_eq!(list["total_unread"], 3);
    // One's own messages are read by oneself.
    assert_eq!(a.ok("room.list", json!({})).await["total_unread"], 0);
    // Page by page it is the same list.
    let first = b.ok("room.list", json!({ "limit": 1 })).await;
    let second = b.ok("room.list", json!({ "limit": 1, "cursor": first["next"] })).await;
    assert_eq!(
        (&first["rooms"][0]["title"], &second["rooms"][0]["title"], second.get("next")),
        (&json!("Old"), &json!("New"), None)
    );
}

#[tokio::test]
async fn a_description_changes_by_an_event_and_keeps_what_was_not_named() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    b.ok("room.open", json!({ "room": room })).await;
    let updated = a.ok("room.update", json!({ "room": room, "about": "black and green" })).await;
    assert_eq!((&updated["title"], &updated["about"]), (&json!("Tea"), &json!("black and green")));
    let event = b.room_event().await;
    assert_eq!((&event["type"], &event["body"]), (&json!("room"), &json!({ "about": "black and green" })));
    assert_eq!(a.refused("room.update", json!({ "room": room, "title": "  " })).await, "invalid");
    assert_eq!(a.refused("room.update", json!({ "room": room, "title": "x".repeat(129) })).await, "invalid");
}
