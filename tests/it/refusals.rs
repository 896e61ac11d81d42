//! Every op, and what whoever may not have it is answered: a table, and a test that no op is without
//! a row. What is special about one op is tested where that op is.

use crate::chat::{name, text};
use crate::members::{room, user};
use rookery_protocol::Op;
use rookery_tests::node::{TestNode, TestUser};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};

/// An answer: done, or the code of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Done,
    Code(&'static str),
}

use Told::Done;
const HIDDEN: Told = Told::Code("not_found");
const BARRED: Told = Told::Code("forbidden");

/// One op that is asked of a room: as its owner would ask it, and what others are answered.
struct Row {
    op: &'static str,
    fields: fn(&Asked) -> Value,
    /// Somebody who never was a member, and a member who was removed a moment ago.
    outsider: Told,
    /// A reader of a group, who wrote when it was a member.
    reader: Told,
    /// A member of a channel that is no admin there.
    follower: Told,
    /// One of the two of a direct room, between whom there is a block.
    blocked: Told,
}

/// What a command is about.
struct Asked {
    room: Value,
    /// A message of whoever asks, or of the owner where it has none.
    target: u64,
    /// Another member.
    other: Value,
    invite: Value,
}

impl Asked {
    /// Returns `d` about the room.
    fn only(&self, mut d: Value) -> Value {
        d["room"] = self.room.clone();
        d
    }

    /// Returns `d` about the message, with a name of its own.
    fn named(&self, mut d: Value) -> Value {
        (d["client_id"], d["target"]) = (name(), json!(self.target));
        self.only(d)
    }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { op: "room.get", fields: |it| it.only(json!({})), outsider: HIDDEN, reader: Done, follower: Done, blocked: Done },
    Row { op: "room.open", fields: |it| it.only(json!({ "after": 0 })), outsider: HIDDEN, reader: Done, follower: Done, blocked: Done },
    Row { op: "room.history", fields: |it| it.only(json!({})), outsider: HIDDEN, reader: Done, follower: Done, blocked: Done },
    // What one does not hear can be closed by anybody.
    Row { op: "room.close", fields: |it| it.only(json!({})), outsider: Done, reader: Done, follower: Done, blocked: Done },
    Row { op: "room.settings", fields: |it| it.only(json!({ "pinned": true })), outsider: HIDDEN, reader: Done, follower: Done, blocked: Done },
    Row { op: "room.update", fields: |it| it.only(json!({ "title": "Mine" })), outsider: HIDDEN, reader: BARRED, follower: BARRED, blocked: BARRED },
    Row { op: "member.list", fields: |it| it.only(json!({})), outsider: HIDDEN, reader: Done, follower: Done, blocked: Done },
    Row { op: "member.add", fields: |it| it.only(json!({ "users": [it.other] })), outsider: HIDDEN, reader: BARRED, follower: BARRED, blocked: BARRED },
    Row { op: "member.role", fields: |it| it.only(json!({ "user": it.other, "role": "reader" })), outsider: HIDDEN, reader: BARRED, follower: BARRED, blocked: BARRED },
    Row { op: "member.remove", fields: |it| it.only(json!({ "user": it.other })), outsider: HIDDEN, reader: BARRED, follower: BARRED, blocked: BARRED },
    Row { op: "invite.create", fields: |it| it.only(json!({})), outsider: HIDDEN, reader: BARRED, follower: BARRED, blocked: BARRED },
    Row { op: "invite.revoke", fields: |it| it.only(json!({ "invite": it.invite })), outsider: HIDDEN, reader: BARRED, follower: BARRED, blocked: BARRED },
    Row { op: "message.send", fields: |it| it.only(json!({ "client_id": name(), "body": text("x") })), outsider: HIDDEN, reader: BARRED, follower: BARRED, blocked: BARRED },
    Row { op: "message.edit", fields: |it| it.named(json!({ "body": text("y") })), outsider: HIDDEN, reader: BARRED, follower: BARRED, blocked: BARRED },
    Row { op: "reaction.set", fields: |it| it.named(json!({ "emoji": "!", "on": true })), outsider: HIDDEN, reader: BARRED, follower: Done, blocked: BARRED },
    Row { op: "pin.set", fields: |it| it.named(json!({ "on": true })), outsider: HIDDEN, reader: BARRED, follower: BARRED, blocked: BARRED },
    Row { op: "message.search", fields: |it| it.only(json!({ "query": "mine" })), outsider: HIDDEN, reader: Done, follower: Done, blocked: Done },
    Row { op: "read.list", fields: |it| it.only(json!({ "seq": it.target })), outsider: HIDDEN, reader: Done, follower: Done, blocked: Done },
    Row { op: "read.mark", fields: |it| it.only(json!({ "seq": it.target })), outsider: HIDDEN, reader: Done, follower: Done, blocked: Done },
    Row { op: "delivered.mark", fields: |it| it.only(json!({ "seq": it.target })), outsider: HIDDEN, reader: Done, follower: Done, blocked: Done },
    Row { op: "typing.set", fields: |it| it.only(json!({ "on": true })), outsider: HIDDEN, reader: BARRED, follower: BARRED, blocked: BARRED },
    // Last: what whoever asks wrote is gone then. A follower has written nothing.
    Row { op: "message.delete", fields: |it| it.named(json!({})), outsider: HIDDEN, reader: Done, follower: BARRED, blocked: Done },
];

/// Ops that are asked of no room, and where it is tested whom they are refused.
const OF_NO_ROOM: &[(&str, &str)] = &[
    ("auth", "tokens"),
    ("ping", "sessions"),
    ("room.create", "rooms"),
    ("room.direct", "rooms, blocks"),
    ("room.list", "room_list"),
    ("invite.accept", "invites"),
    ("user.get", "people"),
    ("user.search", "people"),
    ("user.block", "blocks"),
    ("profile.update", "people"),
    ("presence.watch", "presence"),
    ("presence.set", "presence"),
];

#[test]
fn every_op_that_there_is_has_a_row() {
    let mut named: Vec<_> = ROWS.iter().map(|row| row.op).collect();
    named.extend(OF_NO_ROOM.iter().map(|(op, _)| op));
    named.sort_unstable();
    let mut there: Vec<_> = Op::SHAPES.iter().map(|shape| shape.name).collect();
    there.sort_unstable();
    assert_eq!(named, there);
}

/// Asks every op of the table, and returns what was told otherwise than the column says.
async fn wrong(wire: &mut Wire, asked: &Asked, column: fn(&Row) -> Told) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in ROWS {
        let told = wire.call(row.op, (row.fields)(asked)).await;
        let told = told.map_err(|error| error["code"].as_str().unwrap().to_owned());
        let is_right = match column(row) {
            Done => told.is_ok(),
            Told::Code(code) => told.as_ref().err().is_some_and(|told| told == code),
        };
        if !is_right {
            wrong.push(format!("{}: {told:?}, not {:?}", row.op, column(row)));
        }
    }
    wrong
}

async fn say(wire: &mut Wire, room: &Value) -> u64 {
    let said = wire.call("message.send", json!({ "room": room, "client_id": name(), "body": text("mine") }));
    said.await.unwrap()["seq"].as_u64().unwrap()
}

/// A room of `kind` with an owner, `asking` and another member.
async fn scene(owner: &mut Wire, kind: &str, asking: &TestUser, other: &TestUser) -> Asked {
    let room = room(owner, kind, &[asking, other]).await;
    let target = say(owner, &room).await;
    let invite = owner.ok("invite.create", json!({ "room": room })).await["invite"].take();
    Asked { room, target, other: json!(other.id()), invite }
}

#[tokio::test]
async fn who_never_was_or_is_no_more_a_member_is_told_that_nothing_is_there() {
    let node = TestNode::start().await;
    let (_, mut owner) = user(&node, "alice").await;
    let (bob, mut removed) = user(&node, "bob").await;
    let carol = node.user("carol").await;
    let (_, mut stranger) = user(&node, "dave").await;
    for kind in ["group", "channel"] {
        let mut asked = scene(&mut owner, kind, &bob, &carol).await;
        assert_eq!(wrong(&mut stranger, &asked, |row| row.outsider).await, [""; 0], "a stranger, {kind}");
        if kind == "group" {
            asked.target = say(&mut removed, &asked.room).await;
        }
        removed.ok("room.open", json!({ "room": asked.room })).await;
        owner.ok("member.remove", json!({ "room": asked.room, "user": bob.id() })).await;
        assert_eq!(wrong(&mut removed, &asked, |row| row.outsider).await, [""; 0], "removed, {kind}");
    }
}

#[tokio::test]
async fn a_reader_and_a_follower_may_do_what_their_column_says() {
    let node = TestNode::start().await;
    let (_, mut owner) = user(&node, "alice").await;
    let (bob, mut b) = user(&node, "bob").await;
    let carol = node.user("carol").await;
    let mut asked = scene(&mut owner, "group", &bob, &carol).await;
    asked.target = say(&mut b, &asked.room).await;
    let role = json!({ "room": asked.room, "user": bob.id(), "role": "reader" });
    owner.ok("member.role", role).await;
    assert_eq!(wrong(&mut b, &asked, |row| row.reader).await, [""; 0], "a reader");

    let asked = scene(&mut owner, "channel", &bob, &carol).await;
    assert_eq!(wrong(&mut b, &asked, |row| row.follower).await, [""; 0], "a follower");
}

#[tokio::test]
async fn two_with_a_block_between_them_may_do_what_their_column_says() {
    let node = TestNode::start().await;
    for is_blocking in [false, true] {
        let handles = if is_blocking { ["alice", "bob"] } else { ["carol", "dave"] };
        let (_, mut one) = user(&node, handles[0]).await;
        let (two, mut other) = user(&node, handles[1]).await;
        let room = one.ok("room.direct", json!({ "user": two.id() })).await["id"].take();
        let target = say(&mut one, &room).await;
        let me = one.ok("room.history", json!({ "room": room })).await["messages"][0]["by"].take();
        let asked = Asked { room, target, other: json!(two.id()), invite: json!("A".repeat(43)) };
        if is_blocking {
            one.ok("user.block", json!({ "user": two.id(), "on": true })).await;
        } else {
            other.ok("user.block", json!({ "user": me, "on": true })).await;
        }
        assert_eq!(wrong(&mut one, &asked, |row| row.blocked).await, [""; 0], "blocking: {is_blocking}");
    }
}

#[tokio::test]
async fn what_the_owner_asks_twice_is_answered_twice_and_done_once() {
    let node = TestNode::start().await;
    let (_, mut owner) = user(&node, "alice").await;
    let (bob, _) = user(&node, "bob").await;
    let carol = node.user("carol").await;
    let asked = scene(&mut owner, "group", &bob, &carol).await;
    for row in ROWS {
        let d = (row.fields)(&asked);
        let first = owner.ok(row.op, d.clone()).await;
        let head = owner.ok("room.get", json!({ "room": asked.room })).await["head"]["seq"].clone();
        let again = owner.call(row.op, d).await;
        let since = owner.ok("room.get", json!({ "room": asked.room })).await["head"]["seq"].clone();
        match row.op {
            // The member has gone; an update is an event each time; an invite is another each time.
            "member.remove" => assert_eq!(again.unwrap_err()["code"], "not_found"),
            "room.update" => assert_eq!(since.as_u64(), head.as_u64().map(|seq| seq + 1), "{again:?}"),
            "invite.create" => assert_ne!(again.unwrap()["invite"], first["invite"]),
            _ => {
                let again = again.unwrap();
                assert_eq!((&again["seq"], &since), (&first["seq"], &head), "{}: {first} {again}", row.op);
            }
        }
    }
}
