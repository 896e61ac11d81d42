//! What refers to files: a message to a set of them, a user or a room to one picture.
//!
//! A holder's row says which files it has as of a position, and which of those before may still have to be
//! told that it has them no more. So whoever comes next goes on where another one stopped.

use super::row::{Holder, OF_ROOM, OF_USER};
use crate::CqlStore;
use crate::columns::{integer, seq};
use crate::turns::Tries;
use rookery_engine::store::{AvatarOf, StoreError};
use rookery_protocol::{FileId, RoomId, Seq, Timestamp, UserId};
use uuid::Uuid;

/// The files of a holder.
#[derive(Clone, Debug, Default)]
struct FileSet {
    /// As of when.
    rev: Seq,
    files: Vec<Uuid>,
    /// Those of before that may not have been told yet.
    leaving: Vec<Uuid>,
}

impl FileSet {
    /// Returns the set that replaces this one.
    fn followed_by(&self, files: Vec<Uuid>, rev: Seq) -> Self {
        let before = self.files.iter().chain(&self.leaving).copied();
        let mut leaving: Vec<_> = before.filter(|file| !files.contains(file)).collect();
        leaving.sort_unstable();
        leaving.dedup();
        Self { rev, files, leaving }
    }
}

/// Has the message at `seq` carry exactly `files` as of `rev`; an older `rev` never replaces a newer. It is
/// done again after any interruption, and more than one node may do it at once.
pub(crate) async fn attach(
    store: &CqlStore,
    (room, seq): (RoomId, Seq),
    files: &[FileId],
    rev: Seq,
) -> Result<(), StoreError> {
    let mut tries = Tries::new();
    let attached = store.attach_to((room.0, integer(seq.0)), files, rev, &mut tries).await;
    tries.settle(attached)
}

/// Returns what a holder's file is the picture of, if it is no message.
pub(crate) const fn picture_of(holder: Uuid, place: i64) -> Option<AvatarOf> {
    match place {
        OF_USER => Some(AvatarOf::User(UserId(holder))),
        OF_ROOM => Some(AvatarOf::Room(RoomId(holder))),
        _ => None,
    }
}

/// Returns the files of the message at `seq`, ascending, if they are as of `rev`; without those that are
/// garbage.
pub(crate) async fn files_of(
    store: &CqlStore,
    (room, at): (RoomId, Seq),
    rev: Seq,
) -> Result<Option<Vec<FileId>>, StoreError> {
    let set = store.file_set((room.0, integer(at.0))).await?;
    let Some(set) = set.filter(|set| set.rev == rev) else { return Ok(None) };
    let mut files = Vec::new();
    for file in set.files {
        files.extend(store.file_ever(FileId(file)).await?.map(|record| record.upload.file));
    }
    files.sort_unstable();
    Ok(Some(files))
}

impl CqlStore {
    async fn attach_to(
        &self,
        holder: Holder,
        files: &[FileId],
        rev: Seq,
        tries: &mut Tries,
    ) -> Result<(), StoreError> {
        let mut known = Vec::new();
        for file in files {
            if self.any_file(*file).await?.is_some() {
                known.push(file.0);
            }
        }
        known.sort_unstable();
        known.dedup();
        let set = loop {
            let found = self.file_set(holder).await?;
            match &found {
                Some(set) if set.rev > rev => return Ok(()),
                Some(set) if set.rev == rev => break set.clone(),
                _ => {}
            }
            let next = found.clone().unwrap_or_default().followed_by(known.clone(), rev);
            if self.put_set(holder, found.as_ref(), &next, tries).await? {
                break next;
            }
        };
        tries.opened();
        for file in &set.files {
            self.set_link(FileId(*file), holder, set.rev, true, tries).await?;
        }
        self.tell_leaving(holder, &set, tries).await
    }

    pub(super) async fn replace_avatar(
        &self,
        of: AvatarOf,
        file: Option<FileId>,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<bool, StoreError> {
        let holder = match of {
            AvatarOf::User(user) => (user.0, OF_USER),
            AvatarOf::Room(room) => (room.0, OF_ROOM),
        };
        let wanted: Vec<_> = file.iter().map(|file| file.0).collect();
        let (before, set) = loop {
            if let Some(file) = file {
                let row = self.living_file(file, now).await?;
                if row.is_none_or(|row| row.record.content.is_none()) {
                    return Ok(false);
                }
            }
            let found = self.file_set(holder).await?;
            let before = found.clone().unwrap_or_default();
            if before.files == wanted {
                break (before.clone(), before);
            }
            let next = before.followed_by(wanted.clone(), before.rev.next());
            if self.put_set(holder, found.as_ref(), &next, tries).await? {
                break (before, next);
            }
        };
        tries.opened();
        if let Some(file) = file
            && !self.set_link(file, holder, set.rev, true, tries).await?
        {
            // Its life was taken since it was looked at: what was there before comes back.
            let back = set.followed_by(before.files, set.rev.next());
            if self.put_set(holder, Some(&set), &back, tries).await? {
                for file in &back.files {
                    self.set_link(FileId(*file), holder, back.rev, true, tries).await?;
                }
                self.tell_leaving(holder, &back, tries).await?;
            }
            return Ok(false);
        }
        self.tell_leaving(holder, &set, tries).await?;
        Ok(true)
    }

    /// Tells the files that a holder has no more.
    async fn tell_leaving(&self, holder: Holder, set: &FileSet, tries: &mut Tries) -> Result<(), StoreError> {
        if set.leaving.is_empty() {
            return Ok(());
        }
        for file in &set.leaving {
            self.set_link(FileId(*file), holder, set.rev, false, tries).await?;
        }
        let values = (&[] as &[Uuid], holder.0, holder.1, integer(set.rev.0));
        // Where it is not settled now, whoever comes next tells them again.
        tries.known(self.cql.decide(&self.files.settle_set, values).await).await.map(drop)
    }

    async fn file_set(&self, holder: Holder) -> Result<Option<FileSet>, StoreError> {
        type Columns = (i64, Option<Vec<Uuid>>, Option<Vec<Uuid>>);
        let row = self.cql.row::<Columns>(&self.files.set, holder).await?;
        Ok(row.map(|(rev, files, leaving)| FileSet {
            rev: seq(rev),
            files: files.unwrap_or_default(),
            leaving: leaving.unwrap_or_default(),
        }))
    }

    /// Writes a set in the place of the one that was found. Returns whether that was still the same.
    async fn put_set(
        &self,
        holder: Holder,
        found: Option<&FileSet>,
        set: &FileSet,
        tries: &mut Tries,
    ) -> Result<bool, StoreError> {
        let FileSet { rev, files, leaving } = set;
        let expected = found.map(|set| integer(set.rev.0));
        let values = (integer(rev.0), files, leaving, holder.0, holder.1, expected);
        tries.is_applied(self.cql.decide(&self.files.replace_set, values).await).await
    }
}
