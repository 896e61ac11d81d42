//! Cursors: texts that a client brings back, or makes up.

use rookery_engine::MemoryStore;
use rookery_engine::search::{ScanSearch, Search, SearchQuery, Terms};
use rookery_protocol::{Seq, UserId};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

pub(crate) fn run(text: &str) {
    static SEARCH: OnceLock<ScanSearch> = OnceLock::new();
    rookery_actors::outside::rooms_cursor(text);
    let _ = (text.parse::<UserId>().is_ok(), text.parse::<Seq>().is_ok());
    let Ok(terms) = Terms::parse(text) else { return };
    let search = SEARCH.get_or_init(|| ScanSearch::over(Arc::new(MemoryStore::new())));
    let query = SearchQuery {
        user: UserId(Uuid::from_u128(1)),
        terms,
        room: None,
        from: None,
        before: None,
        kind: None,
        limit: 1,
        cursor: Some(text.to_owned()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    let _ = runtime.block_on(search.search(query)).is_ok();
}
