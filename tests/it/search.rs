//! Search over the wire: what is found, by whom, what is refused.

use super::http::call as http;
use super::rooms::{fresh, group, two};
use rookery_engine::search::Search;
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_store_sqlite::{SqliteOptions, SqliteStore};
use rookery_tests::node::{TestNode, TestNodeOptions};
use rookery_tests::wire::Wire;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

async fn say(wire: &mut Wire, room: &Value, text: &str) -> Value {
    let body = json!({ "kind": "text", "text": text });
    let send = json!({ "room": room, "client_id": uuid::Uuid::from_u128(fresh()), "body": body });
    wire.ok("message.send", send).await["seq"].take()
}

/// Returns the texts that a search finds.
async fn texts(wire: &mut Wire, search: Value) -> Vec<String> {
    told(&wire.ok("message.search", search).await)
}

fn told(found: &Value) -> Vec<String> {
    let messages = found["messages"].as_array().unwrap();
    messages.iter().map(|message| message["body"]["text"].as_str().unwrap().to_owned()).collect()
}

/// A folder of one test's own, gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    /// Starts a node over the embedded store and its index.
    async fn node(&self) -> TestNode {
        let sqlite = Arc::new(SqliteStore::open(&SqliteOptions::in_dir(&self.0)).unwrap());
        let search = Some(Arc::clone(&sqlite) as Arc<dyn Search>);
        let store = sqlite as Arc<dyn Store>;
        TestNode::with(TestNodeOptions { store, search, ..TestNodeOptions::default() }).await
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[tokio::test]
async fn a_message_is_found_once_it_is_acked_and_shown_as_a_page_shows_it() {
    let folder = Folder::new("search-acked");
    for node in [TestNode::start().await, folder.node().await] {
        let (_, mut a, bob, mut b) = two(&node).await;
        let room = group(&mut a, "Tea", &[&bob]).await;
        for number in 0..10 {
            let seq = say(&mut a, &room, &format!("the {number}th Kettle")).await;
            let found = b.ok("message.search", json!({ "query": format!("{number}th kettle") })).await;
            let page = json!({ "room": room, "before": seq.as_u64().unwrap() + 1, "limit": 1 });
            let history = b.ok("room.history", page).await;
            assert_eq!(found, json!({ "messages": history["messages"] }));
        }
        let newest_first: Vec<_> = (0..10).rev().map(|number| format!("the {number}th Kettle")).collect();
        assert_eq!(texts(&mut b, json!({ "query": "kettle" })).await, newest_first);
    }
}

#[tokio::test]
async fn a_stranger_finds_nothing_and_a_member_what_came_since_it_joined() {
    let folder = Folder::new("search-members");
    for node in [TestNode::start().await, folder.node().await] {
        let (_, mut a, bob, mut b) = two(&node).await;
        let room = group(&mut a, "Tea", &[]).await;
        say(&mut a, &room, "secret one").await;
        assert_eq!(texts(&mut b, json!({ "query": "secret" })).await, [""; 0]);
        let there = json!({ "query": "secret", "room": room });
        assert_eq!(b.refused("message.search", there.clone()).await, "not_found");
        let nowhere = json!({ "query": "secret", "room": uuid::Uuid::from_u128(77) });
        assert_eq!(b.refused("message.search", nowhere).await, "not_found");

        a.ok("member.add", json!({ "room": room, "users": [bob.id()] })).await;
        assert_eq!(texts(&mut b, there.clone()).await, [""; 0]);
        say(&mut a, &room, "secret two").await;
        assert_eq!(texts(&mut b, there.clone()).await, ["secret two"]);
        assert_eq!(texts(&mut b, json!({ "query": "secret" })).await, ["secret two"]);
        assert_eq!(texts(&mut a, json!({ "query": "secret" })).await, ["secret two", "secret one"]);

        a.ok("member.remove", json!({ "room": room, "user": bob.id() })).await;
        assert_eq!(texts(&mut b, json!({ "query": "secret" })).await, [""; 0]);
        assert_eq!(b.refused("message.search", there).await, "not_found", "a moment after it was removed");
    }
}

#[tokio::test]
async fn a_query_is_narrowed_by_room_author_time_and_kind() {
    let folder = Folder::new("search-narrow");
    for node in [TestNode::start().await, folder.node().await] {
        let (alice, mut a, bob, mut b) = two(&node).await;
        let (tea, cake) = (group(&mut a, "Tea", &[&bob]).await, group(&mut a, "Cake", &[&bob]).await);
        say(&mut a, &tea, "first word").await;
        node.advance(Duration::from_secs(60));
        say(&mut b, &cake, "second word").await;
        let at = a.ok("ping", json!({})).await["time"].clone();
        node.advance(Duration::from_secs(1));
        let map = json!({ "kind": "x.map.pin", "text": "third word" });
        let send = json!({ "room": tea, "client_id": uuid::Uuid::from_u128(fresh()), "body": map });
        b.ok("message.send", send).await;
        for (filter, found) in [
            (json!({}), &["third word", "second word", "first word"][..]),
            (json!({ "room": tea }), &["third word", "first word"]),
            (json!({ "from": bob.id() }), &["third word", "second word"]),
            (json!({ "from": alice.id() }), &["first word"]),
            (json!({ "before": at }), &["first word"]),
            (json!({ "kind": "text" }), &["second word", "first word"]),
            (json!({ "kind": "x.map.pin" }), &["third word"]),
            (json!({ "kind": "x.map", "room": tea }), &[]),
            (json!({ "room": tea, "from": bob.id(), "kind": "x.map.pin" }), &["third word"]),
            (json!({ "from": uuid::Uuid::from_u128(5) }), &[]),
        ] {
            let mut search = filter.clone();
            search["query"] = json!("word");
            assert_eq!(texts(&mut a, search).await, found, "{filter}");
        }
    }
}

#[tokio::test]
async fn pages_follow_one_another_to_the_end() {
    let folder = Folder::new("search-pages");
    for node in [TestNode::start().await, folder.node().await] {
        let (_, mut a, _, _) = two(&node).await;
        let room = group(&mut a, "Tea", &[]).await;
        for number in 0..45 {
            say(&mut a, &room, &format!("cup {number}")).await;
        }
        let expected: Vec<_> = (0..45).rev().map(|number| format!("cup {number}")).collect();
        assert_eq!(texts(&mut a, json!({ "query": "cup" })).await, expected[..20], "the usual page");
        let mut search = json!({ "query": "cup", "limit": 7 });
        let mut found = Vec::new();
        loop {
            let page = a.ok("message.search", search.clone()).await;
            found.extend(told(&page));
            let Some(next) = page.get("next") else { break };
            search["cursor"] = next.clone();
            say(&mut a, &room, "one more cup").await;
        }
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn a_page_of_long_messages_is_cut_and_goes_on_where_it_was() {
    let folder = Folder::new("search-long");
    for node in [TestNode::start().await, folder.node().await] {
        let (_, mut a, _, _) = two(&node).await;
        let room = group(&mut a, "Tea", &[]).await;
        for number in 0..40 {
            say(&mut a, &room, &format!("{number} {}", "long ".repeat(3200))).await;
        }
        let mut search = json!({ "query": "long", "limit": 100 });
        let mut found = Vec::new();
        for _ in 0..3 {
            let page = a.ok("message.search", search.clone()).await;
            assert!(page.to_string().len() < 300_000, "{} bytes", page.to_string().len());
            found.extend(told(&page));
            search["cursor"] = page["next"].clone();
        }
        let numbers: Vec<_> = found.iter().map(|text| text.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(numbers, (0..40).rev().map(|number| number.to_string()).collect::<Vec<_>>());
        assert_eq!(search["cursor"], Value::Null, "that was the last page");
    }
}

#[tokio::test]
async fn what_is_no_search_is_refused_with_its_field() {
    let node = TestNode::start().await;
    let (_, mut a, _, _) = two(&node).await;
    for (search, field) in [
        (json!({ "query": "" }), "query"),
        (json!({ "query": "\"\" * -- \u{0}" }), "query"),
        (json!({ "query": "a".repeat(257) }), "query"),
        (json!({ "query": "w ".repeat(17) }), "query"),
        (json!({ "query": "tea", "kind": "sound" }), "kind"),
        (json!({ "query": "tea", "limit": 0 }), "limit"),
        (json!({ "query": "tea", "limit": 101 }), "limit"),
        (json!({ "query": "tea", "cursor": "tea" }), "cursor"),
        (json!({ "query": "tea", "cursor": "1".repeat(200) }), "cursor"),
    ] {
        let error = a.call("message.search", search.clone()).await.unwrap_err();
        let told = (&error["code"], &error["details"]["field"]);
        assert_eq!(told, (&json!("invalid"), &json!(field)), "{search}");
    }
    for hostile in ["a NEAR(b", "text:x", "\"", "a\u{0}b", "🎉", "'; DROP TABLE messages; --", "* tea ^"] {
        let answer = a.call("message.search", json!({ "query": hostile })).await;
        let is_fine = answer.as_ref().is_ok_and(|found| found["messages"] == json!([]));
        assert!(is_fine || hostile == "\"", "{hostile}: {answer:?}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_no_empty_result() {
    let faults = rookery_engine::Faults { refused: 1.0, ..rookery_engine::Faults::default() };
    let broken = Arc::new(FaultStore::by_seed(MemoryStore::new(), 1, faults)) as Arc<dyn Store>;
    let search = Arc::new(rookery_engine::search::ScanSearch::over(broken)) as Arc<dyn Search>;
    let options = TestNodeOptions { search: Some(search), ..TestNodeOptions::default() };
    let node = TestNode::with(options).await;
    let (_, mut a, _, _) = two(&node).await;
    let error = a.call("message.search", json!({ "query": "tea" })).await.unwrap_err();
    assert_eq!((&error["code"], &error["retryable"]), (&json!("store_unavailable"), &json!(true)));
    assert!(error["retry_after_ms"].is_u64());
}

#[tokio::test]
async fn the_index_is_there_again_after_a_restart_and_when_its_file_is_lost() {
    let folder = Folder::new("search-restart");
    let node = folder.node().await;
    let (_, mut a, _, _) = two(&node).await;
    let room = group(&mut a, "Tea", &[]).await;
    say(&mut a, &room, "before the restart").await;
    node.stop().await;
    for is_lost in [false, true] {
        if is_lost {
            for file in ["search.db", "search.db-wal", "search.db-shm"] {
                drop(std::fs::remove_file(folder.0.join(file)));
            }
        }
        let node = folder.node().await;
        let alice = node.login("alice").await;
        let mut a = Wire::log_in(node.http(), alice.token()).await;
        assert_eq!(texts(&mut a, json!({ "query": "\"before the restart\"" })).await.len(), 1);
        node.stop().await;
    }
}

#[tokio::test]
async fn http_searches_as_the_socket_does() {
    let node = TestNode::start().await;
    let (alice, mut a, bob, _) = two(&node).await;
    let room = group(&mut a, "Tea", &[]).await;
    say(&mut a, &room, "the kettle is on").await;
    say(&mut a, &room, "the kettle is off").await;
    let get = async |token: &str, query: &str| {
        let token = format!("Bearer {token}");
        let headers = [("authorization", token.as_str())];
        http(node.http(), "GET", &format!("/v1/search?{query}"), &headers, &Value::Null).await
    };
    let room_id = room.as_str().unwrap();
    let narrow = format!("query=%22the%20kettle%22&room={room_id}&from={}&kind=text&limit=1", alice.id());
    let first = get(alice.token(), &narrow).await;
    assert_eq!((first.status, told(&first.json())), (200, vec!["the kettle is off".to_owned()]));
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let second = get(alice.token(), &format!("{narrow}&cursor={next}")).await.json();
    assert_eq!((told(&second), second.get("next")), (vec!["the kettle is on".to_owned()], None));
    assert_eq!(get(alice.token(), "query=kettle&before=1").await.json(), json!({ "messages": [] }));
    assert_eq!(get(bob.token(), "query=kettle").await.json(), json!({ "messages": [] }));
    let there = format!("query=kettle&room={room_id}");
    assert_eq!(get(bob.token(), &there).await.problem(), (404, "not_found".to_owned()));
    for (query, field) in [
        ("", "query"),
        ("query=%2a", "query"),
        ("query=a&limit=0", "limit"),
        ("query=a&room=x", "room"),
        ("query=a&before=x", "before"),
        ("query=a&kind=x", "kind"),
    ] {
        let answer = get(alice.token(), query).await;
        assert_eq!(answer.problem(), (422, "invalid".to_owned()), "{query}");
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
}
