//! Random stories: the store and the memory store are told the same and must answer the same.

mod account;
mod file;
mod look;
mod read;
mod write;

use super::fixture::{Pen, room, second, user};
use crate::memory::MemoryStore;
use crate::store::{Append, Store};
use fastrand::Rng;
use rookery_protocol::{Seq, Timestamp, UserId};
use std::future::Future;
use std::sync::Arc;

super::case_list![random_stories_end_like_in_memory];

const ROOMS: u128 = 4;
const USERS: u128 = 5;

async fn random_stories_end_like_in_memory(store: &dyn Store) {
    agrees_with_memory(store, 1, 400).await;
}

/// Tells the store, which must be empty, a story of `steps` steps drawn from `seed`.
///
/// # Panics
/// At the first answer that is not the memory store's; the message has the seed and the step.
pub async fn agrees_with_memory(store: &dyn Store, seed: u64, steps: u32) {
    let mut tale = Story::new(seed);
    tale.tell(store, steps).await;
    tale.compare_everything(store).await;
}

/// Like [`agrees_with_memory`], but closes the store after every chapter of `steps` steps and goes on
/// with what `open` then returns, which must be the same store.
///
/// # Panics
/// As there, and when the store does not close.
pub async fn agrees_with_memory_over_restarts<F>(
    seed: u64,
    chapters: u32,
    steps: u32,
    mut open: impl FnMut() -> F,
) where
    F: Future<Output = Arc<dyn Store>>,
{
    let mut tale = Story::new(seed);
    for _ in 0..chapters {
        let store = open().await;
        tale.compare_everything(&*store).await;
        tale.tell(&*store, steps).await;
        store.close().await.expect("a store closes");
    }
    let store = open().await;
    tale.compare_everything(&*store).await;
    store.close().await.expect("a store closes");
}

/// What one room's writer knows.
struct History {
    pen: Pen,
    /// Messages up to each position.
    ords: Vec<u64>,
    /// Where the messages are.
    messages: Vec<Seq>,
    newest: Option<Append>,
}

struct Story {
    model: MemoryStore,
    random: Rng,
    seed: u64,
    step: u32,
    rooms: Vec<History>,
}

/// Asks both stores the same and compares the answers.
macro_rules! same {
    ($story:ident, $store:ident . $method:ident ( $($argument:expr),* )) => {{
        let found = $store.$method($($argument),*).await;
        let expected = $story.model.$method($($argument),*).await;
        let call = stringify!($method);
        assert_eq!(found, expected, "{call} in step {} of seed {}", $story.step, $story.seed);
        expected
    }};
}
use same;

impl Story {
    fn new(seed: u64) -> Self {
        let history =
            |number| History { pen: Pen::new(room(number)), ords: vec![0], messages: vec![], newest: None };
        let (model, random) = (MemoryStore::new(), Rng::with_seed(seed));
        Self { model, random, seed, step: 0, rooms: (0..ROOMS).map(history).collect() }
    }

    async fn tell(&mut self, store: &dyn Store, steps: u32) {
        for _ in 0..steps {
            self.step += 1;
            match self.random.u8(0..17) {
                0..5 => self.append(store).await,
                5 => self.append_again(store).await,
                6 | 7 => self.mark(store).await,
                8..11 => self.read(store).await,
                11 | 12 => self.account(store).await,
                _ => self.file(store).await,
            }
        }
    }

    fn user(&mut self) -> UserId {
        user(self.random.u128(1..=USERS))
    }

    fn now(&self) -> Timestamp {
        second(i64::from(self.step))
    }
}
