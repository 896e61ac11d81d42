//! What a search does on the index: one query of FTS5, read newest first and filtered.
//!
//! Nothing of a person's query gets into FTS5's language: words have letters, digits and what is
//! beyond ASCII only, and each phrase is quoted.

use crate::read::Scope;
use rookery_engine::search::{Hit, Hits, Phrase, SearchError, SearchQuery};
use rookery_engine::store::StoreError;
use rookery_protocol::{BodyKind, Seq};
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use std::fmt::Write;
use std::time::Duration;
use tokio::time::Instant;

/// Rows that one search looks at; each costs some microseconds. Where fewer of them are hits than
/// were asked for, the page is short.
const ROWS: usize = 5000;

/// How long one search reads; then the page ends where it is.
const READS_FOR: Duration = Duration::from_secs(1);

/// Steps of SQLite's machine between two looks at the time.
const STEPS: i32 = 500;

/// Rooms of a user that are named to FTS5; of somebody with more, rows are looked up one by one.
/// Each room is one more list to merge, about 0.1 ms of opening.
const NAMED_ROOMS: usize = 256;

/// Milliseconds of a day, as the index counts them.
const DAY: i64 = 86_400_000;

/// Why nothing was found out.
#[derive(Debug)]
pub(super) enum FindError {
    TooWide,
    Index(rusqlite::Error),
}

impl From<rusqlite::Error> for FindError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => Self::TooWide,
            _ => Self::Index(error),
        }
    }
}

impl From<FindError> for SearchError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::TooWide => Self::TooWide,
            FindError::Index(error) => StoreError::Refused(error.to_string()).into(),
        }
    }
}

/// Returns the row that a page begins below.
pub(super) fn parse_cursor(text: &str) -> Result<i64, SearchError> {
    text.parse().ok().filter(|below| *below > 0).ok_or(SearchError::Cursor)
}

/// Returns a user as one word of the index.
pub(super) fn user_word(user: [u8; 16]) -> String {
    hex(&user)
}

/// Returns a kind as one word of the index: it may have points, which separate words.
pub(super) fn kind_word(kind: &BodyKind) -> String {
    hex(kind.as_str().as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Searches in `scope`, below the row `from` where a page went before.
pub(super) fn run(
    connection: &mut Connection,
    query: &SearchQuery,
    scope: &Scope,
    from: Option<i64>,
) -> Result<Hits, FindError> {
    let end = Instant::now() + READS_FOR;
    connection.progress_handler(STEPS, Some(move || Instant::now() >= end))?;
    let found = page(connection, query, scope, from);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    found
}

fn page(
    snapshot: &Connection,
    query: &SearchQuery,
    scope: &Scope,
    from: Option<i64>,
) -> Result<Hits, FindError> {
    // What came later is not for this search: the membership was looked at then.
    let mut newest = from.map_or(scope.newest, |from| scope.newest.min(from - 1));
    if let Some(before) = query.before {
        newest = newest.min(newest_before(snapshot, before.0)?);
    }
    if scope.rooms.is_empty() || newest <= 0 {
        return Ok(Hits::default());
    }
    let rows = "SELECT rowid, log, seq, at FROM messages
        WHERE messages MATCH ? AND rowid <= ? ORDER BY rowid DESC";
    let mut rows = snapshot.prepare_cached(rows)?;
    let mut rows = rows.query((expression(query, scope), newest))?;
    let (mut hits, mut last) = (Vec::new(), None);
    for looked_at in 0_usize.. {
        let row = match rows.next().map_err(FindError::from) {
            Ok(None) => return Ok(Hits { hits, next: None }),
            Ok(Some(row)) => row,
            Err(FindError::TooWide) if last.is_some() => break,
            Err(error) => return Err(error),
        };
        // There is one more, so there is a next page.
        if hits.len() == query.limit || looked_at == ROWS {
            break;
        }
        last = Some(row.get::<_, i64>(0)?);
        let (log, seq, at) = (row.get(1)?, crate::columns::seq(row, 2)?, row.get::<_, i64>(3)?);
        if query.before.is_none_or(|before| at < before.0) {
            hits.extend(hit(scope, log, seq));
        }
    }
    Ok(Hits { hits, next: last.map(|last| last.to_string()) })
}

/// Returns the hit at a position, if the user may read it.
fn hit(scope: &Scope, log: i64, seq: Seq) -> Option<Hit> {
    let (room, joined) = *scope.rooms.get(&log)?;
    (seq >= joined).then_some(Hit { room, seq })
}

/// Returns a row that no message from before `before` is above.
fn newest_before(connection: &Connection, before: i64) -> rusqlite::Result<i64> {
    let query = "SELECT max(last) FROM days WHERE day <= ?";
    let day = before.saturating_sub(1).div_euclid(DAY);
    let newest = connection.prepare_cached(query)?.query_row([day], |row| row.get(0)).optional()?;
    Ok(newest.flatten().unwrap_or(0))
}

/// Writes the query in FTS5's language.
fn expression(query: &SearchQuery, scope: &Scope) -> String {
    let phrases: Vec<String> = query.terms.phrases().iter().map(phrase).collect();
    let mut text = format!("text : ({})", phrases.join(" AND "));
    let mut and = |column: &str, words: String| {
        // Writing to a string cannot fail.
        let _ = write!(text, " AND {column} : ({words})");
    };
    if scope.rooms.len() <= NAMED_ROOMS {
        let logs: Vec<String> = scope.rooms.keys().map(|log| format!("\"{log}\"")).collect();
        and("log", logs.join(" OR "));
    }
    if let Some(from) = query.from {
        and("author", format!("\"{}\"", user_word(from.0.into_bytes())));
    }
    if let Some(kind) = &query.kind {
        and("kind", format!("\"{}\"", kind_word(kind)));
    }
    text
}

fn phrase(phrase: &Phrase) -> String {
    format!("\"{}\"{}", phrase.words.join(" "), if phrase.is_prefix { "*" } else { "" })
}
