//! Reading what is known of files.

use crate::columns::{count, id, timestamp};
use rookery_engine::store::{FileContent, FileRecord, Thumb, Upload};
use rookery_protocol::{FileId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The files that live at `?1`.
const LIVING: &str = "
    SELECT file, owner, name, hint, size, expires_at, mime, stored, hash, width, height, thumb_mime, thumb_size
    FROM files WHERE (garbage_at IS NULL OR garbage_at > ?1)";

/// The files that live at some time.
pub(super) const LIVING_EVER: &str = "
    SELECT file, owner, name, hint, size, expires_at, mime, stored, hash, width, height, thumb_mime, thumb_size
    FROM files WHERE (garbage_at IS NULL OR garbage_at > 0)";

pub(crate) fn file(
    connection: &Connection,
    file: FileId,
    now: Timestamp,
) -> rusqlite::Result<Option<FileRecord>> {
    let query = format!("{LIVING} AND file = ?2");
    let values = params![now.0, file.0.as_bytes()];
    connection.prepare_cached(&query)?.query_row(values, record).optional()
}

pub(crate) fn readable_files(
    snapshot: &Connection,
    user: UserId,
    mut ids: Vec<FileId>,
    now: Timestamp,
) -> rusqlite::Result<Vec<FileRecord>> {
    ids.sort_unstable();
    ids.dedup();
    let query = format!(
        "{LIVING} AND file = ?2 AND mime IS NOT NULL AND (owner = ?3 OR EXISTS (
            SELECT 1 FROM file_links
            LEFT JOIN members
                ON members.room = file_links.holder AND members.user = ?3 AND members.role IS NOT NULL
            WHERE file_links.file = ?2 AND (
                file_links.place = -1
                OR file_links.place = 0 AND members.room IS NOT NULL
                OR file_links.place >= members.joined
            )
        ))"
    );
    let mut query = snapshot.prepare_cached(&query)?;
    let found = ids
        .iter()
        .map(|file| query.query_row(params![now.0, file.0.as_bytes(), user.0.as_bytes()], record).optional());
    found.filter_map(Result::transpose).collect()
}

pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<FileRecord> {
    let upload = Upload {
        file: FileId(id(row, 0)?),
        owner: UserId(id(row, 1)?),
        name: row.get(2)?,
        hint: row.get(3)?,
        size: count(row, 4)?,
        expires_at: timestamp(row, 5)?,
    };
    let Some(mime) = row.get(6)? else { return Ok(FileRecord { upload, content: None }) };
    let thumb = match row.get(11)? {
        Some(mime) => Some(Thumb { mime, size: count(row, 12)? }),
        None => None,
    };
    let (width, height) = (row.get(9)?, row.get(10)?);
    let content = FileContent { mime, size: count(row, 7)?, hash: row.get(8)?, width, height, thumb };
    Ok(FileRecord { upload, content: Some(content) })
}
