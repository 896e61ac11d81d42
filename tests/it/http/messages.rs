//! What becomes of a message over HTTP: edits, deletes, reactions, pins, receipts, typing, settings.

use super::ops::keyed;
use super::rooms::{ask, say, tea};
use super::{RawAnswer, call};
use rookery_tests::node::{TestNode, TestUser};
use serde_json::{Value, json};

const KEYS: [&str; 4] = [
    "00000000-0000-7000-8000-0000000000a1",
    "00000000-0000-7000-8000-0000000000a2",
    "00000000-0000-7000-8000-0000000000a3",
    "00000000-0000-7000-8000-0000000000a4",
];

/// A room of Alice, who owns it, and Bob, with one message of Bob's.
struct Spoken {
    node: TestNode,
    alice: TestUser,
    bob: TestUser,
    room: String,
    seq: u64,
}

async fn spoken() -> Spoken {
    let node = TestNode::start().await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let room = format!("/v1/rooms/{}", tea(&node, &alice, &[&bob]).await);
    let id = room.rsplit('/').next().unwrap().to_owned();
    let seq = say(&node, &bob, &id, KEYS[0], "hello").await.json()["seq"].as_u64().unwrap();
    Spoken { node, alice, bob, room, seq }
}

impl Spoken {
    async fn ask(&self, who: &TestUser, method: &str, rest: &str, body: Value) -> RawAnswer {
        ask(&self.node, who, method, &format!("{}{rest}", self.room), body).await
    }

    /// Asks with a key and expects it done.
    async fn done(&self, who: &TestUser, (method, rest): (&str, &str), key: &str, body: Value) -> Value {
        let path = format!("{}{rest}", self.room);
        let answer = keyed(&self.node, who, (method, &path), key, &body).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
        answer.json()
    }

    /// Returns the message as pages give it, and the page's tag.
    async fn message(&self, who: &TestUser) -> (Value, String) {
        let page = self.ask(who, "GET", "/messages", Value::Null).await;
        let messages = page.json()["messages"].clone();
        let message = messages.as_array().unwrap().iter().find(|message| message["seq"] == self.seq);
        (message.unwrap().clone(), page.header("etag").unwrap().to_owned())
    }

    async fn poll(&self, who: &TestUser, tag: &str) -> u16 {
        let token = format!("Bearer {}", who.token());
        let headers = [("authorization", token.as_str()), ("if-none-match", tag)];
        let path = format!("{}/messages", self.room);
        call(self.node.http(), "GET", &path, &headers, &Value::Null).await.status
    }

    fn at(&self, rest: &str) -> String {
        format!("/messages/{}{rest}", self.seq)
    }
}

#[tokio::test]
async fn a_message_is_edited_once_for_a_key_and_only_on_its_last_state() {
    let it = spoken().await;
    let (_, tag) = it.message(&it.alice).await;
    let edit = json!({"body": {"kind": "text", "text": "hello there"}});
    let first = it.done(&it.bob, ("PATCH", &it.at("")), KEYS[1], edit.clone()).await;
    let again = it.done(&it.bob, ("PATCH", &it.at("")), KEYS[1], edit.clone()).await;
    assert_eq!((&first["seq"], &first["at"]), (&again["seq"], &again["at"]));
    assert_eq!(it.poll(&it.alice, &tag).await, 200, "an edit changes the page");
    let (message, _) = it.message(&it.alice).await;
    assert_eq!((&message["body"]["text"], &message["rev"]), (&json!("hello there"), &first["seq"]));
    let stale = json!({"body": {"kind": "text", "text": "late"}, "rev": 0});
    assert_eq!(it.ask(&it.bob, "PATCH", &it.at(""), stale).await.problem(), (409, "conflict".to_owned()));
    assert_eq!(it.ask(&it.alice, "PATCH", &it.at(""), edit).await.problem().0, 403, "not hers");
}

#[tokio::test]
async fn a_deleted_message_keeps_its_place_and_nothing_else() {
    let it = spoken().await;
    let (_, tag) = it.message(&it.alice).await;
    let first = it.done(&it.bob, ("DELETE", &it.at("")), KEYS[1], Value::Null).await;
    let again = it.done(&it.bob, ("DELETE", &it.at("")), KEYS[1], Value::Null).await;
    assert_eq!(first["seq"], again["seq"]);
    assert_eq!(it.poll(&it.alice, &tag).await, 200);
    let (message, _) = it.message(&it.alice).await;
    assert_eq!((&message["deleted"], &message["body"]), (&json!(true), &json!({})));
}

#[tokio::test]
async fn a_reaction_is_set_and_taken_off_by_its_emoji_in_the_path() {
    let it = spoken().await;
    let thumb = it.at("/reactions/%F0%9F%91%8D");
    let (_, tag) = it.message(&it.bob).await;
    let set = it.done(&it.alice, ("PUT", &thumb), KEYS[1], Value::Null).await;
    assert!(set["seq"].is_u64(), "{set}");
    assert_eq!(it.done(&it.alice, ("PUT", &thumb), "", Value::Null).await["seq"], Value::Null, "it is set");
    assert_eq!(it.poll(&it.bob, &tag).await, 200);
    let reactions = async |who| it.message(who).await.0["reactions"].clone();
    assert_eq!(reactions(&it.alice).await, json!([{"emoji": "👍", "count": 1, "mine": true}]));
    assert_eq!(reactions(&it.bob).await, json!([{"emoji": "👍", "count": 1, "mine": false}]));
    assert!(it.done(&it.alice, ("DELETE", &thumb), "", Value::Null).await["seq"].is_u64());
    assert_eq!(reactions(&it.bob).await, json!([]));
}

#[tokio::test]
async fn a_message_is_pinned_by_who_may() {
    let it = spoken().await;
    let pin = it.at("/pin");
    let (_, tag) = it.message(&it.bob).await;
    assert_eq!(it.ask(&it.bob, "PUT", &pin, Value::Null).await.problem(), (403, "forbidden".to_owned()));
    it.done(&it.alice, ("PUT", &pin), KEYS[1], Value::Null).await;
    assert_eq!(it.message(&it.bob).await.0["pinned"], true);
    assert_eq!(it.poll(&it.bob, &tag).await, 200);
    it.done(&it.alice, ("DELETE", &pin), KEYS[2], Value::Null).await;
    assert_eq!(it.message(&it.bob).await.0["pinned"], Value::Null);
}

#[tokio::test]
async fn reading_is_marked_and_asked_about() {
    let it = spoken().await;
    let room = it.ask(&it.alice, "GET", "", Value::Null).await.json();
    assert_eq!(room["me"]["unread"], 1);
    let marked = it.done(&it.alice, ("PUT", "/read"), "", json!({"seq": it.seq})).await;
    assert_eq!((&marked["read"], &marked["unread"]), (&json!(it.seq), &json!(0)));
    let readers = it.done(&it.bob, ("GET", &it.at("/readers")), "", Value::Null).await;
    assert!(readers.to_string().contains(&it.alice.id().to_string()), "{readers}");
    assert_eq!(it.done(&it.alice, ("PUT", "/delivered"), "", json!({"seq": it.seq})).await, json!({}));
    for path in ["/read", "/delivered"] {
        let answer = it.ask(&it.alice, "PUT", path, json!({"seq": -1})).await;
        assert_eq!(answer.problem(), (422, "invalid".to_owned()), "{path}");
        assert_eq!(answer.json()["errors"][0]["field"], "seq", "{path}");
    }
}

#[tokio::test]
async fn typing_and_one_s_own_settings_are_set() {
    let it = spoken().await;
    assert_eq!(
        it.done(&it.alice, ("PUT", "/typing"), "", json!({"on": true, "kind": "text"})).await,
        json!({})
    );
    assert_eq!(it.done(&it.alice, ("PUT", "/typing"), "", json!({"on": false})).await, json!({}));
    assert_eq!(it.ask(&it.alice, "PUT", "/typing", json!({"on": "yes"})).await.problem().0, 422);
    let me =
        it.done(&it.alice, ("PATCH", "/settings"), "", json!({"notify": "mentions", "pinned": true})).await;
    assert_eq!((&me["notify"], &me["pinned"]), (&json!("mentions"), &json!(true)));
    let other = it.ask(&it.bob, "GET", "", Value::Null).await.json();
    assert_eq!(other["me"]["notify"], "all", "only one's own view");
}

#[tokio::test]
async fn a_stranger_finds_no_room_whatever_it_asks() {
    let it = spoken().await;
    let mallory = it.node.user("mallory").await;
    let seq = json!({"seq": it.seq});
    for (method, rest, body) in [
        ("PATCH", it.at(""), json!({"body": {"kind": "text", "text": "x"}})),
        ("DELETE", it.at(""), Value::Null),
        ("PUT", it.at("/reactions/%2B"), Value::Null),
        ("DELETE", it.at("/reactions/%2B"), Value::Null),
        ("PUT", it.at("/pin"), Value::Null),
        ("DELETE", it.at("/pin"), Value::Null),
        ("GET", it.at("/readers"), Value::Null),
        ("PUT", "/read".to_owned(), seq.clone()),
        ("PUT", "/delivered".to_owned(), seq),
        ("PUT", "/typing".to_owned(), json!({"on": true})),
        ("PATCH", "/settings".to_owned(), json!({"pinned": true})),
    ] {
        let answer = it.ask(&mallory, method, &rest, body).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{method} {rest}");
    }
}
