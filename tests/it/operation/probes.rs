//! Each reason for which a server is not ready, on a node that has it, and none of them for a restart.

use crate::http::call;
use rookery_engine::admission::Pressure;
use rookery_engine::{FaultStore, MemoryStore};
use rookery_tests::node::{TestNode, TestNodeOptions};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

async fn probe(node: &TestNode, path: &str) -> (u16, String) {
    let answer = call(node.admin(), "GET", path, &[], &Value::Null).await;
    (answer.status, answer.text())
}

#[tokio::test]
async fn each_reason_is_named_and_none_of_them_is_one_to_restart() {
    let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
    let node = TestNode::over(store.clone()).await;
    let (status, text) = probe(&node, "/readyz?verbose").await;
    let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("[+]")?.split(' ').next()).collect();
    assert_eq!((status, names), (200, vec!["store", "bus", "search", "load", "node", "edge"]), "{text}");

    store.refuse_all("the disk is full");
    assert_eq!(
        probe(&node, "/readyz").await,
        (503, "[-]store failed: the disk is full\nnot ready\n".to_owned())
    );
    let node_of_a_failed_store = async {
        let store = Arc::new(FaultStore::by_hand(MemoryStore::new()));
        store.fatal("sync: I/O error");
        TestNode::over(store).await
    };
    let failed = node_of_a_failed_store.await;
    for path in ["/readyz", "/healthz", "/health"] {
        let (status, text) = probe(&failed, path).await;
        assert_eq!((status, text.as_str()), (503, "[-]store failed: sync: I/O error\nnot ready\n"), "{path}");
    }

    let loaded = TestNode::start().await;
    loaded.node().admission().look(Pressure { memory: 0.93, ..Pressure::default() });
    let (status, text) = probe(&loaded, "/readyz").await;
    assert!(status == 503 && text.starts_with("[-]load failed: nobody new is let in: memory 93 %"), "{text}");
    let json = call(loaded.admin(), "GET", "/readyz", &[("accept", "application/json")], &Value::Null).await;
    let checks = json.json()["checks"].as_array().unwrap().clone();
    let bad: Vec<_> =
        checks.iter().filter(|check| check["ok"] == false).map(|check| &check["name"]).collect();
    assert_eq!(bad, ["load"]);

    let draining = TestNode::start().await;
    draining.node().begin_drain();
    let (status, text) = probe(&draining, "/readyz").await;
    assert_eq!(
        (status, text.as_str()),
        (503, "[-]node failed: draining\n[-]edge failed: draining\nnot ready\n")
    );

    for node in [&node, &failed, &loaded, &draining] {
        assert_eq!(probe(node, "/livez").await, (200, "ok\n".to_owned()), "a restart mends none of it");
    }
}

#[tokio::test]
async fn a_runtime_whose_sweeper_does_not_look_around_is_not_alive() {
    let node = TestNode::with(TestNodeOptions { sweeps: true, ..TestNodeOptions::default() }).await;
    let (status, text) = probe(&node, "/livez?verbose").await;
    assert!(status == 200 && text.starts_with("[+]sweeper ok: looked "), "{text}");
    // The sweeper asks for the time, and the test has it panic there.
    node.break_sweeper().await;
    node.pass(Duration::from_secs(19));
    assert_eq!(probe(&node, "/livez").await.0, 200, "not yet");
    node.pass(Duration::from_secs(6));
    let (status, text) = probe(&node, "/livez").await;
    assert!(status == 503 && text.starts_with("[-]sweeper failed: has not looked for 2"), "{text}");
}
