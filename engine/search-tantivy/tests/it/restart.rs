//! Indexes that are opened again: as they were, behind, lost, damaged, of another log, of another process.

use crate::scratch::{START, Scratch, found, open, open_with, options};
use crate::story::{Story, check, seed, user};
use rookery_engine::search::Search;
use rookery_engine::store::Store;
use rookery_engine::{ManualClock, MemoryStore, Tasks};
use rookery_search_tantivy::{OpenError, TantivyOptions, TantivySearch};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns a store with a story in it, and an index of that in `dir`.
async fn taken_in(dir: &Path) -> (Arc<dyn Store>, Story) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut tale = Story::begin(&*store, seed()).await;
    tale.go_on(&*store, 100).await;
    check(&[&open(dir, &store)], &store).await;
    (store, tale)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(dir.join("index")).expect("read the folder");
    files.map(|file| file.expect("read the folder").path()).collect()
}

#[tokio::test]
async fn an_index_goes_on_where_it_stood() {
    let scratch = Scratch::new("goes-on");
    let (store, mut tale) = taken_in(scratch.path()).await;
    let before = tale.events();
    tale.go_on(&*store, 50).await;
    let index = open(scratch.path(), &store);
    check(&[&index], &store).await;
    assert!(index.progress().indexed <= tale.events() - before, "{:?}", index.progress());
}

#[tokio::test]
async fn a_folder_that_is_lost_is_made_anew() {
    let scratch = Scratch::new("lost");
    let dir = scratch.path().join("search");
    let (store, _) = taken_in(&dir).await;
    std::fs::remove_dir_all(&dir).expect("remove the folder");
    check(&[&open(&dir, &store)], &store).await;
}

#[tokio::test]
async fn an_index_that_is_damaged_anywhere_is_made_anew() {
    let scratch = Scratch::new("damaged");
    let (store, _) = taken_in(scratch.path()).await;
    let names: Vec<_> = files(scratch.path());
    let kinds: std::collections::BTreeSet<_> = names.iter().map(|file| file.extension()).collect();
    assert!(kinds.len() > 4, "{kinds:?}");
    for kind in kinds {
        for harm in [flip, cut, remove] {
            // Each time there is an index that is whole, with files of other names.
            let files = files(scratch.path());
            let file = files.iter().find(|file| file.extension() == kind);
            if let Some(file) = file {
                harm(file);
            }
            let index = open(scratch.path(), &store);
            check(&[&index], &store).await;
        }
    }
}

/// Changes a byte in the middle.
fn flip(file: &Path) {
    let mut bytes = std::fs::read(file).expect("read");
    let middle = bytes.len() / 2;
    bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 0x55);
    std::fs::write(file, bytes).expect("write");
}

fn cut(file: &Path) {
    let bytes = std::fs::read(file).expect("read");
    std::fs::write(file, &bytes[..bytes.len() / 2]).expect("write");
}

fn remove(file: &Path) {
    std::fs::remove_file(file).expect("remove");
}

#[tokio::test]
async fn rooms_of_another_log_are_taken_in_anew() {
    let scratch = Scratch::new("foreign");
    let (_, before) = taken_in(scratch.path()).await;
    // The same rooms, in another store; one has fewer events, as after a backup was brought back.
    for steps in [10, 400] {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let mut tale = Story::begin(&*store, seed()).await;
        tale.go_on(&*store, steps).await;
        assert_ne!(tale.events(), before.events());
        let index = open(scratch.path(), &store);
        check(&[&index], &store).await;
        drop(index);
        check(&[&open(scratch.path(), &store)], &store).await;
    }
}

#[tokio::test]
async fn a_folder_has_one_owner_at_a_time() {
    let scratch = Scratch::new("in-use");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let index = open(scratch.path(), &store);
    let options = options(scratch.path());
    let again =
        || TantivySearch::open(&options, store.clone(), Arc::new(ManualClock::at(START)), &Tasks::new());
    assert!(matches!(again(), Err(OpenError::InUse { .. })));
    drop(index);
    again().expect("it is free");
}

#[tokio::test]
async fn rooms_that_nobody_searches_leave_the_index() {
    let scratch = Scratch::new("unused");
    let (store, tale) = taken_in(scratch.path()).await;
    let usual = options(scratch.path());
    let small = TantivyOptions { disk_bytes: 1, ..usual.clone() };
    for (options, days, is_kept) in
        [(&usual, 1, true), (&usual, 8, false), (&small, 0, false), (&usual, 0, true)]
    {
        let clock = ManualClock::at(START);
        clock.advance(DAY * days);
        // It looks after the index as soon as it is open.
        drop(open_with(options, &store, Arc::new(clock)));
        let index = open(scratch.path(), &store);
        for number in 0..3 {
            found(&index, user(number), "tea").await;
        }
        let indexed = index.progress().indexed;
        assert!(if is_kept { indexed == 0 } else { indexed > tale.events() / 2 }, "{days} days: {indexed}");
        check(&[&index], &store).await;
    }
}
