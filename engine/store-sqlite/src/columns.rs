//! Values as columns: ids as 16 bytes, positions and counts as integers, names as text.

use rookery_protocol::{Notify, Role, RoomKind, Seq, Timestamp};
use rusqlite::Row;
use rusqlite::types::Type;
use uuid::Uuid;

/// Bits of an event's row id below the number of its span, as in the schema.
const SPAN_BITS: u32 = 12;

/// Returns the span of an event's row id.
pub(crate) const fn span_of(id: i64) -> i64 {
    id >> SPAN_BITS
}

/// Returns a count as SQLite's signed integer; what is beyond it (no count of ours is) saturates.
pub(crate) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Returns a page's size as SQLite's signed integer.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Returns the 16 bytes of column `index` as an id.
pub(crate) fn id(row: &Row<'_>, index: usize) -> rusqlite::Result<Uuid> {
    row.get(index).map(Uuid::from_bytes)
}

/// Returns the 16 bytes of column `index` as an id, if there are any.
pub(crate) fn optional_id(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Uuid>> {
    Ok(row.get::<_, Option<_>>(index)?.map(Uuid::from_bytes))
}

/// Returns the integer of column `index` as a count.
pub(crate) fn count(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(index)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, value))
}

/// Returns the integer of column `index` as a position.
pub(crate) fn seq(row: &Row<'_>, index: usize) -> rusqlite::Result<Seq> {
    count(row, index).map(Seq)
}

/// Returns the integer of column `index` as a position, if there is one.
pub(crate) fn optional_seq(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Seq>> {
    let value: Option<i64> = row.get(index)?;
    value.map(|_| seq(row, index)).transpose()
}

/// Returns the integer of column `index` as a moment.
pub(crate) fn timestamp(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    row.get(index).map(Timestamp)
}

/// Returns the text of a role.
pub(crate) const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Member => "member",
        Role::Reader => "reader",
    }
}

/// Returns the role of column `index`; NULL is a member that has gone.
pub(crate) fn role(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Role>> {
    // By its bytes, which need not be checked to be text: a large room reads 100,000 of them.
    match row.get_ref(index)?.as_bytes_or_null()? {
        None => Ok(None),
        Some(b"owner") => Ok(Some(Role::Owner)),
        Some(b"admin") => Ok(Some(Role::Admin)),
        Some(b"member") => Ok(Some(Role::Member)),
        Some(b"reader") => Ok(Some(Role::Reader)),
        Some(other) => Err(unknown(index, "role", &String::from_utf8_lossy(other))),
    }
}

/// Returns the text of a room's kind.
pub(crate) const fn kind_text(kind: RoomKind) -> &'static str {
    match kind {
        RoomKind::Direct => "direct",
        RoomKind::Group => "group",
        RoomKind::Channel => "channel",
        RoomKind::Inbox => "inbox",
    }
}

/// Returns the room kind of column `index`.
pub(crate) fn kind(row: &Row<'_>, index: usize) -> rusqlite::Result<RoomKind> {
    match row.get_ref(index)?.as_str()? {
        "direct" => Ok(RoomKind::Direct),
        "group" => Ok(RoomKind::Group),
        "channel" => Ok(RoomKind::Channel),
        "inbox" => Ok(RoomKind::Inbox),
        other => Err(unknown(index, "room kind", other)),
    }
}

/// Returns the text of what notifies.
pub(crate) const fn notify_text(notify: Notify) -> &'static str {
    match notify {
        Notify::All => "all",
        Notify::Mentions => "mentions",
        Notify::None => "none",
    }
}

/// Returns what notifies by column `index`; NULL is what does at first.
pub(crate) fn notify(row: &Row<'_>, index: usize) -> rusqlite::Result<Notify> {
    match row.get_ref(index)?.as_str_or_null()? {
        None => Ok(Notify::default()),
        Some("all") => Ok(Notify::All),
        Some("mentions") => Ok(Notify::Mentions),
        Some("none") => Ok(Notify::None),
        Some(other) => Err(unknown(index, "word for what notifies", other)),
    }
}

pub(crate) fn unknown(index: usize, what: &str, value: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, format!("unknown {what} {value}").into())
}
