//! Entries of the docket as what they say: JSON in, structs out.

use crate::accounts::settle;
use rookery_engine::store::{Book, Entry, Store, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// How often a change is tried against those of others.
const TRIES: u32 = 16;

/// An entry that was read.
#[derive(Clone, Debug)]
pub(crate) struct Known<T> {
    pub(crate) id: Uuid,
    pub(crate) rev: u64,
    pub(crate) what: T,
}

/// Writes a new entry; one that is there already, and says the same, is it.
pub(crate) async fn begin(
    store: &dyn Store,
    book: Book,
    id: Uuid,
    what: &impl Serialize,
) -> Result<bool, StoreError> {
    put(store, Entry { book, id, rev: 1, body: text(what)? }).await
}

/// Writes the next revision of an entry that was read. Returns whether nobody else has.
pub(crate) async fn replace<T: Serialize>(
    store: &dyn Store,
    book: Book,
    known: &mut Known<T>,
) -> Result<bool, StoreError> {
    let entry = Entry { book, id: known.id, rev: known.rev + 1, body: text(&known.what)? };
    let is_written = put(store, entry).await?;
    known.rev += u64::from(is_written);
    Ok(is_written)
}

/// Changes an entry, the default where there is none, against whoever else does.
pub(crate) async fn change<T: Serialize + DeserializeOwned + Default>(
    store: &dyn Store,
    book: Book,
    id: Uuid,
    change: impl Fn(&mut T),
) -> Result<T, StoreError> {
    for _ in 0..TRIES {
        let known = read::<T>(store, book, id).await?;
        let (rev, mut what) = known.map_or_else(|| (0, T::default()), |known| (known.rev, known.what));
        change(&mut what);
        if put(store, Entry { book, id, rev: rev + 1, body: text(&what)? }).await? {
            return Ok(what);
        }
    }
    Err(StoreError::Refused("others change the same entry all the time".to_owned()))
}

/// Reads an entry.
pub(crate) async fn read<T: DeserializeOwned>(
    store: &dyn Store,
    book: Book,
    id: Uuid,
) -> Result<Option<Known<T>>, StoreError> {
    store.entry(book, id).await?.map(known).transpose()
}

/// Reads a page of a book, the greatest id first.
pub(crate) async fn page<T: DeserializeOwned>(
    store: &dyn Store,
    book: Book,
    before: Option<Uuid>,
    limit: usize,
) -> Result<Vec<Known<T>>, StoreError> {
    store.entries(book, before, limit).await?.into_iter().map(known).collect()
}

fn known<T: DeserializeOwned>(Entry { id, rev, body, .. }: Entry) -> Result<Known<T>, StoreError> {
    let what = serde_json::from_str(&body)
        .map_err(|error| StoreError::Refused(format!("an entry of the docket is not understood: {error}")))?;
    Ok(Known { id, rev, what })
}

fn text(what: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(what).map_err(|error| StoreError::Refused(error.to_string()))
}

async fn put(store: &dyn Store, entry: Entry) -> Result<bool, StoreError> {
    settle(|| store.put_entry(entry.clone())).await
}
