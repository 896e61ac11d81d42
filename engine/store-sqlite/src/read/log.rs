//! Reading logs.

use crate::columns::{count, id, integer, limit, optional_id, optional_seq, seq, timestamp};
use rookery_engine::store::{Range, Receipt};
use rookery_protocol::{ClientId, Event, EventBody, Head, RoomId, Seq, UserId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};

/// Columns that [`event`] reads.
const EVENT: &str = "SELECT seq, ord, at, by, type, client_id, target, reply_to, body FROM events";

pub(crate) fn events(
    snapshot: &Connection,
    room: RoomId,
    range: Range,
    rows: usize,
) -> rusqlite::Result<Vec<Event>> {
    let Some(log) = log_no(snapshot, room)? else { return Ok(Vec::new()) };
    walk(snapshot, (room, log), range, (Which::All, rows))
}

/// Which events of a log are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Entries of a page.
    Shown,
}

/// Reads at most `rows` events of the log with the number `log`, span by span.
pub(super) fn walk(
    snapshot: &Connection,
    (room, log): (RoomId, i64),
    range: Range,
    (which, rows): (Which, usize),
) -> rusqlite::Result<Vec<Event>> {
    let shown = if which == Which::Shown { "AND shown" } else { "" };
    let (spans, page, seq) = match range {
        Range::After(seq) => (
            "SELECT span FROM spans WHERE log = ?1 AND first >= ifnull(
                (SELECT max(first) FROM spans WHERE log = ?1 AND first <= ?2), 0) ORDER BY first",
            "AND seq > ? ORDER BY seq LIMIT ?",
            seq,
        ),
        Range::Before(seq) => (
            "SELECT span FROM spans WHERE log = ? AND first < ? ORDER BY first DESC",
            "AND seq < ? ORDER BY seq DESC LIMIT ?",
            seq,
        ),
    };
    let seq = integer(seq.0);
    let mut spans = snapshot.prepare_cached(spans)?;
    let mut page = snapshot.prepare_cached(&format!("{EVENT} WHERE span = ? AND log = ? {shown} {page}"))?;
    let mut spans = spans.query([log, seq])?;
    let mut events = Vec::new();
    while events.len() < rows {
        let Some(span) = spans.next()? else { break };
        let found =
            page.query_map([span.get(0)?, log, seq, limit(rows - events.len())], |row| event(row, room))?;
        for event in found {
            events.push(event?);
        }
    }
    if let Range::Before(_) = range {
        events.reverse();
    }
    Ok(events)
}

/// Reads the event at `seq` of the log with the number `log`, if one is there.
pub(super) fn event_at(
    snapshot: &Connection,
    (room, log): (RoomId, i64),
    at: Seq,
) -> rusqlite::Result<Option<Event>> {
    let at = integer(at.0);
    let Some(span) = span_at(snapshot, log, at)? else { return Ok(None) };
    let query = format!("{EVENT} WHERE span = ? AND log = ? AND seq = ?");
    let found = snapshot.prepare_cached(&query)?.query_row([span, log, at], |row| event(row, room));
    found.optional()
}

pub(crate) fn find(
    connection: &Connection,
    room: RoomId,
    by: UserId,
    client_id: ClientId,
) -> rusqlite::Result<Option<Receipt>> {
    let query = "SELECT seq, ord, at FROM events
        WHERE client_id = ? AND by = ? AND log = (SELECT no FROM logs WHERE room = ?)";
    let keys = [client_id.0.as_bytes(), by.0.as_bytes(), room.0.as_bytes()];
    let receipt =
        |row: &Row<'_>| Ok(Receipt { seq: seq(row, 0)?, ord: count(row, 1)?, at: timestamp(row, 2)? });
    connection.prepare_cached(query)?.query_row(keys, receipt).optional()
}

pub(crate) fn head(connection: &Connection, room: RoomId) -> rusqlite::Result<Option<Head>> {
    let query = "SELECT seq, ord, at FROM logs WHERE room = ? AND seq > 0";
    connection.prepare_cached(query)?.query_row([room.0.as_bytes()], |row| head_at(row, 0)).optional()
}

/// Returns the span in which the position `seq` of a log is.
pub(crate) fn span_at(connection: &Connection, log: i64, seq: i64) -> rusqlite::Result<Option<i64>> {
    let query = "SELECT span FROM spans WHERE log = ? AND first <= ? ORDER BY first DESC LIMIT 1";
    connection.prepare_cached(query)?.query_row([log, seq], |row| row.get(0)).optional()
}

/// Returns how many messages a log has up to `seq`; 0 for a position that it does not have.
pub(crate) fn ord_at(connection: &Connection, room: RoomId, seq: Seq) -> rusqlite::Result<u64> {
    let seq = integer(seq.0);
    let Some(log) = log_no(connection, room)? else { return Ok(0) };
    let Some(span) = span_at(connection, log, seq)? else { return Ok(0) };
    let query = "SELECT ord FROM events WHERE span = ? AND log = ? AND seq <= ? ORDER BY seq DESC LIMIT 1";
    let found = connection.prepare_cached(query)?.query_row([span, log, seq], |row| count(row, 0));
    Ok(found.optional()?.unwrap_or_default())
}

/// Returns the head in the columns `seq, ord, at` from `first` on.
pub(super) fn head_at(row: &Row<'_>, first: usize) -> rusqlite::Result<Head> {
    Ok(Head { seq: seq(row, first)?, ord: count(row, first + 1)?, at: timestamp(row, first + 2)? })
}

pub(super) fn log_no(connection: &Connection, room: RoomId) -> rusqlite::Result<Option<i64>> {
    let query = "SELECT no FROM logs WHERE room = ?";
    connection.prepare_cached(query)?.query_row([room.0.as_bytes()], |row| row.get(0)).optional()
}

fn event(row: &Row<'_>, room: RoomId) -> rusqlite::Result<Event> {
    let body = EventBody::from_json(row.get_ref(4)?.as_str()?, row.get_ref(8)?.as_str()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(8, Type::Text, Box::new(error)))?;
    Ok(Event {
        room,
        seq: seq(row, 0)?,
        ord: count(row, 1)?,
        at: timestamp(row, 2)?,
        by: UserId(id(row, 3)?),
        client_id: optional_id(row, 5)?.map(ClientId),
        target: optional_seq(row, 6)?,
        reply_to: optional_seq(row, 7)?,
        body,
    })
}
