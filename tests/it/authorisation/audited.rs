//! Whatever changes something on the operators' listener stands in the audit log: who did what to whom, and what came
//! of it. The routes are those of the table, so that a new one is played here too.

use super::rows::{Row, operators};
use super::scene::{Cast, Who};
use crate::http::call;
use crate::office::operate;
use rookery_api::route_infos;
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::TestNode;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Returns the rows of the routes that change something, in the order in which they can be played.
fn writes() -> Vec<Row> {
    let is_write = |row: &Row| {
        route_infos().any(|route| {
            !route.is_public
                && !matches!(route.method, "GET" | "HEAD")
                && row.name == format!("{} {}", route.method, route.path)
        })
    };
    operators().into_iter().filter(is_write).collect()
}

/// Returns the newest lines of the audit log.
async fn lines(node: &TestNode) -> Vec<Value> {
    let mut page = operate(node, "GET", "/admin/audit?limit=50", Value::Null).await;
    serde_json::from_value(page["entries"].take()).unwrap()
}

#[tokio::test]
async fn every_write_of_the_operators_listener_is_written_down_with_what_came_of_it() {
    let node = TestNode::start().await;
    let mut cast = Cast::new(&node).await;
    let (mut wrong, mut words) = (Vec::new(), BTreeSet::new());
    let writes = writes();
    assert!(writes.len() >= 15, "there are more than {}", writes.len());
    for row in &writes {
        let scene = cast.scene(row, Who::ServerAdmin).await;
        let before: Vec<_> = lines(&node).await.iter().map(|line| line["id"].clone()).collect();
        let (who, told) = if row.told(Who::ServerAdmin) == "ok" {
            (scene.asks(), scene.ask_route(row, node.admin()).await)
        } else {
            ("operator".to_owned(), scene.ask_route_by(row, node.admin(), Some(node.operator())).await)
        };
        assert_eq!(told, "ok", "{}", row.name);
        let lines = lines(&node).await;
        let new: Vec<_> = lines.iter().filter(|line| !before.contains(&line["id"])).collect();
        let [line] = new.as_slice() else {
            wrong.push(format!("{}: {} lines in the audit log", row.name, new.len()));
            continue;
        };
        let is_text = |name: &str| line[name].as_str().is_some_and(|text| !text.is_empty());
        if line["who"] != who || line["outcome"] != "done" || !is_text("whom") || !is_text("did") {
            wrong.push(format!("{}: {line}", row.name));
        }
        if !words.insert(line["did"].to_string()) {
            wrong.push(format!("{}: another route is {} too", row.name, line["did"]));
        }
    }
    assert_eq!(wrong, [""; 0], "have the handler `note` what it is about to do: api/src/http/admin.rs");
}

#[tokio::test]
async fn a_refusal_is_written_down_as_one_and_who_has_no_token_by_its_address() {
    let node = TestNode::start().await;
    let mut cast = Cast::new(&node).await;
    let rows = writes();
    let row = |name: &str| rows.iter().find(|row| row.name == name).unwrap();
    let log = row("PUT /admin/log");
    let scene = cast.scene(log, Who::Stranger).await;
    assert_eq!(scene.ask_route_by(log, node.admin(), None).await, "ok");
    assert_eq!(scene.ask_route(log, node.admin()).await, "ok");
    for line in &lines(&node).await[..2] {
        assert_eq!(
            (&line["who"], &line["did"]),
            (&"address 127.0.0.1".into(), &"log.choose".into()),
            "{line}"
        );
        assert_eq!(line["whom"], "test info");
    }
    let path = format!("/admin/rooms/{}/messages/9", uuid::Uuid::from_u128(9));
    let header = format!("Bearer {}", node.operator());
    let headers = [("authorization", header.as_str())];
    let body = json!({ "reason": "spam" });
    let answer = call(node.admin(), "DELETE", &path, &headers, &body).await;
    assert_eq!(answer.status, 404);
    assert_eq!(lines(&node).await[0]["outcome"], "not_found");
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_done_but_what_mends_a_server_is() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(Arc::clone(&store) as Arc<dyn Store>).await;
    let bob = node.user("bob").await;
    let header = format!("Bearer {}", node.operator());
    let headers = [("authorization", header.as_str())];
    let ban = format!("/admin/users/{}/ban", bob.id());
    let choose = json!({ "filter": "warn" });
    store.refuse_all("the disk is full");
    let refused = call(node.admin(), "PUT", &ban, &headers, &json!({ "reason": "spam" })).await;
    assert_eq!(refused.problem(), (503, "store_unavailable".to_owned()));
    assert_eq!(call(node.admin(), "PUT", "/admin/log", &headers, &choose).await.status, 200);
    store.heal();
    assert_eq!(lines(&node).await, [Value::Null; 0]);
    let bans = operate(&node, "GET", "/admin/bans", Value::Null).await;
    assert_eq!(bans["bans"], json!([]), "it was not done");
    // A disk that does not answer is not waited for either.
    store.hold();
    assert_eq!(call(node.admin(), "PUT", "/admin/log", &headers, &choose).await.status, 200);
    store.release();
}
