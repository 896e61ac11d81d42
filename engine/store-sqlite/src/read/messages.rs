//! Reading entries of pages: events with what became of them.

use super::log::{Which, event_at, log_no, walk};
use crate::columns::{count, integer, seq, timestamp};
use rookery_engine::store::Range;
use rookery_protocol::{Event, EventBody, Message, Preview, Reaction, RoomId, Seq, Timestamp, UserId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

pub(crate) fn page(
    snapshot: &Connection,
    room: RoomId,
    range: Range,
    (rows, reader): (usize, UserId),
) -> rusqlite::Result<Vec<Message>> {
    let Some(log) = log_no(snapshot, room)? else { return Ok(Vec::new()) };
    let entries = walk(snapshot, (room, log), range, (Which::Shown, rows))?;
    entries.into_iter().map(|event| shown(snapshot, log, event, reader)).collect()
}

pub(crate) fn messages(
    snapshot: &Connection,
    room: RoomId,
    mut seqs: Vec<Seq>,
    reader: UserId,
) -> rusqlite::Result<Vec<Message>> {
    seqs.sort_unstable();
    seqs.dedup();
    let Some(log) = log_no(snapshot, room)? else { return Ok(Vec::new()) };
    let mut messages = Vec::with_capacity(seqs.len());
    for seq in seqs {
        if let Some(event) = entry(snapshot, (room, log), seq)? {
            messages.push(shown(snapshot, log, event, reader)?);
        }
    }
    Ok(messages)
}

/// Returns how the newest message begins, if there is one from `joined` on.
pub(super) fn preview(
    snapshot: &Connection,
    (room, log): (RoomId, i64),
    newest: Seq,
    joined: Seq,
) -> rusqlite::Result<Option<Preview>> {
    if newest < joined {
        return Ok(None);
    }
    let Some(event) = entry(snapshot, (room, log), newest)? else { return Ok(None) };
    let by = event.by;
    let text = changed(snapshot, log, newest)?.shown(event).event.body.beginning();
    Ok(Some(Preview { by, text: text.unwrap_or_default() }))
}

/// Reads the entry at `seq`, if one is there.
fn entry(snapshot: &Connection, log: (RoomId, i64), seq: Seq) -> rusqlite::Result<Option<Event>> {
    Ok(event_at(snapshot, log, seq)?.filter(|event| !event.body.is_change()))
}

fn shown(snapshot: &Connection, log: i64, event: Event, reader: UserId) -> rusqlite::Result<Message> {
    let target = event.seq;
    let mut message = changed(snapshot, log, target)?.shown(event);
    if message.rev > Seq::ZERO {
        message.reactions = reactions(snapshot, log, target, reader)?;
    }
    Ok(message)
}

/// A row of `changes`; the default for a message that was not changed.
#[derive(Debug, Default)]
struct Changed {
    rev: Seq,
    edited: Option<(Timestamp, EventBody)>,
    is_deleted: bool,
    is_pinned: bool,
}

impl Changed {
    fn shown(self, mut event: Event) -> Message {
        let edited_at = self.edited.map(|(at, body)| {
            event.body = body;
            at
        });
        Message {
            event,
            rev: self.rev,
            edited_at,
            deleted: self.is_deleted,
            reactions: Vec::new(),
            pinned: self.is_pinned,
            quoted: None,
        }
    }
}

fn changed(snapshot: &Connection, log: i64, target: Seq) -> rusqlite::Result<Changed> {
    let query = "SELECT rev, edited_at, body, deleted, pinned FROM changes WHERE log = ? AND target = ?";
    let found = snapshot.prepare_cached(query)?.query_row([log, integer(target.0)], |row| {
        let edited = match row.get_ref(2)?.as_str_or_null()? {
            Some(body) => Some((timestamp(row, 1)?, message_body(body)?)),
            None => None,
        };
        Ok(Changed { rev: seq(row, 0)?, edited, is_deleted: row.get(3)?, is_pinned: row.get(4)? })
    });
    Ok(found.optional()?.unwrap_or_default())
}

fn message_body(text: &str) -> rusqlite::Result<EventBody> {
    EventBody::from_json("message", text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(2, Type::Text, Box::new(error)))
}

fn reactions(
    snapshot: &Connection,
    log: i64,
    target: Seq,
    reader: UserId,
) -> rusqlite::Result<Vec<Reaction>> {
    let query = "SELECT emoji, count, EXISTS (
            SELECT 1 FROM reactions AS own WHERE own.log = counts.log AND own.target = counts.target
                AND own.emoji = counts.emoji AND own.user = ?3
        ) FROM reaction_counts AS counts WHERE log = ?1 AND target = ?2 ORDER BY emoji";
    let reaction =
        |row: &Row<'_>| Ok(Reaction { emoji: row.get(0)?, count: count(row, 1)?, mine: row.get(2)? });
    let values = params![log, integer(target.0), reader.0.as_bytes()];
    snapshot.prepare_cached(query)?.query_map(values, reaction)?.collect()
}
