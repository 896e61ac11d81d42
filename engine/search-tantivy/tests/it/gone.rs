//! What is left in the files of a message that is gone.

use crate::scratch::{Scratch, found, open};
use crate::story::{Story, user};
use rookery_engine::MemoryStore;
use rookery_engine::search::Search;
use rookery_engine::store::Store;
use rookery_protocol::Seq;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tantivy::Index;

/// Returns every word that is in a file of the index, found or not.
fn words(dir: &Path) -> BTreeSet<String> {
    let index = Index::open_in_dir(dir.join("index")).expect("open");
    let segments = index.searchable_segment_ids().expect("read");
    // No file is left of a segment that is no longer part of the index.
    for file in std::fs::read_dir(dir.join("index")).expect("read the folder") {
        let name = file.expect("read the folder").file_name().into_string().expect("a name");
        let is_known = |segment: &tantivy::index::SegmentId| name.starts_with(&segment.uuid_string());
        assert!(name.starts_with('.') || name == "meta.json" || segments.iter().any(is_known), "{name}");
    }
    let text = index.schema().get_field("text").expect("it has texts");
    let mut words = BTreeSet::new();
    for segment in index.reader().expect("read").searcher().segment_readers() {
        let index = segment.inverted_index(text).expect("read");
        let mut terms = index.terms().stream().expect("read");
        while terms.advance() {
            words.insert(String::from_utf8(terms.key().to_vec()).expect("a word"));
        }
    }
    words
}

#[tokio::test]
async fn a_word_that_was_taken_back_leaves_the_files() {
    let scratch = Scratch::new("gone");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut tale = Story::begin(&*store, 1).await;
    tale.repeat(&*store, "regret", 1).await;
    tale.repeat(&*store, "kept", 300).await;
    let index = open(scratch.path(), &store);
    assert_eq!(found(&index, user(0), "regret").await.len(), 1);
    tale.take_back(&*store, Seq(2)).await;
    assert_eq!(found(&index, user(0), "regret").await, []);
    drop(index);
    let expected = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(words(scratch.path()), expected(&["kept", "regret"]), "nobody finds it, but it is there");

    // It looks after the index as soon as it is open, and ends what it has begun.
    drop(open(scratch.path(), &store));
    assert_eq!(words(scratch.path()), expected(&["kept"]));
    let index = open(scratch.path(), &store);
    assert_eq!(found(&index, user(0), "kept").await.len(), 300);
    assert_eq!(index.progress().indexed, 0);
}
