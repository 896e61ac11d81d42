//! The contract, run against SQLite, against faults over it, and over a restart.

use crate::scratch::Scratch;
use rookery_engine::contract::{Settled, agrees_with_memory, run_all, run_search, run_transfer};
use rookery_engine::search::Search;
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, Faults};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One call in four goes wrong, in one of three ways.
const FAULTS: Faults =
    Faults { delayed: 0.1, longest_delay: Duration::from_millis(2), refused: 0.08, lost: 0.08, unheard: 0.1 };

#[tokio::test]
async fn sqlite_passes() {
    let scratch = Scratch::new("contract");
    run_all(|| async { Arc::new(scratch.open_new()) as Arc<dyn Store> }).await;
}

#[tokio::test]
async fn sqlite_passes_with_faults() {
    let scratch = Scratch::new("contract-faults");
    let seed = AtomicU64::new(0);
    run_all(|| async {
        let seed = seed.fetch_add(1, Ordering::Relaxed);
        Arc::new(Settled(FaultStore::by_seed(scratch.open_new(), seed, FAULTS))) as Arc<dyn Store>
    })
    .await;
}

#[tokio::test]
async fn its_search_passes() {
    let scratch = Scratch::new("contract-search");
    run_search(|| {
        let store = Arc::new(scratch.open_new());
        (store.clone() as Arc<dyn Store>, store as Arc<dyn Search>)
    })
    .await;
}

#[tokio::test]
async fn all_of_it_goes_into_another_store() {
    let scratch = Scratch::new("contract-transfer");
    run_transfer(|| async { Arc::new(scratch.open_new()) }).await;
}

#[tokio::test]
async fn random_stories_end_like_in_memory() {
    let scratch = Scratch::new("stories");
    for seed in 200..206 {
        let store = scratch.open_new();
        agrees_with_memory(&store, seed, 400).await;
        store.close().await.expect("close");
    }
}
