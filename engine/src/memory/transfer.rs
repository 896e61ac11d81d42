//! Everything out of memory, and into it.

mod rows;

use super::{MemoryStore, State};
use crate::store::{
    Answer, AppendError, Asked, Batch, Entry, Export, Implied, Import, Page, Part, Place, Progress, Range,
    Record, StoreError,
};
use rookery_protocol::{Event, RoomId, Seq};

/// Returns the page of `all` from after `after`: a place is how many came before it, in the order of keys.
fn page<T>(all: impl Iterator<Item = T>, after: Option<&Place>, limit: usize) -> Page<T> {
    let bytes = after.and_then(|place| place.0.as_slice().try_into().ok());
    let skipped = bytes.map_or(0, u64::from_be_bytes);
    let mut rest = all.skip(usize::try_from(skipped).unwrap_or(usize::MAX)).peekable();
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let place = Place((skipped + items.len() as u64).to_be_bytes().to_vec());
    Page { items, next: rest.peek().is_some().then_some(place) }
}

impl State {
    fn rows(&self, part: Part) -> Box<dyn Iterator<Item = Record> + '_> {
        match part {
            Part::Logs => Box::new(std::iter::empty()),
            Part::Accounts
            | Part::KeptHandles
            | Part::Sessions
            | Part::RefreshTokens
            | Part::Blocks
            | Part::LastSeen
            | Part::SignIns => self.rows_of_people(part),
            Part::Files | Part::Avatars => self.files.rows(part),
            Part::Cursors | Part::Settings => self.rooms.rows(part),
            Part::Notices => Box::new(self.notices.values().map(|notice| Record::Notice(*notice))),
            Part::Invites | Part::InviteUses => self.invites.rows(part),
            Part::Docket => Box::new(self.docket.iter().map(|row| Record::Entry(super::docket::entry(row)))),
        }
    }

    fn rows_of_people(&self, part: Part) -> Box<dyn Iterator<Item = Record> + '_> {
        match part {
            Part::Blocks => self.people.rows(),
            Part::LastSeen => {
                let seen = self.last_seen.iter();
                Box::new(seen.map(|(user, at)| Record::LastSeen { user: *user, at: *at }))
            }
            Part::SignIns => {
                let staying = self.sign_ins.values().filter(|record| record.expires_at.is_none());
                Box::new(staying.cloned().map(Record::SignIn))
            }
            _ => self.accounts.rows(part),
        }
    }

    fn implied(&self, room: RoomId, asked: &Asked) -> Vec<Implied> {
        let record = self.rooms.record(room).filter(|record| asked.records.contains(&record.rev));
        let members = asked.members.iter().filter_map(|(user, rev)| {
            self.rooms.membership(room, *user).filter(|member| member.rev == *rev).map(Implied::Member)
        });
        let mentions = asked.mentions.iter().filter(|(seq, user)| self.rooms.mentions(room, *user, *seq));
        let mentions = mentions.map(|(seq, user)| Implied::Mention { user: *user, seq: *seq });
        let files = asked.files.iter().filter_map(|(seq, rev)| {
            let files = self.files.attached(room, *seq, *rev)?;
            Some(Implied::Attach { seq: *seq, files, rev: *rev })
        });
        let record = record.map(|record| Implied::Room(record.clone()));
        record.into_iter().chain(members).chain(mentions).chain(files).collect()
    }

    fn import(&mut self, record: &Record) -> Result<(), StoreError> {
        match record {
            Record::Account(_)
            | Record::KeptHandle { .. }
            | Record::Session(_)
            | Record::RefreshToken { .. } => self.accounts.import(record),
            Record::File(record) => self.files.import(record),
            Record::Avatar { of, file } => self.files.hold(*of, *file),
            Record::Batch(batch) => self.import_batch(batch)?,
            Record::Cursor { .. } | Record::Settings { .. } => self.rooms.import(record),
            Record::Notice(notice) => drop(self.notices.entry(notice.key()).or_insert(*notice)),
            Record::Block { user, other, at } => self.people.import(*user, *other, *at),
            Record::Invite { .. } | Record::InviteUse { .. } => self.invites.import(record),
            Record::Entry(Entry { book, id, rev, body }) => {
                self.docket.entry((*book, *id)).or_insert_with(|| (*rev, body.clone()));
            }
            Record::LastSeen { user, at } => drop(self.last_seen.insert(*user, *at)),
            Record::SignIn(record) => {
                self.sign_ins.entry(record.key).or_insert_with(|| record.clone());
            }
        }
        Ok(())
    }

    fn import_batch(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let head = self.log.head(batch.room).map_or(Seq::ZERO, |head| head.seq);
        if head >= batch.newest() {
            return Ok(());
        }
        self.append(&batch.append()).map_err(|error| match error {
            AppendError::Store(error) => error,
            other => StoreError::Refused(other.to_string()),
        })
    }
}

impl Export for MemoryStore {
    fn rows(&self, part: Part, after: Option<Place>, limit: usize) -> Answer<'_, Page<Record>> {
        self.answer(move |state| Ok(page(state.rows(part), after.as_ref(), limit)))
    }

    fn rooms(&self, after: Option<Place>, limit: usize) -> Answer<'_, Page<RoomId>> {
        self.answer(move |state| Ok(page(state.log.rooms(), after.as_ref(), limit)))
    }

    fn events(&self, room: RoomId, after: Seq, limit: usize) -> Answer<'_, Vec<Event>> {
        self.answer(move |state| Ok(state.log.read(room, Range::After(after), limit)))
    }

    fn implied<'a>(&'a self, room: RoomId, asked: &'a Asked) -> Answer<'a, Vec<Implied>> {
        self.answer(move |state| Ok(state.implied(room, asked)))
    }
}

impl Import for MemoryStore {
    fn import<'a>(&'a self, records: &'a [Record], progress: Progress) -> Answer<'a, ()> {
        self.answer(move |state| {
            for record in records {
                state.import(record)?;
            }
            state.importing = Some(progress);
            Ok(())
        })
    }

    fn importing(&self) -> Answer<'_, Option<Progress>> {
        self.answer(|state| Ok(state.importing))
    }

    fn end_import(&self) -> Answer<'_, ()> {
        self.answer(|state| {
            state.importing = None;
            Ok(())
        })
    }
}
