//! The contract: what every store must do, as cases that run against any of them.
//!
//! A store's own tests call [`run_all`]. A store that refuses and forgets on purpose is
//! wrapped in [`Settled`] first, which does what a caller must: send again until it knows.

mod accounts;
mod atomic;
mod blobs;
mod bus;
mod credentials;
mod cursors;
mod docket;
mod files;
mod fixture;
mod invites;
mod log;
mod messages;
mod model;
mod notices;
mod people;
mod presence;
mod rooms;
mod search;
mod settled;
mod sign_ins;
mod tokens;
mod traces;
mod transfer;

pub use blobs::blobs_pass;
pub use bus::bus_passes;
pub use model::{agrees_with_memory, agrees_with_memory_over_restarts};
pub use settled::Settled;
pub use transfer::{run_transfer, tell_a_full_story};

use crate::search::Search;
use crate::store::Store;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// One case of the contract; its name is the fact that it shows.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The fact.
    pub name: &'static str,
    run: Run,
}

type Run = for<'a> fn(&'a dyn Store) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl Case {
    /// Runs the case against an empty store.
    ///
    /// # Panics
    /// When the store does not do what the case says.
    pub async fn run(&self, store: &dyn Store) {
        (self.run)(store).await;
    }
}

/// Returns every case.
pub fn cases() -> impl Iterator<Item = Case> {
    let parts = [
        log::CASES,
        messages::CASES,
        rooms::CASES,
        cursors::CASES,
        notices::CASES,
        atomic::CASES,
        accounts::CASES,
        tokens::CASES,
        credentials::CASES,
        sign_ins::CASES,
        people::CASES,
        presence::CASES,
        invites::CASES,
        files::CASES,
        docket::CASES,
        traces::CASES,
        model::CASES,
    ];
    parts.into_iter().flatten().copied()
}

/// Runs every case against a store of its own, which `make_store` returns empty, and closes it.
///
/// # Panics
/// When a store does not do what a case says; the case's name is the last line on standard error.
pub async fn run_all<F>(mut make_store: impl FnMut() -> F)
where
    F: Future<Output = Arc<dyn Store>>,
{
    for case in cases() {
        eprintln!("contract: {}", case.name);
        let store = make_store().await;
        case.run(&*store).await;
        store.close().await.expect("a store closes");
    }
}

/// Runs every case of search against an index and its store, which `make` returns empty, and closes the
/// store.
///
/// # Panics
/// When an index does not do what a case says; the case's name is the last line on standard error.
pub async fn run_search(mut make: impl FnMut() -> (Arc<dyn Store>, Arc<dyn Search>)) {
    for case in search::CASES {
        eprintln!("contract of search: {}", case.name);
        let (store, search) = make();
        (case.run)(&*store, &*search).await;
        store.close().await.expect("a store closes");
    }
}

/// Lists async functions of `&dyn Store` as cases under their own names.
macro_rules! case_list {
    ($($case:ident),+ $(,)?) => {
        pub(super) const CASES: &[super::Case] =
            &[$(super::Case { name: stringify!($case), run: |store| Box::pin($case(store)) }),+];
    };
}
use case_list;
