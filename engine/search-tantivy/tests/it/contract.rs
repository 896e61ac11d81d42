//! The contract of search, over a store in memory.

use crate::scratch::{Scratch, open};
use rookery_engine::MemoryStore;
use rookery_engine::contract::run_search;
use rookery_engine::search::Search;
use rookery_engine::store::Store;
use std::sync::Arc;

#[tokio::test]
async fn the_index_passes() {
    let scratch = Scratch::new("contract");
    let mut cases = 0;
    run_search(|| {
        cases += 1;
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let search = open(&scratch.path().join(cases.to_string()), &store);
        (store, Arc::new(search) as Arc<dyn Search>)
    })
    .await;
}
