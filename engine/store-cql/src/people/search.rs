//! Who is found by the beginning of a handle.
//!
//! Entries are kept by the first characters of a handle. One is written before its account has the handle
//! and taken away after it has not, so an entry is a hint: the account says whether it still holds.

use crate::CqlStore;
use crate::accounts::Record;
use crate::cql::{Cql, Read, Write};
use rookery_engine::store::StoreError;
use rookery_protocol::limits::SEARCH_CHARS_MIN;
use rookery_protocol::{User, UserId};
use scylla::errors::PrepareError;
use uuid::Uuid;

/// Entries that a search reads at once: two answers, since some may be void or of users that are not found.
const ENTRIES: i32 = 40;

/// The statements.
#[derive(Debug)]
pub(crate) struct SearchStatements {
    entries: Read,
    put: Write,
    drop: Write,
}

impl SearchStatements {
    pub(super) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        Ok(Self {
            entries: cql
                .read_statement(
                    "SELECT handle, claim, user_id FROM handles_by_prefix
                        WHERE prefix = ? AND (handle, claim) > (?, ?) LIMIT ?",
                )
                .await?,
            put: cql
                .write_statement(
                    "INSERT INTO handles_by_prefix (prefix, handle, claim, user_id) VALUES (?, ?, ?, ?)",
                )
                .await?,
            drop: cql
                .write_statement(
                    "DELETE FROM handles_by_prefix WHERE prefix = ? AND handle = ? AND claim = ?",
                )
                .await?,
        })
    }
}

/// That a user may have a handle, by a claim.
struct Entry {
    handle: String,
    claim: Uuid,
    user: UserId,
}

fn prefix_of(handle: &str) -> String {
    handle.chars().take(SEARCH_CHARS_MIN).collect()
}

impl CqlStore {
    /// Has `user` found by `handle`, as soon as its account says that it has it by `claim`.
    pub(crate) async fn put_entry(&self, handle: &str, claim: Uuid, user: UserId) -> Result<(), StoreError> {
        self.cql.write(&self.people.search.put, (prefix_of(handle), handle, claim, user.0)).await
    }

    /// Takes an entry away whose claim is void.
    pub(crate) async fn drop_entry(&self, handle: &str, claim: Uuid) -> Result<(), StoreError> {
        self.cql.write(&self.people.search.drop, (prefix_of(handle), handle, claim)).await
    }

    pub(super) async fn find(&self, by: UserId, prefix: &str, limit: usize) -> Result<Vec<User>, StoreError> {
        if prefix.chars().count() < SEARCH_CHARS_MIN {
            return Err(StoreError::Refused("so short a beginning of a handle is not looked for".to_owned()));
        }
        // No claim is nil, so this is before every entry of the handle that is the beginning itself.
        let mut after = (prefix.to_owned(), Uuid::nil());
        let mut found = Vec::new();
        let mut is_over = false;
        while found.len() < limit && !is_over {
            let entries = self.entries(prefix, &after).await?;
            is_over = entries.len() < usize::try_from(ENTRIES).unwrap_or(0);
            if let Some(last) = entries.last() {
                after = (last.handle.clone(), last.claim);
                is_over |= !last.handle.starts_with(prefix);
            }
            let entries = entries.into_iter().filter(|entry| entry.handle.starts_with(prefix));
            let users = Cql::for_each(entries, async |entry| self.user_of(entry).await).await?;
            let users: Vec<_> = users.into_iter().flatten().collect();
            let ids: Vec<_> = users.iter().map(|user| user.id).collect();
            let hidden = self.between(by, &ids).await?;
            found.extend(users.into_iter().filter(|user| !hidden.contains(&user.id)));
        }
        found.truncate(limit);
        Ok(found)
    }

    async fn entries(&self, prefix: &str, after: &(String, Uuid)) -> Result<Vec<Entry>, StoreError> {
        let values = (prefix_of(prefix), &after.0, after.1, ENTRIES);
        let rows = self.cql.rows::<(String, Uuid, Uuid)>(&self.people.search.entries, values).await?;
        let entry = |(handle, claim, user)| Entry { handle, claim, user: UserId(user) };
        Ok(rows.into_iter().map(entry).collect())
    }

    /// Returns the user that an entry is of, if it holds. One that is void goes.
    async fn user_of(&self, entry: Entry) -> Result<Option<User>, StoreError> {
        let Entry { handle, claim, user } = entry;
        let holds = |record: &Record| record.claim == claim && record.handle() == Some(handle.as_str());
        if let Some(record) = self.account(user).await?.filter(holds) {
            return Ok(record.user());
        }
        let record = self.record(user).await?;
        let is_under_way = |record: &Record| record.is_changing() && record.turn == claim;
        if !record.as_ref().is_some_and(|record| holds(record) || is_under_way(record)) {
            self.drop_entry(&handle, claim).await?;
        }
        Ok(record.filter(holds).and_then(|record| record.user()))
    }
}
