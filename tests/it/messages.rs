//! What becomes of a message: edits, deletes, reactions, pins, answers, mentions, and who may.

use crate::chat::{
    delete, draft, edit, heard, name, passivate, pin, react, replay, say, say_body, say_many, shown, text,
};
use crate::msgpack::Binary;
use crate::rooms::{group, two};
use rookery_engine::MemoryStore;
use rookery_engine::store::Store;
use rookery_protocol::ServerFrame;
use rookery_store_sqlite::{SqliteOptions, SqliteStore};
use rookery_tests::node::TestNode;
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn an_edit_is_its_author_s_alone_and_says_what_it_was_made_of() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let said = say(&mut b, &room, "tee").await;
    node.advance(Duration::from_secs(1));
    let first = edit(&room, said, "tea");
    let edited = b.ok("message.edit", first.clone()).await;
    assert_eq!(edited["seq"], said + 1);
    let message = shown(&mut a, &room, said).await;
    assert_eq!(
        (&message["body"]["text"], &message["edited_at"], &message["rev"], &message["ord"]),
        (&json!("tea"), &edited["at"], &edited["seq"], &json!(1))
    );
    let mut again = edited.clone();
    again["duplicate"] = json!(true);
    assert_eq!(b.ok("message.edit", first.clone()).await, again, "the same edit is made once");
    assert_eq!(a.refused("message.edit", edit(&room, said, "mine")).await, "forbidden", "an owner's neither");

    let mut stale = edit(&room, said, "stale");
    stale["rev"] = json!(0);
    let error = b.call("message.edit", stale.clone()).await.unwrap_err();
    assert_eq!((&error["code"], &error["details"]["field"]), (&json!("conflict"), &json!("rev")));
    stale["rev"] = edited["seq"].clone();
    b.ok("message.edit", stale).await;
    // A reaction is a change as well.
    a.ok("reaction.set", react(&room, said, "👍", 1)).await;
    let mut late = edit(&room, said, "late");
    late["rev"] = json!(said + 2);
    assert_eq!(b.refused("message.edit", late).await, "conflict");

    for (target, code) in [(1, "invalid"), (said + 1, "not_found"), (99, "not_found")] {
        assert_eq!(b.refused("message.edit", edit(&room, target, "x")).await, code, "at {target}");
    }
    let mut empty = edit(&room, said, " ");
    assert_eq!(b.refused("message.edit", empty.clone()).await, "invalid");
    empty["body"] = json!({ "kind": "text", "text": "x".repeat(16 * 1024 + 1) });
    assert_eq!(b.refused("message.edit", empty).await, "too_large");
    // What it may no longer say anew, it may no longer change either.
    a.ok("member.role", json!({ "room": room, "user": bob.id(), "role": "reader" })).await;
    assert_eq!(b.refused("message.edit", edit(&room, said, "x")).await, "forbidden");
    assert_eq!(b.ok("message.edit", first).await["duplicate"], true, "what is done is done");
    b.ok("message.delete", delete(&room, said)).await;
    assert_eq!(shown(&mut a, &room, said).await["deleted"], true);
}

#[tokio::test]
async fn strangers_and_those_who_were_removed_change_nothing() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let said = say(&mut b, &room, "mine").await;
    a.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
    let carol = node.user("carol").await;
    let mut c = Wire::log_in(node.http(), carol.token()).await;
    for wire in [&mut b, &mut c] {
        for (op, d) in [
            ("message.edit", edit(&room, said, "x")),
            ("message.delete", delete(&room, said)),
            ("reaction.set", react(&room, said, "👍", 1)),
            ("pin.set", pin(&room, said, 1)),
            ("read.mark", json!({ "room": room, "seq": said })),
            ("delivered.mark", json!({ "room": room, "seq": said })),
            ("read.list", json!({ "room": room, "seq": said })),
            ("typing.set", json!({ "room": room, "on": true })),
            ("typing.set", json!({ "room": room, "on": false })),
            ("room.settings", json!({ "room": room, "pinned": true })),
        ] {
            assert_eq!(wire.refused(op, d).await, "not_found", "{op}");
        }
    }
    // Back again, it does not see what it said before, and cannot change it.
    a.ok("member.add", json!({ "room": room, "users": [bob.id()] })).await;
    assert_eq!(b.refused("message.edit", edit(&room, said, "x")).await, "not_found");
    assert_eq!(b.refused("message.delete", delete(&room, said)).await, "not_found");
    assert_eq!(shown(&mut a, &room, said).await["rev"], 0);
}

/// Runs the same story over both stores.
async fn what_is_deleted_is_gone(store: Arc<dyn Store>) {
    let node = TestNode::over(store).await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let body = json!({
        "kind": "x.note", "text": "secret one", "mentions": ["all"], "meta": { "k": "secret two" },
    });
    let said = say_body(&mut b, &room, &body).await;
    b.ok("message.edit", edit(&room, said, "secret three")).await;
    a.ok("reaction.set", react(&room, said, "👍", 1)).await;
    a.ok("pin.set", pin(&room, said, 1)).await;
    let mut answer = draft(&room, &text("an answer"));
    answer["reply_to"] = json!(said);
    let answer = a.ok("message.send", answer).await["seq"].as_u64().unwrap();
    assert_eq!(shown(&mut a, &room, answer).await["quoted"]["text"], "secret three");
    let removal = delete(&room, said);
    let deleted = a.ok("message.delete", removal.clone()).await;
    assert_eq!(deleted["seq"], answer + 1);

    for round in ["at once", "from the store"] {
        let message = shown(&mut b, &room, said).await;
        assert_eq!(
            (&message["deleted"], &message["body"], &message["seq"], &message["rev"], &message["reactions"]),
            (&json!(true), &json!({}), &json!(said), &deleted["seq"], &json!([])),
            "{round}"
        );
        assert!(message.get("edited_at").is_none() && message.get("pinned").is_none(), "{message}");
        let quoted = &shown(&mut b, &room, answer).await["quoted"];
        assert_eq!((&quoted["deleted"], quoted.get("text")), (&json!(true), None), "{round}");
        let events = replay(&mut b, &room).await;
        assert!(!json!(events).to_string().contains("secret"), "{round}: {events:?}");
        assert_eq!((&events[3]["type"], &events[3]["body"]), (&json!("message"), &json!({})));
        assert_eq!((&events[4]["type"], &events[4]["body"]), (&json!("edit"), &json!({})));
        assert_eq!(&events[8]["type"], "delete");

        let mut binary = Binary::log_in(node.http(), bob.token()).await;
        binary.open(&room, 0).await;
        for seq in 1..=answer + 1 {
            let ServerFrame::Event { ev, body } = binary.heard().await else { panic!("a reply") };
            if ev != "room.event" {
                continue;
            }
            let _ = seq;
            assert!(!format!("{body:?}").contains("secret"), "{round}");
        }
        let asks = [
            ("message.edit", edit(&room, said, "x")),
            ("message.delete", delete(&room, said)),
            ("reaction.set", react(&room, said, "👍", -1)),
            ("pin.set", pin(&room, said, -1)),
        ];
        for (op, d) in asks {
            for wire in [&mut a, &mut b] {
                assert_eq!(wire.refused(op, d.clone()).await, "not_found", "{op} {round}");
            }
        }
        let mut done = deleted.clone();
        done["duplicate"] = json!(true);
        assert_eq!(a.ok("message.delete", removal.clone()).await, done);
        passivate(&node).await;
    }
    a.ok("message.delete", delete(&room, answer)).await;
    assert!(shown(&mut a, &room, answer).await.get("quoted").is_none(), "what is deleted quotes nothing");
    let list = b.ok("room.list", json!({})).await;
    assert_eq!(
        (&list["rooms"][0]["preview"]["text"], &list["rooms"][0]["me"]["mentions"]),
        (&json!(""), &json!(0))
    );
}

#[tokio::test]
async fn what_is_deleted_is_gone_wherever_it_was_in_memory() {
    what_is_deleted_is_gone(Arc::new(MemoryStore::new())).await;
}

#[tokio::test]
async fn what_is_deleted_is_gone_wherever_it_was_on_disk() {
    let folder = std::env::temp_dir().join(format!("rookery-messages-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = SqliteStore::open(&SqliteOptions::in_dir(&folder)).unwrap();
    what_is_deleted_is_gone(Arc::new(store)).await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn admins_delete_what_others_said_except_where_there_are_only_two() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let (mine, theirs) = (say(&mut a, &room, "x").await, say(&mut b, &room, "y").await);
    assert_eq!(b.refused("message.delete", delete(&room, mine)).await, "forbidden");
    a.ok("message.delete", delete(&room, theirs)).await;
    let direct = a.ok("room.direct", json!({ "user": bob.id() })).await["id"].take();
    let said = say(&mut a, &direct, "x").await;
    assert_eq!(b.refused("message.delete", delete(&direct, said)).await, "forbidden");
    // Both pin there; in a group only admins do.
    assert_eq!(b.ok("pin.set", pin(&direct, said, 1)).await["seq"], said + 1);
    assert_eq!(a.ok("pin.set", pin(&direct, said, 1)).await, json!({ "seq": null }));
    a.ok("pin.set", pin(&direct, said, -1)).await;
    assert!(shown(&mut b, &direct, said).await.get("pinned").is_none());
    assert_eq!(b.refused("pin.set", pin(&room, mine, 1)).await, "forbidden");
    a.ok("pin.set", pin(&room, mine, 1)).await;
    assert_eq!(shown(&mut b, &room, mine).await["pinned"], true);
}

#[tokio::test]
async fn reactions_are_counted_bounded_and_set_once() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let said = say(&mut a, &room, "x").await;
    a.ok("reaction.set", react(&room, said, "👍", 1)).await;
    let second = react(&room, said, "👍", 1);
    let set = b.ok("reaction.set", second.clone()).await;
    assert_eq!(b.ok("reaction.set", second).await, set, "the same command again");
    assert_eq!(b.ok("reaction.set", react(&room, said, "👍", 1)).await, json!({ "seq": null }));
    assert_eq!(b.ok("reaction.set", react(&room, said, "🍵", -1)).await, json!({ "seq": null }));
    a.ok("reaction.set", react(&room, said, "👍", -1)).await;
    let told = |message: Value| message["reactions"].clone();
    assert_eq!(told(shown(&mut a, &room, said).await), json!([{ "emoji": "👍", "count": 1, "mine": false }]));
    assert_eq!(told(shown(&mut b, &room, said).await), json!([{ "emoji": "👍", "count": 1, "mine": true }]));
    for number in 0..19 {
        b.ok("reaction.set", react(&room, said, &format!(":{number}:"), 1)).await;
    }
    assert_eq!(b.refused("reaction.set", react(&room, said, "🍵", 1)).await, "too_large");
    a.ok("reaction.set", react(&room, said, "👍", 1)).await;
    b.ok("reaction.set", react(&room, said, ":7:", -1)).await;
    b.ok("reaction.set", react(&room, said, "🍵", 1)).await;
    let long = "x".repeat(65);
    for bad in ["", " ", "a b", "\u{7}", long.as_str()] {
        assert_eq!(b.refused("reaction.set", react(&room, said, bad, 1)).await, "invalid", "{bad:?}");
    }
    a.ok("member.role", json!({ "room": room, "user": bob.id(), "role": "reader" })).await;
    assert_eq!(b.refused("reaction.set", react(&room, said, "👍", -1)).await, "forbidden");
}

#[tokio::test]
async fn an_answer_shows_what_it_answers_as_that_is_now_and_as_its_reader_may_see_it() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[]).await;
    let said = say(&mut a, &room, &"é".repeat(200)).await;
    a.ok("member.add", json!({ "room": room, "users": [bob.id()] })).await;
    let mut answer = draft(&room, &text("yes"));
    answer["reply_to"] = json!(said);
    let seq = a.ok("message.send", answer.clone()).await["seq"].as_u64().unwrap();
    let quoted = json!({ "by": alice.id(), "text": "é".repeat(140), "kind": "text" });
    assert_eq!(shown(&mut a, &room, seq).await["quoted"], quoted);
    assert!(shown(&mut b, &room, seq).await.get("quoted").is_none(), "it was said before it came");
    answer["client_id"] = name();
    assert_eq!(b.refused("message.send", answer.clone()).await, "invalid");
    answer["reply_to"] = json!(seq + 1);
    assert_eq!(a.refused("message.send", answer).await, "invalid", "nothing is there yet");
    a.ok("message.edit", edit(&room, said, "short")).await;
    assert_eq!(shown(&mut a, &room, seq).await["quoted"]["text"], "short");
}

#[tokio::test]
async fn mentions_count_for_those_they_name_and_follow_edits_and_deletes() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let mentioning = |whom: Value| json!({ "kind": "text", "text": "x", "mentions": whom });
    let view = json!({ "room": room });
    let one = say_body(&mut a, &room, &mentioning(json!([bob.id(), bob.id(), alice.id()]))).await;
    let two = say_body(&mut a, &room, &mentioning(json!(["all", bob.id()]))).await;
    say_body(&mut a, &room, &mentioning(json!([uuid::Uuid::from_u128(9)]))).await;
    let me = |room: Value| (room["me"]["unread"].clone(), room["me"]["mentions"].clone());
    assert_eq!(me(b.ok("room.get", view.clone()).await), (json!(3), json!(2)));
    assert_eq!(me(a.ok("room.get", view.clone()).await), (json!(0), json!(0)));
    a.ok("message.edit", edit(&room, one, "no mention")).await;
    assert_eq!(me(b.ok("room.get", view.clone()).await), (json!(3), json!(1)));
    let mut back = edit(&room, one, "y");
    back["body"] = mentioning(json!(["all"]));
    a.ok("message.edit", back).await;
    assert_eq!(me(b.ok("room.get", view.clone()).await), (json!(3), json!(2)));
    a.ok("message.delete", delete(&room, two)).await;
    assert_eq!(me(b.ok("room.get", view.clone()).await), (json!(3), json!(1)));
    b.ok("read.mark", json!({ "room": room, "seq": two })).await;
    assert_eq!(me(b.ok("room.get", view).await), (json!(1), json!(0)));
}

#[tokio::test]
async fn far_back_in_history_all_is_as_at_the_head() {
    let node = TestNode::start().await;
    let (_, mut a, bob, mut b) = two(&node).await;
    let room = group(&mut a, "Tea", &[&bob]).await;
    let (old, gone) = (say(&mut a, &room, "old").await, say(&mut a, &room, "secret").await);
    say_many(&mut a, &room, 400).await;
    for _ in 0..2 {
        a.ok("message.edit", edit(&room, old, "older")).await;
        b.ok("reaction.set", react(&room, old, "👍", 1)).await;
        passivate(&node).await;
        b.ok("reaction.set", react(&room, old, "👍", -1)).await;
        let set = a.ok("pin.set", pin(&room, old, 1)).await;
        let message = shown(&mut b, &room, old).await;
        assert_eq!((&message["rev"], &message["body"]["text"]), (&set["seq"], &json!("older")));
        a.ok("pin.set", pin(&room, old, -1)).await;
    }
    a.ok("message.delete", delete(&room, gone)).await;
    let events = replay(&mut b, &room).await;
    assert!(!json!(events).to_string().contains("secret"));
    assert_eq!(heard(&mut b).await, Vec::<Value>::new());
}
