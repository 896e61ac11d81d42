//! Reading everything, a page at a time, in the order of keys.
//!
//! A place is the key of a page's last row: ids as their bytes, one after the other.

use super::accounts::{account_in, session_in};
use super::cursors::settings_at;
use super::docket::entry_in;
use super::files::{LIVING_EVER, record as file_record};
use super::log::{Which, log_no, walk};
use super::notices::notice_in;
use super::sign_ins::sign_in_in;
use crate::columns::{count, id, integer, limit, seq, timestamp};
use crate::read;
use rookery_engine::store::{
    Asked, AvatarOf, Implied, Invite, Membership, Page, Part, Place, Progress, Range, Record, RefreshToken,
};
use rookery_protocol::{Event, FileId, RoomId, Seq, SessionId, Timestamp, UserId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

/// Bytes of an id in a place.
const ID: usize = 16;

/// A key column of a listing.
#[derive(Clone, Copy, Debug)]
enum Key {
    Id,
    Hash,
    Integer,
    Text,
}

/// How one part is listed.
struct Listing {
    /// Without its condition on the place.
    from: &'static str,
    /// The columns that name a row, which are the first ones read.
    keys: &'static [(&'static str, Key)],
    record: fn(&Row<'_>) -> rusqlite::Result<Record>,
}

pub(crate) fn rows(
    connection: &Connection,
    part: Part,
    after: Option<&Place>,
    rows: usize,
) -> rusqlite::Result<Page<Record>> {
    let Some(listing) = listing(part) else { return Ok(Page { items: Vec::new(), next: None }) };
    list(connection, &listing, after, rows)
}

pub(crate) fn rooms(
    connection: &Connection,
    after: Option<&Place>,
    rows: usize,
) -> rusqlite::Result<Page<RoomId>> {
    let bytes = after.map_or(&[][..], |place| &place.0);
    let query = "SELECT room FROM logs WHERE room > ? AND seq > 0 ORDER BY room LIMIT ?";
    let mut query = connection.prepare_cached(query)?;
    let found = query.query_map(params![bytes, limit(rows)], |row| id(row, 0).map(RoomId))?;
    let items = found.collect::<Result<Vec<_>, _>>()?;
    let last = items.last().filter(|_| items.len() == rows);
    let next = last.map(|room| Place(room.0.as_bytes().to_vec()));
    Ok(Page { items, next })
}

pub(crate) fn log(
    connection: &Connection,
    room: RoomId,
    after: Seq,
    rows: usize,
) -> rusqlite::Result<Vec<Event>> {
    let Some(log) = log_no(connection, room)? else { return Ok(Vec::new()) };
    walk(connection, (room, log), Range::After(after), (Which::All, rows))
}

pub(crate) fn implied(
    connection: &Connection,
    room: RoomId,
    asked: &Asked,
) -> rusqlite::Result<Vec<Implied>> {
    let mut found = Vec::new();
    if !asked.records.is_empty() {
        let record = read::room(connection, room)?.filter(|record| asked.records.contains(&record.rev));
        found.extend(record.map(Implied::Room));
    }
    for (user, rev) in &asked.members {
        found.extend(membership(connection, room, *user, *rev)?.map(Implied::Member));
    }
    let query = "SELECT 1 FROM mentions WHERE room = ? AND user = ? AND seq = ?";
    let mut mentions = connection.prepare_cached(query)?;
    for (seq, user) in &asked.mentions {
        let who: &[u8] = user.as_ref().map_or(&[], |user| user.0.as_bytes());
        if mentions.exists(params![room.0.as_bytes(), who, integer(seq.0)])? {
            found.push(Implied::Mention { user: *user, seq: *seq });
        }
    }
    for (seq, rev) in &asked.files {
        found.extend(attached(connection, room, *seq, *rev)?);
    }
    Ok(found)
}

pub(crate) fn importing(connection: &Connection) -> rusqlite::Result<Option<Progress>> {
    let progress = |row: &Row<'_>| Ok(Progress { backup: id(row, 0)?, done: count(row, 1)? });
    connection.prepare_cached("SELECT backup, done FROM import")?.query_row([], progress).optional()
}

fn membership(
    connection: &Connection,
    room: RoomId,
    user: UserId,
    rev: Seq,
) -> rusqlite::Result<Option<Membership>> {
    let query = "SELECT role, joined, joined_ord FROM members WHERE room = ? AND user = ? AND rev = ?";
    let found = |row: &Row<'_>| {
        let role = crate::columns::role(row, 0)?;
        Ok(Membership { room, user, role, joined: seq(row, 1)?, joined_ord: count(row, 2)?, rev })
    };
    let keys = params![room.0.as_bytes(), user.0.as_bytes(), integer(rev.0)];
    connection.prepare_cached(query)?.query_row(keys, found).optional()
}

fn attached(connection: &Connection, room: RoomId, at: Seq, rev: Seq) -> rusqlite::Result<Option<Implied>> {
    let keys = params![room.0.as_bytes(), integer(at.0), integer(rev.0)];
    let query = "SELECT 1 FROM file_sets WHERE room = ? AND seq = ? AND rev = ?";
    if !connection.prepare_cached(query)?.exists(keys)? {
        return Ok(None);
    }
    // A file that something refers to lives, unless it is doomed.
    let query = "SELECT file_links.file FROM file_links JOIN files ON files.file = file_links.file
        WHERE holder = ? AND place = ? AND garbage_at IS NULL ORDER BY file_links.file";
    let mut query = connection.prepare_cached(query)?;
    let files = query.query_map(params![room.0.as_bytes(), integer(at.0)], |row| id(row, 0).map(FileId))?;
    Ok(Some(Implied::Attach { seq: at, files: files.collect::<Result<_, _>>()?, rev }))
}

fn list(
    connection: &Connection,
    listing: &Listing,
    after: Option<&Place>,
    rows: usize,
) -> rusqlite::Result<Page<Record>> {
    let Listing { from, keys, record } = listing;
    let names: Vec<_> = keys.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    let mut values = after.map(|place| parts(&place.0, keys)).unwrap_or_default();
    let condition = if values.is_empty() {
        String::new()
    } else {
        format!("AND ({names}) > ({})", vec!["?"; keys.len()].join(", "))
    };
    values.push(Value::Integer(limit(rows)));
    let query = format!("{from} {condition} ORDER BY {names} LIMIT ?");
    let mut query = connection.prepare_cached(&query)?;
    let mut found = query.query(params_from_iter(values))?;
    let (mut items, mut next) = (Vec::new(), None);
    while let Some(row) = found.next()? {
        items.push(record(row)?);
        if items.len() == rows {
            next = Some(Place(place(row, keys.len())?));
        }
    }
    Ok(Page { items, next })
}

/// Returns the place of a row whose first columns are its keys.
fn place(row: &Row<'_>, keys: usize) -> rusqlite::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for index in 0..keys {
        match row.get::<_, Value>(index)? {
            Value::Blob(blob) => bytes.extend(blob),
            Value::Text(text) => bytes.extend(text.into_bytes()),
            Value::Integer(number) => bytes.extend(number.to_be_bytes()),
            Value::Null | Value::Real(_) => {}
        }
    }
    Ok(bytes)
}

/// Returns the keys in a place that [`place`] has made; none where it did not.
fn parts(mut bytes: &[u8], keys: &[(&str, Key)]) -> Vec<Value> {
    let mut values = Vec::new();
    for (_, key) in keys {
        let length = match key {
            Key::Id => ID,
            Key::Hash => 2 * ID,
            Key::Integer => size_of::<i64>(),
            Key::Text => bytes.len(),
        };
        let Some((part, rest)) = bytes.split_at_checked(length) else { return Vec::new() };
        bytes = rest;
        values.push(match key {
            Key::Id | Key::Hash => Value::Blob(part.to_vec()),
            Key::Integer => Value::Integer(part.try_into().map(i64::from_be_bytes).unwrap_or_default()),
            Key::Text => Value::Text(String::from_utf8_lossy(part).into_owned()),
        });
    }
    values
}

fn listing(part: Part) -> Option<Listing> {
    Some(match part {
        Part::Logs => return None,
        Part::Accounts => Listing {
            from: "SELECT user, handle, name, avatar, about, email, password, created_at, confirmed_at
                FROM users WHERE true",
            keys: &[("user", Key::Id)],
            record: |row| account_in(row).map(Record::Account),
        },
        Part::KeptHandles => Listing {
            from: "SELECT handle, user, until FROM kept_handles WHERE true",
            keys: &[("handle", Key::Text)],
            record: |row| {
                let (handle, user) = (row.get(0)?, UserId(id(row, 1)?));
                Ok(Record::KeptHandle { handle, user, until: timestamp(row, 2)? })
            },
        },
        Part::Sessions => Listing {
            from: "SELECT session, user, device, device_name, created_at, expires_at, revoked_at
                FROM sessions WHERE true",
            keys: &[("session", Key::Id)],
            record: |row| session_in(row).map(Record::Session),
        },
        Part::RefreshTokens => Listing {
            from: "SELECT hash, expires_at, session, replaced_by FROM refresh_tokens WHERE true",
            keys: &[("hash", Key::Hash)],
            record: |row| {
                let token = RefreshToken { hash: row.get(0)?, expires_at: timestamp(row, 1)? };
                let session = SessionId(id(row, 2)?);
                Ok(Record::RefreshToken { token, session, replaced_by: row.get(3)? })
            },
        },
        Part::Files => Listing {
            from: LIVING_EVER,
            keys: &[("file", Key::Id)],
            record: |row| file_record(row).map(Record::File),
        },
        part => return listing_of_rooms(part),
    })
}

fn listing_of_rooms(part: Part) -> Option<Listing> {
    Some(match part {
        Part::Avatars => Listing {
            from: "SELECT holder, place, file_links.file FROM file_links
                JOIN files ON files.file = file_links.file WHERE place <= 0 AND garbage_at IS NULL",
            keys: &[("holder", Key::Id), ("place", Key::Integer), ("file_links.file", Key::Id)],
            record: |row| {
                let holder = id(row, 0)?;
                let is_room = row.get::<_, i64>(1)? == 0;
                let of =
                    if is_room { AvatarOf::Room(RoomId(holder)) } else { AvatarOf::User(UserId(holder)) };
                Ok(Record::Avatar { of, file: FileId(id(row, 2)?) })
            },
        },
        Part::Cursors => Listing {
            from: "SELECT room, user, seq, ord, delivered FROM cursors WHERE true",
            keys: &[("room", Key::Id), ("user", Key::Id)],
            record: |row| {
                let (room, user) = (RoomId(id(row, 0)?), UserId(id(row, 1)?));
                let (read, read_ord, delivered) = (seq(row, 2)?, count(row, 3)?, seq(row, 4)?);
                Ok(Record::Cursor { room, user, read, read_ord, delivered })
            },
        },
        Part::Settings => Listing {
            from: "SELECT room, user, notify, muted_until, pinned, archived FROM settings WHERE true",
            keys: &[("room", Key::Id), ("user", Key::Id)],
            record: |row| {
                let (room, user) = (RoomId(id(row, 0)?), UserId(id(row, 1)?));
                Ok(Record::Settings { room, user, settings: settings_at(row, 2)? })
            },
        },
        Part::Notices => Listing {
            from: "SELECT user, room, seq, kind, by, at FROM notices WHERE true",
            keys: &[("user", Key::Id), ("room", Key::Id), ("seq", Key::Integer), ("kind", Key::Text)],
            record: |row| notice_in(row).map(Record::Notice),
        },
        part => return listing_of_people(part),
    })
}

fn listing_of_people(part: Part) -> Option<Listing> {
    Some(match part {
        Part::Blocks => Listing {
            from: "SELECT user, other, at FROM blocks WHERE true",
            keys: &[("user", Key::Id), ("other", Key::Id)],
            record: |row| {
                let (user, other) = (UserId(id(row, 0)?), UserId(id(row, 1)?));
                Ok(Record::Block { user, other, at: timestamp(row, 2)? })
            },
        },
        Part::Invites => Listing {
            from: "SELECT hash, room, by, created_at, expires_at, uses, used_at, revoked_at
                FROM invites WHERE true",
            keys: &[("hash", Key::Hash)],
            record: |row| {
                let moment =
                    |index| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(index)?.map(Timestamp));
                let invite = Invite {
                    hash: row.get(0)?,
                    room: RoomId(id(row, 1)?),
                    by: UserId(id(row, 2)?),
                    created_at: timestamp(row, 3)?,
                    expires_at: moment(4)?,
                    uses: row.get(5)?,
                };
                Ok(Record::Invite { invite, used_at: moment(6)?, revoked_at: moment(7)? })
            },
        },
        Part::InviteUses => Listing {
            from: "SELECT hash, user FROM invite_uses WHERE true",
            keys: &[("hash", Key::Hash), ("user", Key::Id)],
            record: |row| Ok(Record::InviteUse { hash: row.get(0)?, user: UserId(id(row, 1)?) }),
        },
        Part::SignIns => Listing {
            from: "SELECT key, version, body, expires_at FROM sign_ins WHERE expires_at IS NULL",
            keys: &[("key", Key::Hash)],
            record: |row| sign_in_in(row).map(Record::SignIn),
        },
        Part::LastSeen => Listing {
            from: "SELECT user, at FROM last_seen WHERE true",
            keys: &[("user", Key::Id)],
            record: |row| Ok(Record::LastSeen { user: UserId(id(row, 0)?), at: timestamp(row, 1)? }),
        },
        Part::Docket => Listing {
            from: "SELECT book, id, rev, body FROM docket WHERE true",
            keys: &[("book", Key::Integer), ("id", Key::Id)],
            record: |row| entry_in(row).map(Record::Entry),
        },
        _ => return None,
    })
}
