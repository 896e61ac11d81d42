//! The contract, run against the memory store and against faults over it.

use rookery_engine::blobs::MemoryBlobs;
use rookery_engine::bus::{Bus, MemoryBuses, NodeId, Peer};
use rookery_engine::contract::{
    Settled, agrees_with_memory, blobs_pass, bus_passes, run_all, run_search, run_transfer,
};
use rookery_engine::search::{ScanSearch, Search};
use rookery_engine::store::Store;
use rookery_engine::{FaultStore, Faults, MemoryStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// One call in four goes wrong, in one of three ways.
const FAULTS: Faults = Faults {
    delayed: 0.2,
    longest_delay: Duration::from_millis(50),
    refused: 0.08,
    lost: 0.08,
    unheard: 0.1,
};

#[tokio::test]
async fn the_memory_store_passes() {
    run_all(|| async { Arc::new(MemoryStore::new()) as Arc<dyn Store> }).await;
}

#[tokio::test(start_paused = true)]
async fn the_memory_store_passes_with_faults() {
    let seed = AtomicU64::new(0);
    run_all(|| async {
        let seed = seed.fetch_add(1, Ordering::Relaxed);
        Arc::new(Settled(FaultStore::by_seed(MemoryStore::new(), seed, FAULTS))) as Arc<dyn Store>
    })
    .await;
}

#[tokio::test]
async fn searching_by_reading_everything_passes() {
    run_search(|| {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let search = Arc::new(ScanSearch::over(Arc::clone(&store))) as Arc<dyn Search>;
        (store, search)
    })
    .await;
}

#[tokio::test]
async fn all_of_memory_goes_into_another() {
    run_transfer(|| async { Arc::new(MemoryStore::new()) }).await;
}

#[tokio::test(start_paused = true)]
async fn random_stories_with_faults_end_like_without() {
    for seed in 100..120 {
        let store = Settled(FaultStore::by_seed(MemoryStore::new(), seed, FAULTS));
        agrees_with_memory(&store, seed, 300).await;
    }
}

#[tokio::test(start_paused = true)]
async fn blobs_in_memory_pass() {
    let blobs = MemoryBlobs::new();
    blobs_pass(&blobs).await;
    assert_eq!(blobs.keys(), []);
}

#[tokio::test]
async fn buses_in_memory_pass() {
    bus_passes(|nodes| async move {
        let buses = MemoryBuses::new();
        let join = |number: u128| {
            // Descending, so that nobody leans on the order in which nodes come.
            let id = NodeId(Uuid::from_u128(100 - number));
            let (name, url) = (format!("n{number}"), String::new());
            let me = Peer { id, name, url, connections: 0, capacity: 100, is_draining: false };
            buses.join(me) as Arc<dyn Bus>
        };
        (0..).map(join).take(nodes).collect()
    })
    .await;
}
