//! Writing what events imply. Each statement is max-wins, so that writing again changes nothing.

use super::{cursors, files, messages, notices};
use crate::columns::{integer, kind_text, role_text};
use rookery_engine::store::{Membership, Projection, RoomRecord};
use rookery_protocol::{RoomId, RoomKind, Seq, UserId};
use rusqlite::{Connection, params};

/// Whose log is written to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) room: RoomId,
    /// The log's number.
    pub(super) log: i64,
}

pub(super) fn apply(connection: &Connection, place: Place, projection: &Projection) -> rusqlite::Result<()> {
    let Place { room, .. } = place;
    match projection {
        Projection::Room(record) => apply_room(connection, place, record),
        Projection::Member(membership) => apply_member(connection, place, membership),
        Projection::Read { user, seq, ord } => cursors::read(connection, (room, *user), *seq, *ord),
        Projection::Mention { user, seq } => apply_mention(connection, place, *user, *seq),
        Projection::Notice(notice) => notices::keep(connection, notice),
        Projection::Attach { seq, files, rev } => files::attach(connection, (room, *seq), files, *rev),
        change => messages::apply(connection, place, change),
    }
}

fn apply_room(connection: &Connection, place: Place, record: &RoomRecord) -> rusqlite::Result<()> {
    let statement = "INSERT INTO rooms (room, kind, title, about, avatar, created_at, members, rev)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET
            kind = excluded.kind, title = excluded.title, about = excluded.about, avatar = excluded.avatar,
            created_at = excluded.created_at, members = excluded.members, rev = excluded.rev
        WHERE excluded.rev > rev";
    let written = connection.prepare_cached(statement)?.execute(params![
        place.room.0.as_bytes(),
        kind_text(record.kind),
        record.title,
        record.about,
        record.avatar,
        record.created_at.0,
        integer(record.members),
        integer(record.rev.0),
    ])?;
    if written > 0 {
        let is_listed = record.kind != RoomKind::Inbox;
        let statement = "UPDATE logs SET listed = ?1 WHERE no = ?2 AND listed <> ?1";
        connection.prepare_cached(statement)?.execute(params![is_listed, place.log])?;
    }
    Ok(())
}

fn apply_member(connection: &Connection, place: Place, membership: &Membership) -> rusqlite::Result<()> {
    let statement = "INSERT INTO members (room, user, role, joined, joined_ord, rev, log)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET
            role = excluded.role, joined = excluded.joined, joined_ord = excluded.joined_ord, rev = excluded.rev
        WHERE excluded.rev > rev";
    connection.prepare_cached(statement)?.execute(params![
        place.room.0.as_bytes(),
        membership.user.0.as_bytes(),
        membership.role.map(role_text),
        integer(membership.joined.0),
        integer(membership.joined_ord),
        integer(membership.rev.0),
        place.log,
    ])?;
    Ok(())
}

fn apply_mention(
    connection: &Connection,
    place: Place,
    user: Option<UserId>,
    seq: Seq,
) -> rusqlite::Result<()> {
    let statement = "INSERT INTO mentions (room, user, seq) SELECT ?1, ?2, ?3
        WHERE NOT EXISTS (SELECT 1 FROM changes WHERE log = ?4 AND target = ?3 AND deleted)
        ON CONFLICT DO NOTHING";
    let user: &[u8] = user.as_ref().map_or(&[], |user| user.0.as_bytes());
    let values = params![place.room.0.as_bytes(), user, integer(seq.0), place.log];
    connection.prepare_cached(statement)?.execute(values).map(drop)
}
