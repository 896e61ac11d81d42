//! Reading logs.

use crate::columns::{LogNo, count, id, limit, optional_id, optional_seq, seq_of, timestamp};
use rookery_engine::store::{Range, Receipt};
use rookery_protocol::{ClientId, Event, EventBody, Head, RoomId, Seq, UserId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};

pub(crate) fn events(
    connection: &Connection,
    room: RoomId,
    range: Range,
    rows: usize,
) -> rusqlite::Result<Vec<Event>> {
    let Some(no) = log_no(connection, room)? else { return Ok(Vec::new()) };
    let columns = "SELECT id, ord, at, by, type, client_id, target, reply_to, body FROM events";
    let (query, from, to) = match range {
        Range::After(seq) => ("id > ? AND id < ? ORDER BY id LIMIT ?", no.id(seq), no.id(Seq(u64::MAX))),
        Range::Before(seq) => ("id > ? AND id < ? ORDER BY id DESC LIMIT ?", no.id(Seq::ZERO), no.id(seq)),
    };
    let mut query = connection.prepare_cached(&format!("{columns} WHERE {query}"))?;
    let found = query.query_map([from, to, limit(rows)], |row| event(row, room))?;
    let mut events = found.collect::<Result<Vec<_>, _>>()?;
    if let Range::Before(_) = range {
        events.reverse();
    }
    Ok(events)
}

pub(crate) fn find(
    connection: &Connection,
    room: RoomId,
    by: UserId,
    client_id: ClientId,
) -> rusqlite::Result<Option<Receipt>> {
    let query = "SELECT id, ord, at FROM events
        WHERE client_id = ? AND by = ? AND log = (SELECT no FROM logs WHERE room = ?)";
    let keys = [client_id.0.as_bytes(), by.0.as_bytes(), room.0.as_bytes()];
    let receipt =
        |row: &Row<'_>| Ok(Receipt { seq: seq_of(row.get(0)?), ord: count(row, 1)?, at: timestamp(row, 2)? });
    connection.prepare_cached(query)?.query_row(keys, receipt).optional()
}

pub(crate) fn head(connection: &Connection, room: RoomId) -> rusqlite::Result<Option<Head>> {
    let Some(no) = log_no(connection, room)? else { return Ok(None) };
    let query = "SELECT id, ord, at FROM events WHERE id > ? AND id < ? ORDER BY id DESC LIMIT 1";
    let bounds = [no.id(Seq::ZERO), no.id(Seq(u64::MAX))];
    connection.prepare_cached(query)?.query_row(bounds, |row| head_at(row, 0)).optional()
}

/// Returns the head in the columns `id, ord, at` from `first` on.
pub(super) fn head_at(row: &Row<'_>, first: usize) -> rusqlite::Result<Head> {
    let seq = seq_of(row.get(first)?);
    Ok(Head { seq, ord: count(row, first + 1)?, at: timestamp(row, first + 2)? })
}

fn log_no(connection: &Connection, room: RoomId) -> rusqlite::Result<Option<LogNo>> {
    let query = "SELECT no FROM logs WHERE room = ?";
    connection.prepare_cached(query)?.query_row([room.0.as_bytes()], |row| row.get(0).map(LogNo)).optional()
}

fn event(row: &Row<'_>, room: RoomId) -> rusqlite::Result<Event> {
    let body = EventBody::from_json(row.get_ref(4)?.as_str()?, row.get_ref(8)?.as_str()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(8, Type::Text, Box::new(error)))?;
    Ok(Event {
        room,
        seq: seq_of(row.get(0)?),
        ord: count(row, 1)?,
        at: timestamp(row, 2)?,
        by: UserId(id(row, 3)?),
        client_id: optional_id(row, 5)?.map(ClientId),
        target: optional_seq(row, 6)?,
        reply_to: optional_seq(row, 7)?,
        body,
    })
}
