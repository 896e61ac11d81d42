//! Two nodes that think both that a room is theirs.

use crate::events::{Sent, head, name, send, user, whole_log};
use crate::keyspace::Keyspace;
use futures_util::future::join_all;
use rookery_engine::store::Store;
use rookery_protocol::Seq;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_append_to_one_room_without_a_gap_and_each_event_once() {
    const BATCHES: u128 = 25;
    let keyspace = Keyspace::new("nodes", 7).await;
    let stores = [keyspace.open().await, keyspace.open().await];
    let write = async |number: u128, store| {
        for batch in 0..BATCHES {
            let names: Vec<_> = (0..=batch % 4).map(|event| name(batch * 10 + event)).collect();
            assert_eq!(send(store, user(number), &names).await, Sent::Applied);
        }
    };
    tokio::join!(write(0, &stores[0]), write(1, &stores[1]));

    let log = whole_log(&stores[0]).await;
    for writer in [0, 1].map(user) {
        let of_writer: Vec<_> = log.iter().filter(|event| event.by == writer).collect();
        let expected: u128 = (0..BATCHES).map(|batch| batch % 4 + 1).sum();
        assert_eq!(of_writer.len() as u128, expected);
        let is_in_order = of_writer.is_sorted_by_key(|event| event.client_id);
        assert!(is_in_order, "what one node has appended is in its order");
    }
    for store in &stores {
        assert_eq!(head(store).await, Seq(log.len() as u64));
        store.close().await.expect("close");
    }
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_that_append_the_same_name_one_gets_it_in() {
    let keyspace = Keyspace::new("names", 7).await;
    let stores = [keyspace.open().await, keyspace.open().await];
    for number in 0..25 {
        // What one of them has to say besides moves the head between the other's look and its append.
        let sends = stores.iter().zip(0..).map(|(store, node)| async move {
            if number % 2 == node {
                send(store, user(1 + node), &[name(number)]).await;
            }
            send(store, user(0), &[name(number)]).await
        });
        // Who finds the other's where its own was to be cannot tell them apart, and need not.
        assert!(join_all(sends).await.contains(&Sent::Applied));
    }
    let log = whole_log(&stores[1]).await;
    assert_eq!(log.iter().filter(|event| event.by == user(0)).count(), 25);
    keyspace.end().await;
}
