//! The contract, run against Cassandra, with buckets of the usual size and with ones that every story crosses.

use crate::keyspace::Keyspace;
use futures_util::future::join_all;
use rookery_engine::contract::{
    Case, agrees_with_memory, agrees_with_memory_over_restarts, cases, run_transfer,
};
use rookery_engine::store::Store;
use std::sync::Arc;

/// Keyspaces that cases are run in at once: emptying tables waits for the disk more than it works.
const LANES: usize = 3;

/// Runs every case, `LANES` at once, each lane in a keyspace of its own that is emptied before each case.
async fn every_case(name: &str, bucket_size: u64) {
    let cases: Vec<Case> = cases().collect();
    let lanes = (0..LANES).map(|lane| {
        let cases = cases.iter().skip(lane).step_by(LANES);
        async move {
            let keyspace = Keyspace::new(&format!("{name}{lane}"), bucket_size).await;
            for case in cases {
                eprintln!("contract in {name}{lane}: {}", case.name);
                let store = keyspace.open_empty().await;
                case.run(&store).await;
                store.close().await.expect("a store closes");
            }
            keyspace.end().await;
        }
    });
    join_all(lanes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cassandra_passes() {
    every_case("usual", 10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cassandra_passes_with_small_buckets() {
    every_case("small", 7).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_comes_out_of_cassandra_and_goes_into_it() {
    for bucket_size in [10_000, 7] {
        let keyspace = Keyspace::new("transfer", bucket_size).await;
        run_transfer(|| async { Arc::new(keyspace.open_empty().await) }).await;
        keyspace.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_stories_end_like_in_memory() {
    let keyspace = Keyspace::new("stories", 7).await;
    for seed in 199..202 {
        let store = keyspace.open_empty().await;
        agrees_with_memory(&store, seed, 400).await;
        store.close().await.expect("close");
    }
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_remembered_is_what_is_stored() {
    let keyspace = Keyspace::new("restarts", 7).await;
    let open = || async { Arc::new(keyspace.open().await) as Arc<dyn Store> };
    agrees_with_memory_over_restarts(300, 6, 60, open).await;
    keyspace.end().await;
}
