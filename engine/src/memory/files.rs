//! Files in memory.

use super::{MemoryStore, State};
use crate::store::{Answer, AvatarOf, Begun, Completed, FileContent, FileRecord, Files, Projection, Upload};
use rookery_protocol::{FileId, RoomId, Seq, Timestamp, UserId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct FileTables {
    pub(super) files: BTreeMap<FileId, Row>,
    /// Who refers to which file.
    pub(super) links: BTreeSet<(FileId, Holder)>,
    /// Of each message, the position that its files are as of.
    pub(super) revs: BTreeMap<(RoomId, Seq), Seq>,
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) record: FileRecord,
    /// Garbage from then on; `None` while something refers to it.
    pub(super) garbage_at: Option<Timestamp>,
}

/// Since when a file is garbage that nothing refers to any more: ever since.
const UNREFERENCED: Timestamp = Timestamp(0);

/// Since when a file is garbage whose life has been taken: for good, before all others.
const DOOMED: Timestamp = Timestamp(-1);

impl Row {
    fn lives(&self, now: Timestamp) -> bool {
        self.garbage_at.is_none_or(|at| now < at)
    }

    /// Returns whether there may be a time at which it lives.
    pub(super) fn may_live(&self) -> bool {
        self.garbage_at.is_none_or(|at| at > UNREFERENCED)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    Message(RoomId, Seq),
    Avatar(AvatarOf),
}

impl FileTables {
    pub(super) fn project(&mut self, room: RoomId, projection: &Projection) {
        let Projection::Attach { seq, files, rev } = projection else { return };
        let known = self.revs.entry((room, *seq)).or_insert(Seq::ZERO);
        if *rev > *known {
            *known = *rev;
            self.replace(Holder::Message(room, *seq), files);
        }
    }

    /// Has `holder` refer to exactly `files`.
    pub(super) fn replace(&mut self, holder: Holder, files: &[FileId]) {
        let before: Vec<_> =
            self.links.iter().filter(|(_, of)| *of == holder).map(|(file, _)| *file).collect();
        for file in files.iter().filter(|file| self.files.contains_key(file)) {
            self.links.insert((*file, holder));
        }
        for file in before.iter().filter(|file| !files.contains(file)) {
            self.links.remove(&(*file, holder));
        }
        for file in before.iter().chain(files) {
            let is_held = self.links.iter().any(|(held, _)| held == file);
            if let Some(row) = self.files.get_mut(file).filter(|row| row.garbage_at != Some(DOOMED)) {
                row.garbage_at = (!is_held).then_some(UNREFERENCED);
            }
        }
    }

    fn used(&self, owner: UserId) -> u64 {
        let own = self.files.values().filter(|row| row.record.upload.owner == owner);
        own.map(|row| row.record.charge()).sum()
    }

    fn begin(&mut self, upload: Upload, quota: u64) -> Begun {
        if self.files.contains_key(&upload.file) {
            return Begun::Begun;
        }
        let used = self.used(upload.owner);
        let garbage_at = Some(upload.expires_at);
        let record = FileRecord { upload, content: None };
        if used.saturating_add(record.charge()) > quota {
            return Begun::OverQuota(used);
        }
        self.files.insert(record.upload.file, Row { record, garbage_at });
        Begun::Begun
    }

    fn complete(&mut self, file: FileId, content: FileContent, now: Timestamp) -> Completed {
        let Some(row) = self.files.get_mut(&file).filter(|row| row.lives(now)) else {
            return Completed::Gone;
        };
        match &row.record.content {
            Some(earlier) if earlier.hash != content.hash => return Completed::Differs,
            Some(_) => {}
            None => row.record.content = Some(content),
        }
        Completed::Complete(Box::new(row.record.clone()))
    }

    fn doom(&mut self, now: Timestamp, limit: usize) -> Vec<FileId> {
        let mut garbage: Vec<_> = self.files.iter().filter(|(_, row)| !row.lives(now)).collect();
        garbage.sort_by_key(|(file, row)| (row.garbage_at, **file));
        let doomed: Vec<_> = garbage.into_iter().take(limit).map(|(file, _)| *file).collect();
        for file in &doomed {
            if let Some(row) = self.files.get_mut(file) {
                row.garbage_at = Some(DOOMED);
            }
        }
        doomed
    }

    /// Takes the life of one file, whatever refers to it.
    pub(super) fn doom_one(&mut self, file: FileId) {
        if let Some(row) = self.files.get_mut(&file) {
            row.garbage_at = Some(DOOMED);
        }
    }

    fn forget(&mut self, ids: &[FileId]) {
        for file in ids {
            if self.files.get(file).is_some_and(|row| row.garbage_at == Some(DOOMED)) {
                self.files.remove(file);
                self.links.retain(|(held, _)| held != file);
            }
        }
    }
}

impl State {
    fn may_read(&self, user: UserId, file: FileId) -> bool {
        let mut holders =
            self.files.links.iter().filter(|(held, _)| *held == file).map(|(_, holder)| *holder);
        holders.any(|holder| match holder {
            Holder::Message(room, seq) => self.rooms.joined(room, user).is_some_and(|joined| seq >= joined),
            Holder::Avatar(AvatarOf::Room(room)) => self.rooms.joined(room, user).is_some(),
            Holder::Avatar(AvatarOf::User(_)) => true,
        })
    }
}

impl Files for MemoryStore {
    fn begin_upload(&self, upload: Upload, quota: u64) -> Answer<'_, Begun> {
        self.answer(move |state| Ok(state.files.begin(upload, quota)))
    }

    fn complete_upload(&self, file: FileId, content: FileContent, now: Timestamp) -> Answer<'_, Completed> {
        self.answer(move |state| Ok(state.files.complete(file, content, now)))
    }

    fn file(&self, file: FileId, now: Timestamp) -> Answer<'_, Option<FileRecord>> {
        self.answer(move |state| {
            let row = state.files.files.get(&file).filter(|row| row.lives(now));
            Ok(row.map(|row| row.record.clone()))
        })
    }

    fn readable_files<'a>(
        &'a self,
        user: UserId,
        ids: &'a [FileId],
        now: Timestamp,
    ) -> Answer<'a, Vec<FileRecord>> {
        self.answer(move |state| {
            let ids: BTreeSet<_> = ids.iter().collect();
            let rows = ids.into_iter().filter_map(|file| state.files.files.get(file));
            let complete = rows.filter(|row| row.record.content.is_some() && row.lives(now));
            let readable = complete.filter(|row| {
                let upload = &row.record.upload;
                upload.owner == user || state.may_read(user, upload.file)
            });
            Ok(readable.map(|row| row.record.clone()).collect())
        })
    }

    fn hold_avatar(&self, of: AvatarOf, file: Option<FileId>, now: Timestamp) -> Answer<'_, bool> {
        self.answer(move |state| {
            let is_there = |file| {
                let row: Option<&Row> = state.files.files.get(&file);
                row.is_some_and(|row| row.record.content.is_some() && row.lives(now))
            };
            let is_so = file.is_none_or(is_there);
            if is_so {
                state.files.replace(Holder::Avatar(of), file.as_slice());
            }
            Ok(is_so)
        })
    }

    fn doom_files(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<FileId>> {
        self.answer(move |state| Ok(state.files.doom(now, limit)))
    }

    fn forget_files<'a>(&'a self, ids: &'a [FileId]) -> Answer<'a, ()> {
        self.answer(move |state| {
            state.files.forget(ids);
            Ok(())
        })
    }
}
