//! How fast it is, to be read and not to be held to: beside reading everything, in the same run.

use crate::scratch::{Scratch, open, query};
use crate::story::{Story, user};
use rookery_engine::MemoryStore;
use rookery_engine::search::{ScanSearch, Search};
use rookery_engine::store::Store;
use std::sync::Arc;
use tokio::time::Instant;

const MESSAGES: u32 = 10_000;

const SEARCHES: u32 = 20;

async fn millis(search: &dyn Search) -> f64 {
    let begun = Instant::now();
    for _ in 0..SEARCHES {
        let query = rookery_engine::search::SearchQuery { limit: 20, ..query(user(0), "\"tea the\" ket") };
        search.search(query).await.expect("search");
    }
    begun.elapsed().as_secs_f64() * 1000.0 / f64::from(SEARCHES)
}

#[tokio::test]
async fn what_it_takes_beside_reading_everything() {
    let scratch = Scratch::new("pace");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut tale = Story::begin(&*store, 1).await;
    tale.go_on(&*store, MESSAGES as usize).await;
    let index = open(scratch.path(), &store);
    let begun = Instant::now();
    index.search(query(user(0), "nothing")).await.expect("search");
    let pace = f64::from(MESSAGES) / begun.elapsed().as_secs_f64();
    let (found, read) = (millis(&index).await, millis(&ScanSearch::over(store)).await);
    println!("{pace:.0} events/s taken in, {found:.2} ms a search, {read:.2} ms by reading everything");
}
