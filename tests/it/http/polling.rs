//! Conditional polling: what has not changed costs no read of the store, and what has ended is refused
//! all the same.

use super::rooms::{ask, say, tea};
use super::{RawAnswer, call};
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::{TestNode, TestUser};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const KEY: &str = "00000000-0000-7000-8000-0000000000c1";

struct Polled {
    store: Arc<FaultStore<MemoryStore>>,
    node: TestNode,
    alice: TestUser,
    bob: TestUser,
    path: String,
    room: String,
}

/// A node with a room of Alice and Bob.
async fn polled() -> Polled {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(store.clone()).await;
    let (alice, bob) = (node.user("alice").await, node.user("bob").await);
    let room = tea(&node, &alice, &[&bob]).await;
    let path = format!("/v1/rooms/{room}/messages?limit=5");
    Polled { store, node, alice, bob, path, room }
}

impl Polled {
    /// Fetches the page and returns its tag.
    async fn tag(&self, who: &TestUser) -> String {
        let page = ask(&self.node, who, "GET", &self.path, Value::Null).await;
        assert_eq!(page.status, 200, "{}", page.text());
        page.header("etag").expect("a page has a tag").to_owned()
    }

    async fn poll(&self, who: &TestUser, method: &str, tag: &str) -> RawAnswer {
        let token = format!("Bearer {}", who.token());
        let headers = [("authorization", token.as_str()), ("if-none-match", tag)];
        call(self.node.http(), method, &self.path, &headers, &Value::Null).await
    }

    /// Returns how many reads of the store `work` costs.
    async fn reads(&self, work: impl Future<Output = ()>) -> u64 {
        let before = self.store.reads();
        work.await;
        self.store.reads() - before
    }
}

#[tokio::test]
async fn an_unchanged_page_of_an_active_room_costs_no_read_of_the_store() {
    let it = polled().await;
    let tag = it.tag(&it.bob).await;
    for method in ["GET", "HEAD"] {
        let reads = it
            .reads(async {
                let answer = it.poll(&it.bob, method, &tag).await;
                assert_eq!((answer.status, answer.body.len()), (304, 0), "{method}");
                assert_eq!(answer.header("etag"), Some(tag.as_str()));
                assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
                assert_eq!(answer.header("vary"), Some("authorization"));
            })
            .await;
        assert_eq!(reads, 0, "{method}");
    }
    let metrics = call(it.node.admin(), "GET", "/metrics", &[], &Value::Null).await.text();
    assert!(metrics.contains("rookery_polls_total{result=\"unchanged\"} 2"), "{metrics}");
    assert!(metrics.contains("rookery_token_lookups_total{result=\"hit\"} 2"), "{metrics}");
}

#[tokio::test]
async fn a_change_is_there_at_the_next_poll() {
    let it = polled().await;
    let tag = it.tag(&it.bob).await;
    assert_eq!(say(&it.node, &it.alice, &it.room, KEY, "news").await.status, 201);
    let changed = it.poll(&it.bob, "GET", &tag).await;
    assert_eq!(changed.status, 200);
    let last = changed.json()["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["body"]["text"], "news");
    let head = it.poll(&it.bob, "HEAD", &tag).await;
    assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, changed.header("etag")));
    assert_eq!(it.poll(&it.bob, "GET", changed.header("etag").unwrap()).await.status, 304);
}

#[tokio::test]
async fn a_room_that_is_not_active_is_read_and_not_activated_by_a_poll() {
    let it = polled().await;
    let tag = it.tag(&it.bob).await;
    it.node.advance(Duration::from_secs(61));
    while it.node.node().active_rooms() > 0 {
        tokio::task::yield_now().await;
    }
    let reads = it.reads(async { assert_eq!(it.poll(&it.bob, "GET", &tag).await.status, 304) }).await;
    assert!(reads > 0);
    assert_eq!(it.node.node().active_rooms(), 0);
}

#[tokio::test]
async fn a_room_that_is_polled_stays_active() {
    let it = polled().await;
    let tag = it.tag(&it.bob).await;
    for _ in 0..4 {
        it.node.advance(Duration::from_secs(40));
        assert_eq!(it.poll(&it.bob, "GET", &tag).await.status, 304);
    }
    assert_eq!(it.node.node().active_rooms(), 1);
}

#[tokio::test]
async fn one_user_s_tag_says_nothing_to_another() {
    let it = polled().await;
    let tag = it.tag(&it.alice).await;
    assert_ne!(it.tag(&it.bob).await, tag);
    assert_eq!(it.poll(&it.bob, "GET", &tag).await.status, 200);
}

#[tokio::test]
async fn who_is_no_member_any_more_polls_a_room_that_is_not_there() {
    let it = polled().await;
    let tag = it.tag(&it.bob).await;
    let bob = format!("/v1/rooms/{}/members/{}", it.room, it.bob.id());
    assert_eq!(ask(&it.node, &it.alice, "DELETE", &bob, Value::Null).await.status, 200);
    for tag in [tag.as_str(), "*"] {
        assert_eq!(it.poll(&it.bob, "GET", tag).await.problem(), (404, "not_found".to_owned()));
    }
    let mallory = it.node.user("mallory").await;
    assert_eq!(it.poll(&mallory, "GET", "*").await.problem().0, 404);
}

#[tokio::test]
async fn a_login_that_has_ended_is_refused_at_once_although_it_was_remembered() {
    let it = polled().await;
    let tag = it.tag(&it.bob).await;
    let other = it.node.login("bob").await;
    assert_eq!(it.poll(&other, "GET", &tag).await.status, 304);
    assert_eq!(it.poll(&it.bob, "GET", &tag).await.status, 304);
    assert_eq!(ask(&it.node, &it.bob, "POST", "/v1/auth/logout", Value::Null).await.status, 204);
    assert_eq!(it.poll(&it.bob, "GET", &tag).await.problem(), (401, "unauthenticated".to_owned()));
    assert_eq!(it.poll(&other, "GET", &tag).await.status, 304, "the other login goes on");
}

#[tokio::test]
async fn a_login_whose_refresh_token_was_stolen_is_refused_at_once() {
    let it = polled().await;
    let login = json!({"email": "bob@example.org", "password": "correct horse battery"});
    let tokens = call(it.node.http(), "POST", "/v1/auth/login", &[], &login).await.json();
    let token = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let me = async || call(it.node.http(), "GET", "/v1/me", &[("authorization", &token)], &Value::Null).await;
    assert_eq!(me().await.status, 200);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let refresh = async || call(it.node.http(), "POST", "/v1/auth/refresh", &[], &refresh).await.status;
    assert_eq!(refresh().await, 200);
    it.node.pass(Duration::from_secs(10));
    assert_eq!(me().await.status, 200);
    let reads = it.reads(async { assert_eq!(me().await.status, 200) }).await;
    assert_eq!(reads, 0);
    assert_eq!(refresh().await, 401);
    assert_eq!(me().await.problem(), (401, "unauthenticated".to_owned()));
}

#[tokio::test]
async fn a_token_is_looked_up_again_after_ten_seconds_and_ends_when_it_runs_out() {
    let it = polled().await;
    let tag = it.tag(&it.bob).await;
    let poll = async || it.poll(&it.bob, "GET", &tag).await.status;
    assert_eq!(it.reads(async { assert_eq!(poll().await, 304) }).await, 0);
    it.node.advance(Duration::from_secs(10));
    // Its login and its user.
    assert_eq!(it.reads(async { assert_eq!(poll().await, 304) }).await, 2);
    assert_eq!(it.reads(async { assert_eq!(poll().await, 304) }).await, 0);
    it.node.advance(Duration::from_secs(10 * 60 + 6));
    assert_eq!(it.poll(&it.bob, "GET", &tag).await.problem(), (401, "token_expired".to_owned()));
}

#[tokio::test]
async fn a_user_that_is_forgotten_is_read_again() {
    let it = polled().await;
    let tag = it.tag(&it.bob).await;
    it.node.node().forget_user(it.bob.id());
    let reads = it.reads(async { assert_eq!(it.poll(&it.bob, "GET", &tag).await.status, 304) }).await;
    assert_eq!(reads, 2);
}
