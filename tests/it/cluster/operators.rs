//! What operators see of the bus.

use super::{Cluster, id};
use crate::http::call;
use serde_json::Value;

async fn readiness(cluster: &Cluster, node: usize) -> (u16, String) {
    let answer = call(cluster.nodes[node].admin(), "GET", "/readyz?verbose", &[], &Value::Null).await;
    let text = answer.text();
    let line = text.lines().find(|line| line.contains("]bus")).map(str::to_owned);
    (answer.status, line.unwrap_or(text))
}

/// Returns whether the bus is there, and how many other nodes are, by the metrics.
async fn counted(cluster: &Cluster, node: usize) -> (bool, f64) {
    cluster.nodes[node].node().sweep(false);
    let counted = cluster.counted(node).await;
    (counted["rookery_bus_connected"] > 0.5, counted["rookery_bus_peers"])
}

#[tokio::test]
async fn a_bus_that_is_away_is_told_of_and_the_node_stays_ready() {
    let cluster = Cluster::start(3).await;
    assert_eq!(readiness(&cluster, 0).await, (200, "[+]bus ok: 2 other nodes".to_owned()));
    assert_eq!(counted(&cluster, 0).await, (true, 2.0));
    cluster.buses.away(id(0));
    let (status, line) = readiness(&cluster, 0).await;
    assert!(status == 200 && line.starts_with("[+]bus ok: away"), "{status} {line}");
    assert!(!counted(&cluster, 0).await.0);
    cluster.buses.expire(id(0));
    assert_eq!(readiness(&cluster, 1).await, (200, "[+]bus ok: 1 other node".to_owned()));
    cluster.buses.back(id(0));
    assert_eq!(counted(&cluster, 0).await, (true, 2.0));
}

#[tokio::test]
async fn what_is_said_between_nodes_is_counted_in_frames_and_bytes() {
    let cluster = Cluster::start(2).await;
    let (_, mut wires, room) = cluster.group(&["alice", "bob"]).await;
    let before = cluster.counted(0).await;
    for wire in &mut wires {
        crate::chat::say(wire, &room, &"x".repeat(1000)).await;
    }
    for wire in &mut wires {
        super::texts(wire, 2).await;
    }
    let after = cluster.counted(0).await;
    for name in ["rookery_bus_sent_bytes_total", "rookery_bus_received_bytes_total"] {
        assert!(after[name] - before[name] > 1000.0, "{name}: {} and then {}", before[name], after[name]);
    }
    cluster.buses.away(id(0));
    wires[0].ok("typing.set", serde_json::json!({ "room": room, "on": true })).await;
    // Its pulses at least, ten a second.
    let unsent = "rookery_bus_frames_unsent_total";
    let refused = async { while cluster.counted(0).await[unsent] <= after[unsent] {} };
    assert!(tokio::time::timeout(super::PATIENCE, refused).await.is_ok(), "no frame was refused");
}
