//! The rows of each table as records, and back.

use super::super::accounts::{AccountTables, TokenRow};
use super::super::files::{FileTables, Holder, Row as FileRow};
use super::super::invites::{InviteTables, Row as InviteRow};
use super::super::log::LogTables;
use super::super::people::PeopleTables;
use super::super::rooms::RoomTables;
use crate::store::{AvatarOf, FileRecord, Membership, Part, Record, RoomRecord};
use rookery_protocol::{FileId, RoomId, Seq, Timestamp, UserId};
use std::collections::BTreeSet;

type Rows<'a> = Box<dyn Iterator<Item = Record> + 'a>;

impl AccountTables {
    pub(super) fn rows(&self, part: Part) -> Rows<'_> {
        match part {
            Part::Accounts => Box::new(self.accounts.values().cloned().map(Record::Account)),
            Part::KeptHandles => Box::new(self.kept.iter().map(|(handle, (user, until))| {
                Record::KeptHandle { handle: handle.clone(), user: *user, until: *until }
            })),
            Part::Sessions => Box::new(self.sessions.values().cloned().map(Record::Session)),
            _ => Box::new(self.tokens.iter().map(|(hash, row)| row.record(*hash))),
        }
    }

    pub(super) fn import(&mut self, record: &Record) {
        match record {
            Record::Account(account) => {
                self.accounts.entry(account.user.id).or_insert_with(|| account.clone());
            }
            Record::KeptHandle { handle, user, until } => {
                self.kept.insert(handle.clone(), (*user, *until));
            }
            Record::Session(session) => {
                self.sessions.entry(session.session).or_insert_with(|| session.clone());
            }
            Record::RefreshToken { token, session, replaced_by } => {
                let row = TokenRow {
                    session: *session,
                    expires_at: token.expires_at,
                    replaced_by: *replaced_by,
                    spent_at: None,
                };
                self.tokens.entry(token.hash).or_insert(row);
            }
            _ => {}
        }
    }
}

impl FileTables {
    pub(super) fn rows(&self, part: Part) -> Rows<'_> {
        if part == Part::Files {
            let living = self.files.values().filter(|row| row.may_live());
            return Box::new(living.map(|row| Record::File(row.record.clone())));
        }
        Box::new(self.links.iter().filter_map(|(file, holder)| match holder {
            Holder::Avatar(of) if self.is_living(*file) => Some(Record::Avatar { of: *of, file: *file }),
            _ => None,
        }))
    }

    fn is_living(&self, file: FileId) -> bool {
        self.files.get(&file).is_some_and(FileRow::may_live)
    }

    /// Returns the files of the message at `seq`, if they are as of `rev`.
    pub(super) fn attached(&self, room: RoomId, seq: Seq, rev: Seq) -> Option<Vec<FileId>> {
        if self.revs.get(&(room, seq)) != Some(&rev) {
            return None;
        }
        let holder = Holder::Message(room, seq);
        let links = self.links.iter().filter(|(file, of)| *of == holder && self.is_living(*file));
        Some(links.map(|(file, _)| *file).collect())
    }

    pub(super) fn import(&mut self, record: &FileRecord) {
        let garbage_at = Some(record.upload.expires_at);
        let row = || FileRow { record: record.clone(), garbage_at };
        self.files.entry(record.upload.file).or_insert_with(row);
    }

    pub(super) fn hold(&mut self, of: AvatarOf, file: FileId) {
        self.replace(Holder::Avatar(of), &[file]);
    }
}

impl InviteTables {
    pub(super) fn rows(&self, part: Part) -> Rows<'_> {
        if part == Part::Invites {
            return Box::new(self.0.values().map(|row| Record::Invite {
                invite: row.invite,
                used_at: row.used_at,
                revoked_at: row.revoked_at,
            }));
        }
        Box::new(self.0.iter().flat_map(|(hash, row)| {
            row.used_by.iter().map(|user| Record::InviteUse { hash: *hash, user: *user })
        }))
    }

    pub(super) fn import(&mut self, record: &Record) {
        match record {
            Record::Invite { invite, used_at, revoked_at } => {
                let row = InviteRow {
                    invite: *invite,
                    revoked_at: *revoked_at,
                    used_by: BTreeSet::new(),
                    used_at: *used_at,
                };
                self.0.entry(invite.hash).or_insert(row);
            }
            Record::InviteUse { hash, user } => {
                if let Some(row) = self.0.get_mut(hash) {
                    row.used_by.insert(*user);
                }
            }
            _ => {}
        }
    }
}

impl LogTables {
    pub(super) fn rooms(&self) -> impl Iterator<Item = RoomId> {
        self.events.keys().copied()
    }
}

impl PeopleTables {
    pub(super) fn rows(&self) -> Rows<'_> {
        let block = |((user, other), at): (&(UserId, UserId), &Timestamp)| Record::Block {
            user: *user,
            other: *other,
            at: *at,
        };
        Box::new(self.blocks.iter().map(block))
    }

    pub(super) fn import(&mut self, user: UserId, other: UserId, at: Timestamp) {
        self.blocks.insert((user, other), at);
    }
}

impl RoomTables {
    pub(super) fn rows(&self, part: Part) -> Rows<'_> {
        if part == Part::Cursors {
            return Box::new(self.cursors.iter().map(|((room, user), cursor)| Record::Cursor {
                room: *room,
                user: *user,
                read: cursor.read.0,
                read_ord: cursor.read.1,
                delivered: cursor.delivered,
            }));
        }
        Box::new(self.settings.iter().map(|((room, user), settings)| Record::Settings {
            room: *room,
            user: *user,
            settings: *settings,
        }))
    }

    pub(super) fn record(&self, room: RoomId) -> Option<&RoomRecord> {
        self.records.get(&room)
    }

    pub(super) fn membership(&self, room: RoomId, user: UserId) -> Option<Membership> {
        self.members.get(&(room, user)).copied()
    }

    pub(super) fn mentions(&self, room: RoomId, user: Option<UserId>, seq: Seq) -> bool {
        self.mentions.contains(&(room, user, seq))
    }

    pub(super) fn import(&mut self, record: &Record) {
        match record {
            Record::Cursor { room, user, read, read_ord, delivered } => {
                let cursor = self.cursor_mut(*room, *user);
                cursor.read = cursor.read.max((*read, *read_ord));
                cursor.delivered = cursor.delivered.max(*delivered);
            }
            Record::Settings { room, user, settings } => {
                self.settings.insert((*room, *user), *settings);
            }
            _ => {}
        }
    }
}
