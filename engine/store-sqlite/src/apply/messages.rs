//! Writing what became of a message. Each change applies only if it is newer than all before it.

use super::projections::Place;
use crate::columns::integer;
use crate::read::span_at;
use rookery_engine::store::Projection;
use rookery_protocol::Seq;
use rusqlite::{Connection, params};

/// A change of one message: its log, its position, and the position of the change.
#[derive(Clone, Copy, Debug)]
struct Change {
    log: i64,
    target: i64,
    rev: i64,
}

impl Change {
    fn new(place: Place, target: Seq, rev: Seq) -> Self {
        Self { log: place.log, target: integer(target.0), rev: integer(rev.0) }
    }

    /// Notes the change; `false` where the message has seen a newer one, or is deleted.
    fn is_newer(self, connection: &Connection) -> rusqlite::Result<bool> {
        let statement = "INSERT INTO changes (log, target, rev) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET rev = excluded.rev WHERE excluded.rev > rev AND NOT deleted";
        let values = [self.log, self.target, self.rev];
        Ok(connection.prepare_cached(statement)?.execute(values)? > 0)
    }
}

pub(super) fn apply(connection: &Connection, place: Place, projection: &Projection) -> rusqlite::Result<()> {
    match projection {
        Projection::Edited { target, rev, at, body } => {
            let change = Change::new(place, *target, *rev);
            if change.is_newer(connection)? {
                let text = serde_json::to_string(body)
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                let statement = "UPDATE changes SET edited_at = ?, body = ? WHERE log = ? AND target = ?";
                let values = params![at.0, text, change.log, change.target];
                connection.prepare_cached(statement)?.execute(values)?;
                forget_mentions(connection, place, change)?;
            }
        }
        Projection::Deleted { target, rev } => {
            let change = Change::new(place, *target, *rev);
            if change.is_newer(connection)? {
                delete(connection, place, change)?;
            }
        }
        Projection::Reacted { target, rev, user, emoji, on } => {
            let change = Change::new(place, *target, *rev);
            if change.is_newer(connection)? {
                react(connection, change, (user.0.as_bytes(), emoji), *on)?;
            }
        }
        Projection::Pinned { target, rev, on } => {
            let change = Change::new(place, *target, *rev);
            if change.is_newer(connection)? {
                let statement = "UPDATE changes SET pinned = ? WHERE log = ? AND target = ?";
                connection.prepare_cached(statement)?.execute(params![on, change.log, change.target])?;
            }
        }
        Projection::Room(_)
        | Projection::Member(_)
        | Projection::Read { .. }
        | Projection::Mention { .. }
        | Projection::Attach { .. }
        | Projection::Notice(_) => {}
    }
    Ok(())
}

/// Takes the content of a message away, wherever it is.
fn delete(connection: &Connection, place: Place, change: Change) -> rusqlite::Result<()> {
    let Change { log, target, .. } = change;
    let statement = "UPDATE changes SET deleted = 1, pinned = 0, body = NULL, edited_at = NULL
        WHERE log = ? AND target = ?";
    connection.prepare_cached(statement)?.execute([log, target])?;
    if let Some(span) = span_at(connection, log, target)? {
        let statement =
            "UPDATE events SET body = '{}' WHERE span = ? AND log = ? AND seq = ? AND type = 'message'";
        connection.prepare_cached(statement)?.execute([span, log, target])?;
    }
    for statement in [
        "UPDATE events SET body = '{}' WHERE log = ? AND target = ? AND type = 'edit'",
        "DELETE FROM reactions WHERE log = ? AND target = ?",
        "DELETE FROM reaction_counts WHERE log = ? AND target = ?",
    ] {
        connection.prepare_cached(statement)?.execute([log, target])?;
    }
    forget_mentions(connection, place, change)
}

fn react(
    connection: &Connection,
    change: Change,
    (user, emoji): (&[u8; 16], &str),
    on: bool,
) -> rusqlite::Result<()> {
    let Change { log, target, .. } = change;
    let statement = if on {
        "INSERT INTO reactions (log, target, emoji, user) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM reactions WHERE log = ? AND target = ? AND emoji = ? AND user = ?"
    };
    if connection.prepare_cached(statement)?.execute(params![log, target, emoji, user])? == 0 {
        return Ok(());
    }
    let statement = if on {
        "INSERT INTO reaction_counts (log, target, emoji, count) VALUES (?, ?, ?, 1)
            ON CONFLICT DO UPDATE SET count = count + 1"
    } else {
        "UPDATE reaction_counts SET count = count - 1 WHERE log = ? AND target = ? AND emoji = ?"
    };
    connection.prepare_cached(statement)?.execute(params![log, target, emoji])?;
    let statement = "DELETE FROM reaction_counts WHERE log = ? AND target = ? AND emoji = ? AND count = 0";
    connection.prepare_cached(statement)?.execute(params![log, target, emoji]).map(drop)
}

fn forget_mentions(connection: &Connection, place: Place, change: Change) -> rusqlite::Result<()> {
    let statement = "DELETE FROM mentions WHERE room = ? AND seq = ?";
    connection.prepare_cached(statement)?.execute(params![place.room.0.as_bytes(), change.target]).map(drop)
}
