//! A file as it is kept, and reading it.

use crate::CqlStore;
use crate::columns::count;
use crate::cql::{Bound, Cql, Decided};
use crate::rooms;
use crate::turns::{condition, next_version};
use rookery_engine::store::{FileContent, FileRecord, StoreError, Thumb, Upload};
use rookery_protocol::{FileId, RoomId, Seq, Timestamp, UserId};
use scylla::DeserializeRow;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// When a file is garbage that something refers to: never.
pub(super) const HELD: i64 = i64::MAX;

/// Since when a file is garbage that nothing refers to any more: ever since.
pub(super) const UNREFERENCED: i64 = 0;

/// Since when a file is garbage whose life has been taken: for good, before all others.
pub(super) const DOOMED: i64 = -1;

/// What refers to a file: a room or a user, and where.
pub(super) type Holder = (Uuid, i64);

/// The holder in a file's own row.
pub(super) const OWN: Holder = (Uuid::nil(), -2);

/// The places of pictures. Greater ones are the positions of messages.
pub(super) const OF_USER: i64 = -1;
pub(super) const OF_ROOM: i64 = 0;

/// The columns of a file's own row.
pub(super) const COLUMNS: &str =
    "name, hint, size, expires_at, charge, links, garbage_at, mime, stored, hash,
    width, height, thumb_mime, thumb_size";

#[derive(DeserializeRow)]
struct Columns {
    name: String,
    hint: Option<String>,
    size: i64,
    expires_at: i64,
    charge: i64,
    links: i32,
    garbage_at: i64,
    mime: Option<String>,
    stored: Option<i64>,
    hash: Option<Vec<u8>>,
    width: Option<i64>,
    height: Option<i64>,
    thumb_mime: Option<String>,
    thumb_size: Option<i64>,
}

/// A file and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) record: FileRecord,
    /// What it counts as in its owner's total.
    pub(super) charge: i64,
    /// What refers to it.
    pub(super) links: i32,
    pub(super) garbage_at: i64,
}

impl Row {
    pub(super) const fn lives(&self, now: Timestamp) -> bool {
        now.0 < self.garbage_at
    }

    fn of(file: FileId, owner: UserId, columns: Columns) -> Result<Self, StoreError> {
        let Columns { name, hint, size, expires_at, charge, links, garbage_at, .. } = columns;
        let (size, expires_at) = (count(size), Timestamp(expires_at));
        let upload = Upload { file, owner, name, hint, size, expires_at };
        let Columns { mime, stored, hash, width, height, thumb_mime, thumb_size, .. } = columns;
        let content = match mime {
            None => None,
            Some(mime) => {
                let hash = hash.unwrap_or_default().try_into();
                let hash = hash.map_err(|_| StoreError::Fatal("a file's hash has 32 bytes".to_owned()))?;
                let pixels = |pixels: Option<i64>| pixels.and_then(|pixels| u32::try_from(pixels).ok());
                let thumb = thumb_mime.map(|mime| Thumb { mime, size: count(thumb_size.unwrap_or(0)) });
                let (size, width, height) = (count(stored.unwrap_or(0)), pixels(width), pixels(height));
                Some(FileContent { mime, size, hash, width, height, thumb })
            }
        };
        let record = FileRecord { upload, content };
        Ok(Self { record, charge, links, garbage_at })
    }
}

/// How a user's ledger of files stands. What is read after it is at least as new.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ledger {
    pub(super) owner: UserId,
    pub(super) version: Option<i64>,
    pub(super) total: i64,
}

impl CqlStore {
    pub(super) async fn ledger_of_files(&self, owner: UserId) -> Result<Ledger, StoreError> {
        let row = self.cql.row::<(Option<i64>, Option<i64>)>(&self.files.ledger, (owner.0,)).await?;
        let (version, total) = row.unwrap_or_default();
        Ok(Ledger { owner, version, total: total.unwrap_or(0) })
    }

    /// Moves a ledger on to its next version with `total` bytes, and with `writes`.
    pub(super) async fn advance_files(
        &self,
        ledger: Ledger,
        total: i64,
        writes: &[Bound<'_>],
    ) -> Result<Decided, StoreError> {
        let values = (next_version(ledger.version), total, ledger.owner.0, ledger.version);
        self.cql.decide_together(&[condition(&self.files.advance, values)], writes).await
    }

    pub(super) async fn owner_of(&self, file: FileId) -> Result<Option<UserId>, StoreError> {
        let row = self.cql.row::<(Uuid,)>(&self.files.owner, (file.0,)).await?;
        Ok(row.map(|(owner,)| UserId(owner)))
    }

    pub(super) async fn file_of(&self, owner: UserId, file: FileId) -> Result<Option<Row>, StoreError> {
        let key = (owner.0, file.0, OWN.0, OWN.1);
        let columns = self.cql.row::<Columns>(&self.files.file, key).await?;
        columns.map(|columns| Row::of(file, owner, columns)).transpose()
    }

    /// Returns a file, whatever became of it.
    pub(super) async fn any_file(&self, file: FileId) -> Result<Option<Row>, StoreError> {
        match self.owner_of(file).await? {
            Some(owner) => self.file_of(owner, file).await,
            None => Ok(None),
        }
    }

    pub(super) async fn living_file(&self, file: FileId, now: Timestamp) -> Result<Option<Row>, StoreError> {
        Ok(self.any_file(file).await?.filter(|row| row.lives(now)))
    }

    pub(super) async fn readable(
        &self,
        user: UserId,
        ids: &[FileId],
        now: Timestamp,
    ) -> Result<Vec<FileRecord>, StoreError> {
        let ids: BTreeSet<_> = ids.iter().copied().collect();
        let found = Cql::for_each(ids, async |file| {
            let row = self.living_file(file, now).await?;
            let Some(Row { record, .. }) = row.filter(|row| row.record.content.is_some()) else {
                return Ok(None);
            };
            let may = record.upload.owner == user || self.may_read(user, &record.upload).await?;
            Ok(may.then_some(record))
        });
        Ok(found.await?.into_iter().flatten().collect())
    }

    /// Returns whether something refers to the file that lets `user` read it.
    async fn may_read(&self, user: UserId, upload: &Upload) -> Result<bool, StoreError> {
        let key = (upload.owner.0, upload.file.0);
        // Of each room that has it, the newest place: who reads any of them reads that one.
        let mut rooms: BTreeMap<RoomId, i64> = BTreeMap::new();
        let mut is_avatar = false;
        self.cql
            .each(&self.files.links, key, |(holder, place, held): (Uuid, i64, Option<bool>)| {
                if held == Some(true) {
                    is_avatar |= place == OF_USER;
                    let newest = rooms.entry(RoomId(holder)).or_insert(place);
                    // A room's picture is older than no member.
                    *newest = if place == OF_ROOM { HELD } else { place.max(*newest) };
                }
                std::ops::ControlFlow::Continue(())
            })
            .await?;
        if is_avatar {
            return Ok(true);
        }
        let may = Cql::for_each(rooms, async |(room, place)| {
            let joined = rooms::joined(self, room, user).await?;
            Ok(joined.is_some_and(|Seq(joined)| count(place) >= joined))
        });
        Ok(may.await?.into_iter().any(|may| may))
    }
}
