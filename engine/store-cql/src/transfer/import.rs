//! Records into the tables, each by the write that a server makes: what is there already stays as it is, so
//! all of them may be sent again.

use crate::CqlStore;
use crate::cql::Cql;
use rookery_engine::store::{LastSeen, Record, Rooms, SettingsChange, StoreError};
use rookery_protocol::RoomId;
use std::collections::BTreeMap;

/// Writes `records`, those of one part at once as far as one does not follow from another.
pub(super) async fn write(store: &CqlStore, mut records: &[Record]) -> Result<(), StoreError> {
    while let Some(first) = records.first() {
        let of_part = records.iter().take_while(|record| record.part() == first.part()).count();
        let (these, rest) = records.split_at(of_part);
        // The pieces of one log one after another, all else by itself.
        let mut lanes: BTreeMap<(Option<RoomId>, usize), Vec<&Record>> = BTreeMap::new();
        for (index, record) in these.iter().enumerate() {
            let room = room_of_log(record);
            lanes.entry((room, if room.is_some() { 0 } else { index })).or_default().push(record);
        }
        Cql::for_each(lanes.into_values(), async |lane| {
            for record in lane {
                write_one(store, record).await?;
            }
            Ok(())
        })
        .await?;
        records = rest;
    }
    Ok(())
}

/// Returns the room whose log a record is a piece of.
const fn room_of_log(record: &Record) -> Option<RoomId> {
    match record {
        Record::Batch(batch) => Some(batch.room),
        _ => None,
    }
}

async fn write_one(store: &CqlStore, record: &Record) -> Result<(), StoreError> {
    match record {
        Record::Account(account) => store.import_account(account).await,
        Record::KeptHandle { handle, user, until } => store.import_kept_handle(handle, *user, *until).await,
        Record::Session(session) => store.import_session(session).await,
        Record::RefreshToken { token, session, replaced_by } => {
            store.import_token(*token, *session, *replaced_by).await
        }
        Record::File(file) => store.import_file(file).await,
        Record::Batch(batch) => store.import_batch(batch).await,
        Record::Avatar { of, file } => store.import_avatar(*of, *file).await,
        Record::Cursor { room, user, read, read_ord, delivered } => {
            store.import_cursor((*room, *user), (*read, *read_ord), *delivered).await
        }
        Record::Settings { room, user, settings } => {
            let change = SettingsChange {
                notify: Some(settings.notify),
                muted_until: Some(settings.muted_until),
                pinned: Some(settings.pinned),
                archived: Some(settings.archived),
            };
            store.change_settings(*room, *user, change).await
        }
        Record::Notice(notice) => store.import_notice(notice).await,
        Record::Block { user, other, at } => store.import_block(*user, *other, *at).await,
        Record::Invite { invite, used_at, revoked_at } => {
            store.import_invite(*invite, *used_at, *revoked_at).await
        }
        Record::InviteUse { hash, user } => store.import_use(*hash, *user).await,
        Record::SignIn(record) => store.import_sign_in(record).await,
        Record::Entry(entry) => store.keep_entry(entry).await,
        Record::LastSeen { user, at } => store.seen(&[(*user, *at)]).await,
    }
}
