//! What the nodes of a cluster say of each other to an operator.

use super::{Cluster, PATIENCE, id};
use crate::admin::get;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Returns how `node` says that it reaches each of the others, by their ids.
async fn links(cluster: &Cluster, node: usize) -> BTreeMap<String, String> {
    let standing = get(cluster.nodes[node].admin(), "/admin/nodes").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |node: &Value| (text(&node["id"]), text(&node["link"]));
    standing["nodes"].as_array().unwrap().iter().map(of).collect()
}

async fn room(cluster: &Cluster, node: usize, room: &Value) -> Value {
    get(cluster.nodes[node].admin(), &format!("/admin/rooms/{}", room.as_str().unwrap())).await
}

/// Waits until `ask` gives what is wanted.
async fn until<T: PartialEq + std::fmt::Debug>(wanted: T, mut ask: impl AsyncFnMut() -> T) {
    let in_time = tokio::time::timeout(PATIENCE, async {
        while ask().await != wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(in_time.await.is_ok(), "waited too long for {wanted:?}, at last {:?}", ask().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_tells_who_is_reached_and_where_a_room_is_at_home() {
    let cluster = Cluster::start(3).await;
    let (_, _wires, tea) = cluster.group_at(1, &["alice", "bob", "carol"]).await;
    let name = |node: usize| id(node).0.to_string();
    let all = |one: &str, two: &str, three: &str| {
        BTreeMap::from([(name(0), one.to_owned()), (name(1), two.to_owned()), (name(2), three.to_owned())])
    };
    until(all("itself", "good", "good"), async || links(&cluster, 0).await).await;
    until(all("good", "good", "itself"), async || links(&cluster, 2).await).await;
    for node in 0..3 {
        let standing = room(&cluster, node, &tea).await;
        assert_eq!(standing["home"], json!(name(1)), "{standing}");
        assert_eq!((&standing["is_stand_in"], &standing["listeners"]), (&json!(false), &json!(1)));
    }
    let followers = async || {
        let mut followers: Vec<String> =
            serde_json::from_value(room(&cluster, 1, &tea).await["followers"].clone()).unwrap();
        followers.sort();
        followers
    };
    until(vec![name(0), name(2)], followers).await;

    cluster.cut_off(1);
    until(all("itself", "silent", "good"), async || links(&cluster, 0).await).await;
    let stands_in = async || {
        let standing = room(&cluster, 0, &tea).await;
        (standing["home"].clone(), standing["is_stand_in"].clone())
    };
    until((json!(name(0)), json!(true)), stands_in).await;
    cluster.heal();
    until((json!(name(1)), json!(false)), stands_in).await;
}
