//! The contract, run against Cassandra, with buckets of the usual size and with ones that every story crosses.

use crate::keyspace::Keyspace;
use rookery_engine::contract::{agrees_with_memory, agrees_with_memory_over_restarts, run_all};
use rookery_engine::store::Store;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cassandra_passes() {
    let keyspace = Keyspace::new("contract", 10_000).await;
    run_all(|| async { Arc::new(keyspace.open_empty().await) as Arc<dyn Store> }).await;
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cassandra_passes_with_small_buckets() {
    let keyspace = Keyspace::new("small", 7).await;
    run_all(|| async { Arc::new(keyspace.open_empty().await) as Arc<dyn Store> }).await;
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_stories_end_like_in_memory() {
    let keyspace = Keyspace::new("stories", 7).await;
    for seed in 200..202 {
        let store = keyspace.open_empty().await;
        agrees_with_memory(&store, seed, 400).await;
        store.close().await.expect("close");
    }
    keyspace.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_remembered_is_what_is_stored() {
    let keyspace = Keyspace::new("restarts", 5).await;
    let open = || async { Arc::new(keyspace.open().await) as Arc<dyn Store> };
    agrees_with_memory_over_restarts(300, 6, 60, open).await;
    keyspace.end().await;
}
