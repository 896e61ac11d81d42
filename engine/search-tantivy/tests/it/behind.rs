//! Rooms that are far behind, and stores that do not answer.

use crate::scratch::{Scratch, found, open, query};
use crate::story::{Story, room, user};
use rookery_engine::search::{Hit, Search, SearchError};
use rookery_engine::store::{Store, StoreError};
use rookery_engine::{FaultStore, Faults, MemoryStore};
use rookery_protocol::Seq;
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn a_long_room_is_behind_at_first_and_found_later() {
    let scratch = Scratch::new("behind");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut tale = Story::begin(&*store, 1).await;
    tale.repeat(&*store, "needle in the hay", 5000).await;
    let index = open(scratch.path(), &store);
    // Time passes at once while the writer's thread is at it.
    let search = async || index.search(query(user(0), "needle")).await;
    assert_eq!(search().await, Err(SearchError::Behind));
    let hits = loop {
        match search().await {
            Err(SearchError::Behind) => {}
            found => break found.expect("search").hits,
        }
    };
    let there: Vec<Hit> = (2..=5001).rev().map(|seq| Hit { room: room(0), seq: Seq(seq) }).collect();
    assert!(hits == there, "{} hits", hits.len());
    let progress = index.progress();
    assert_eq!((progress.behind, progress.indexed >= 5001), (0, true), "{progress:?}");
}

#[tokio::test]
async fn a_store_that_fails_is_told_of_and_asked_again() {
    let scratch = Scratch::new("store-fails");
    // Every second read is refused: of the list of rooms, or of one room's log.
    let half = Faults { refused: 0.5, ..Faults::default() };
    let faults = Arc::new(FaultStore::by_seed(MemoryStore::new(), 1, half));
    faults.calm();
    let store: Arc<dyn Store> = faults.clone();
    let mut tale = Story::begin(&*store, 1).await;
    let index = open(scratch.path(), &store);
    let (mut refused, mut round) = (0, 0);
    while refused < 20 {
        tale.repeat(&*store, "tea", 1).await;
        round += 1;
        faults.rage();
        match index.search(query(user(0), "tea")).await {
            Ok(hits) => assert_eq!(hits.hits.len(), round),
            Err(SearchError::Store(StoreError::Refused(_))) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
        faults.calm();
        assert_eq!(found(&index, user(0), "tea").await.len(), round);
    }
}
