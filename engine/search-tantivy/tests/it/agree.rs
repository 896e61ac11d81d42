//! What two nodes find is what is there.

use crate::scratch::{Scratch, found, open};
use crate::story::{ROOMS, Story, USERS, check, seed, user};
use rookery_engine::MemoryStore;
use rookery_engine::store::Store;
use std::sync::Arc;

#[tokio::test]
async fn two_nodes_find_what_reading_everything_finds() {
    let scratch = Scratch::new("agree");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut tale = Story::begin(&*store, seed()).await;
    let (often, rarely) = (open(&scratch.path().join("1"), &store), open(&scratch.path().join("2"), &store));
    for _ in 0..5 {
        for _ in 0..3 {
            tale.go_on(&*store, 15).await;
            check(&[&often], &store).await;
        }
        check(&[&often, &rarely], &store).await;
        check(&[&rarely, &often], &store).await;
    }
}

#[tokio::test]
async fn nobody_finds_anything_in_the_rooms_of_others() {
    let scratch = Scratch::new("others");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut tale = Story::begin(&*store, seed()).await;
    tale.repeat(&*store, "secret", 3).await;
    let index = open(scratch.path(), &store);
    assert_eq!(found(&index, user(0), "secret").await.len(), 3);
    for other in 1..=USERS.max(ROOMS) {
        assert_eq!(found(&index, user(other), "secret").await, []);
    }
}
