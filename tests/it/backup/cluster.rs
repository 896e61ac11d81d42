//! From one machine to a cluster and back.

use super::talk::{Talk, bytes, named};
use super::{done, failed, restore_from_pipe, run, run_with};
use crate::folder::Folder;
use crate::servers::{Cassandra, Redis};
use rookery_tests::server::Server;
use rookery_tests::wire::Wire;
use serde_json::json;
use std::net::SocketAddr;

/// What nobody should notice: all that is seen, a file, a search, and a client that goes on at its position.
async fn goes_on(server: SocketAddr, talk: &Talk, seen: &[serde_json::Value]) {
    assert_eq!(talk.seen(server).await, seen);
    assert_eq!(bytes(server, &talk.bob.token, &talk.file).await, talk.content);
    let mut b = Wire::log_in(server, &talk.bob.token).await;
    let found = b.ok("message.search", json!({ "query": "first" })).await;
    assert_eq!(found["messages"].as_array().map(Vec::len), Some(1), "{found}");
    let opened = b.ok("room.open", json!({ "room": talk.room, "after": 2 })).await;
    assert_eq!((&opened["status"], &opened["from"]), (&json!("replayed"), &json!(3)), "{opened}");
    let head = opened["head"]["seq"].as_u64().unwrap();
    for seq in 3..=head {
        assert_eq!(b.room_event().await["seq"], seq);
    }
    let say = named(json!({ "room": talk.room, "body": { "kind": "text", "text": "on" } }));
    assert_eq!(b.ok("message.send", say).await["seq"], head + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_moves_into_a_cluster_and_back_and_nobody_notices() {
    let (cassandra, redis) = (Cassandra::find(), Redis::find());
    let nodes = cassandra.address.to_string();
    let folder = Folder::new("cluster-backup");
    let [here, node, back] = ["here", "node", "back"].map(|name| folder.at(name));
    let [one, two] = ["one.backup", "two.backup"].map(|name| folder.at(name));
    let (one, two) = (one.to_str().unwrap(), two.to_str().unwrap());
    let [keyspace, prefix] = ["moved", "backup"].map(|name| format!("{name}{}", std::process::id()));
    let (url, files) = (format!("redis://{}", redis.address()), folder.at("shared"));
    let key = folder.at("signing.key");
    let key = ("ROOKERY_AUTH__SIGNING_KEY_FILE", key.to_str().unwrap());
    let cluster = [
        key,
        ("ROOKERY_STORAGE__CQL_NODES", nodes.as_str()),
        ("ROOKERY_STORAGE__CQL_KEYSPACE", &keyspace),
        ("ROOKERY_STORAGE__CQL_REPLICATION", "1"),
        ("ROOKERY_CLUSTER__REDIS_URL", &url),
        ("ROOKERY_CLUSTER__REDIS_PREFIX", &prefix),
        ("ROOKERY_FILES__DIR", files.to_str().unwrap()),
    ];
    let server = Server::start(&here, &[]);
    std::fs::copy(here.join("signing.key"), key.1).unwrap();
    let mut talk = Talk::tell(server.http).await;
    let seen = talk.seen(server.http).await;
    assert_eq!(server.terminate(), 0);
    done(&run(&here, &["backup", one]));
    failed(&run_with(&node, &cluster, &["backup", two]), "find a store in the keyspace");

    // A restore that was cut off, and then one that is killed, is gone on with.
    done(&run_with(&node, &cluster, &["restore", "--dry-run", one]));
    let whole = std::fs::read(one).unwrap();
    let (child, pipe) = restore_from_pipe(&node, &cluster, &[], &whole[..whole.len() - 2000]);
    drop(pipe);
    failed(&child.wait_with_output().unwrap(), "cut off");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    failed(&run_with(&node, &cluster, &serve), "has not come to its end");
    failed(&run_with(&node, &cluster, &["restore", one]), "--resume");
    failed(&run_with(&node, &cluster, &["backup", two]), "has not come to its end");
    let (mut child, _pipe) = restore_from_pipe(&node, &cluster, &["--resume"], &whole[..whole.len() - 1000]);
    child.kill().unwrap();
    child.wait().unwrap();
    done(&run_with(&node, &cluster, &["restore", "--resume", one]));
    done(&run_with(&node, &cluster, &["restore", "--verify", one]));
    failed(&run_with(&node, &cluster, &["restore", one]), "it is not empty");

    let server = Server::start(&node, &cluster);
    goes_on(server.http, &talk, &seen).await;
    talk.alice.refresh(server.http).await;

    // And back, while it serves.
    let seen = talk.seen(server.http).await;
    let told = done(&run_with(&node, &cluster, &["backup", two]));
    assert!(told.contains("3 accounts") && told.contains("1 files"), "{told}");
    drop(server);
    done(&run(&back, &["restore", two]));
    done(&run(&back, &["restore", "--verify", two]));
    let server = Server::start(&back, &[key]);
    goes_on(server.http, &talk, &seen).await;
}
