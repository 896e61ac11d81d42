//! Finding garbage and letting go of it.
//!
//! Whatever may make a file garbage first notes when, and as of which version of its owner's ledger. A note
//! is a hint: whoever finds it asks the ledger, and takes it away only where that has come as far and the
//! file lives all the same. Notes are spread over a fixed number of partitions, so nothing walks the ring,
//! and any number of nodes may do this at once.

use super::row::{DOOMED, OWN, UNREFERENCED};
use crate::CqlStore;
use crate::cql::{Cql, bound};
use crate::turns::{Tries, next_version};
use rookery_engine::store::StoreError;
use rookery_protocol::{FileId, Timestamp};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use uuid::Uuid;

/// Partitions of notes. A million uploads at a time are 62,500 rows of some 40 bytes in each.
const SHARDS: u8 = 16;

/// References to a file that go with it in one write; a file that had more goes in several.
const LINKS_AT_ONCE: usize = 200;

/// When a file may be garbage, and as of which version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Note {
    at: i64,
    file: FileId,
    version: i64,
}

/// Returns the partition of a file's notes: the last bits of its id are random.
fn shard(file: FileId) -> i32 {
    i32::from(file.0.as_bytes()[15] % SHARDS)
}

impl CqlStore {
    /// Notes that `file` may be garbage from `at` on, as of `version`.
    pub(super) async fn note_garbage(&self, at: i64, file: FileId, version: i64) -> Result<(), StoreError> {
        self.cql.write(&self.files.put_garbage, (shard(file), at, file.0, version)).await
    }

    pub(super) async fn doom(&self, now: Timestamp, limit: usize) -> Result<Vec<FileId>, StoreError> {
        let mut notes = self.notes(now, limit).await?.into_iter();
        let mut doomed = Vec::new();
        while doomed.len() < limit {
            let some: Vec<_> = notes.by_ref().take(limit - doomed.len()).collect();
            if some.is_empty() {
                break;
            }
            let files = Cql::for_each(some, async |note| self.doom_one(note, now).await).await?;
            doomed.extend(files.into_iter().flatten());
        }
        Ok(doomed)
    }

    /// Returns the oldest notes of each partition, the oldest first, one a file.
    async fn notes(&self, now: Timestamp, limit: usize) -> Result<Vec<Note>, StoreError> {
        let rows = i32::try_from(limit).unwrap_or(i32::MAX);
        let shards = Cql::for_each(0..SHARDS, async |shard| {
            let values = (i32::from(shard), now.0, rows);
            self.cql.rows::<(i64, Uuid, i64)>(&self.files.garbage, values).await
        });
        let rows = shards.await?.into_iter().flatten();
        let mut notes: Vec<_> =
            rows.map(|(at, file, version)| Note { at, file: FileId(file), version }).collect();
        notes.sort_unstable();
        let mut seen = BTreeSet::new();
        notes.retain(|note| seen.insert(note.file));
        Ok(notes)
    }

    /// Takes the life of the file of a note if it is garbage at `now`. Returns it if its life has been taken.
    async fn doom_one(&self, note: Note, now: Timestamp) -> Result<Option<FileId>, StoreError> {
        let mut tries = Tries::new();
        let doomed = self.doom_in_turn(note, now, &mut tries).await;
        tries.settle(doomed)
    }

    async fn doom_in_turn(
        &self,
        note: Note,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<Option<FileId>, StoreError> {
        let Note { file, version, .. } = note;
        let Some(owner) = self.owner_of(file).await? else { return self.drop_note(note).await };
        let _turn = self.turns.at(&owner).await;
        loop {
            let ledger = self.ledger_of_files(owner).await?;
            let Some(row) = self.file_of(owner, file).await? else {
                // It was forgotten, or never begun.
                self.cql.write(&self.files.drop_owner, (file.0,)).await?;
                return self.drop_note(note).await;
            };
            if row.garbage_at == DOOMED {
                return Ok(Some(file));
            }
            if row.lives(now) {
                return if ledger.version.is_some_and(|now| now >= version) {
                    self.drop_note(note).await
                } else {
                    Ok(None)
                };
            }
            let values = (row.links, DOOMED, owner.0, file.0, OWN.0, OWN.1);
            let write = bound(&self.files.put_life, values);
            if tries.is_applied(self.advance_files(ledger, ledger.total, &[write]).await).await? {
                return Ok(Some(file));
            }
        }
    }

    /// Takes the life of a file, whatever refers to it, and notes that before, so that it is found.
    pub(crate) async fn take_life(&self, file: FileId, tries: &mut Tries) -> Result<(), StoreError> {
        let Some(owner) = self.owner_of(file).await? else { return Ok(()) };
        let _turn = self.turns.at(&owner).await;
        loop {
            let ledger = self.ledger_of_files(owner).await?;
            let Some(row) = self.file_of(owner, file).await? else { return Ok(()) };
            if row.garbage_at == DOOMED {
                return Ok(());
            }
            self.note_garbage(UNREFERENCED, file, next_version(ledger.version)).await?;
            let values = (row.links, DOOMED, owner.0, file.0, OWN.0, OWN.1);
            let write = bound(&self.files.put_life, values);
            if tries.is_applied(self.advance_files(ledger, ledger.total, &[write]).await).await? {
                return Ok(());
            }
        }
    }

    async fn drop_note(&self, note: Note) -> Result<Option<FileId>, StoreError> {
        let Note { at, file, version } = note;
        self.cql.write(&self.files.drop_garbage, (shard(file), at, file.0, version)).await?;
        Ok(None)
    }

    /// Forgets a file whose life has been taken, with what refers to it; then what is noted of it.
    pub(super) async fn forget_file(&self, file: FileId, tries: &mut Tries) -> Result<(), StoreError> {
        let Some(owner) = self.owner_of(file).await? else { return Ok(()) };
        let _turn = self.turns.at(&owner).await;
        let statements = &self.files;
        let expires_at = loop {
            let ledger = self.ledger_of_files(owner).await?;
            let row = self.file_of(owner, file).await?;
            let Some(row) = row.filter(|row| row.garbage_at == DOOMED) else { return Ok(()) };
            let mut writes = Vec::new();
            self.cql
                .each(
                    &statements.links,
                    (owner.0, file.0),
                    |(holder, place, _): (Uuid, i64, Option<bool>)| {
                        if (holder, place) != OWN {
                            writes.push(bound(&statements.drop_row, (owner.0, file.0, holder, place)));
                        }
                        if writes.len() < LINKS_AT_ONCE {
                            ControlFlow::Continue(())
                        } else {
                            ControlFlow::Break(())
                        }
                    },
                )
                .await?;
            let is_last = writes.len() < LINKS_AT_ONCE;
            let mut total = ledger.total;
            if is_last {
                total = total.saturating_sub(row.charge);
                writes.push(bound(&statements.drop_row, (owner.0, file.0, OWN.0, OWN.1)));
            }
            let is_applied = tries.is_applied(self.advance_files(ledger, total, &writes).await).await?;
            if is_applied && is_last {
                break row.record.upload.expires_at;
            }
        };
        tries.opened();
        self.cql.write(&statements.drop_owner, (file.0,)).await?;
        for at in [UNREFERENCED, expires_at.0] {
            self.cql.write(&statements.forget_garbage, (shard(file), at, file.0)).await?;
        }
        Ok(())
    }
}
