//! Writing what is known of files.

use crate::columns::{id, integer, limit};
use crate::read;
use rookery_engine::store::{AvatarOf, Begun, Completed, FileContent, FileRecord, Upload};
use rookery_protocol::{FileId, RoomId, Seq, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, params};

/// Since when a file is garbage whose bytes are being deleted.
const DOOMED: i64 = -1;

/// What refers to files, as in the columns `holder` and `place`.
pub(super) type Holder = ([u8; 16], i64);

pub(super) fn avatar(of: AvatarOf) -> Holder {
    match of {
        AvatarOf::Room(room) => (room.0.into_bytes(), 0),
        AvatarOf::User(user) => (user.0.into_bytes(), -1),
    }
}

pub(crate) fn begin_upload(connection: &Connection, upload: &Upload, quota: u64) -> rusqlite::Result<Begun> {
    let file = upload.file.0.as_bytes();
    if connection.prepare_cached("SELECT 1 FROM files WHERE file = ?")?.exists([file])? {
        return Ok(Begun::Begun);
    }
    let charge = FileRecord { upload: upload.clone(), content: None }.charge();
    let query = "SELECT bytes FROM file_usage WHERE user = ?";
    let owner = upload.owner.0.as_bytes();
    let used = connection.prepare_cached(query)?.query_row([owner], |row| crate::columns::count(row, 0));
    let used = used.optional()?.unwrap_or(0);
    if used.saturating_add(charge) > quota {
        return Ok(Begun::OverQuota(used));
    }
    let statement = "INSERT INTO files (file, owner, name, hint, size, expires_at, charge, garbage_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6)";
    let Upload { name, hint, size, expires_at, .. } = upload;
    let values = params![file, owner, name, hint, integer(*size), expires_at.0, integer(charge)];
    connection.prepare_cached(statement)?.execute(values)?;
    charge_by(connection, upload.owner, integer(charge))?;
    Ok(Begun::Begun)
}

pub(crate) fn complete_upload(
    connection: &Connection,
    file: FileId,
    content: &FileContent,
    now: Timestamp,
) -> rusqlite::Result<Completed> {
    let Some(mut record) = read::file(connection, file, now)? else { return Ok(Completed::Gone) };
    if let Some(earlier) = &record.content {
        let is_same = earlier.hash == content.hash;
        return Ok(if is_same { Completed::Complete(Box::new(record)) } else { Completed::Differs });
    }
    let before = record.charge();
    record.content = Some(content.clone());
    let charge = integer(record.charge());
    let FileContent { mime, size, hash, width, height, thumb } = content;
    let statement = "UPDATE files SET mime = ?, stored = ?, hash = ?, width = ?, height = ?, thumb_mime = ?,
        thumb_size = ?, charge = ? WHERE file = ?";
    connection.prepare_cached(statement)?.execute(params![
        mime,
        integer(*size),
        hash,
        width,
        height,
        thumb.as_ref().map(|thumb| &thumb.mime),
        thumb.as_ref().map(|thumb| integer(thumb.size)),
        charge,
        file.0.as_bytes(),
    ])?;
    charge_by(connection, record.upload.owner, charge - integer(before))?;
    Ok(Completed::Complete(Box::new(record)))
}

pub(crate) fn hold_avatar(
    connection: &Connection,
    of: AvatarOf,
    file: Option<FileId>,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    if let Some(file) = file {
        let record = read::file(connection, file, now)?;
        if record.is_none_or(|record| record.content.is_none()) {
            return Ok(false);
        }
    }
    replace(connection, avatar(of), file.as_slice())?;
    Ok(true)
}

/// Has the message at `seq` carry exactly `files`, unless it is known as of a later position.
pub(super) fn attach(
    connection: &Connection,
    (room, seq): (RoomId, Seq),
    files: &[FileId],
    rev: Seq,
) -> rusqlite::Result<()> {
    let statement = "INSERT INTO file_sets (room, seq, rev) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET rev = excluded.rev WHERE excluded.rev > rev";
    let (room, seq) = (room.0.into_bytes(), integer(seq.0));
    let changed = connection.prepare_cached(statement)?.execute(params![room, seq, integer(rev.0)])?;
    if changed == 0 {
        return Ok(());
    }
    replace(connection, (room, seq), files)
}

/// Has `holder` refer to exactly `files`.
pub(super) fn replace(
    connection: &Connection,
    (holder, place): Holder,
    files: &[FileId],
) -> rusqlite::Result<()> {
    let query = "SELECT file FROM file_links WHERE holder = ? AND place = ?";
    let mut query = connection.prepare_cached(query)?;
    let before = query.query_map(params![holder, place], |row| id(row, 0).map(FileId))?;
    let before: Vec<FileId> = before.collect::<Result<_, _>>()?;
    for file in files {
        let statement = "INSERT INTO file_links (holder, place, file)
            SELECT ?, ?, file FROM files WHERE file = ? ON CONFLICT DO NOTHING";
        connection.prepare_cached(statement)?.execute(params![holder, place, file.0.as_bytes()])?;
    }
    for file in before.iter().filter(|file| !files.contains(file)) {
        let statement = "DELETE FROM file_links WHERE holder = ? AND place = ? AND file = ?";
        connection.prepare_cached(statement)?.execute(params![holder, place, file.0.as_bytes()])?;
    }
    for file in before.iter().chain(files) {
        let statement = "UPDATE files
            SET garbage_at = iif(EXISTS (SELECT 1 FROM file_links WHERE file_links.file = ?1), NULL, 0)
            WHERE file = ?1 AND garbage_at IS NOT ?2";
        connection.prepare_cached(statement)?.execute(params![file.0.as_bytes(), DOOMED])?;
    }
    Ok(())
}

pub(crate) fn doom_files(
    connection: &Connection,
    now: Timestamp,
    rows: usize,
) -> rusqlite::Result<Vec<FileId>> {
    let query = "SELECT file FROM files WHERE garbage_at <= ? ORDER BY garbage_at, file LIMIT ?";
    let mut query = connection.prepare_cached(query)?;
    let doomed = query.query_map(params![now.0, limit(rows)], |row| id(row, 0).map(FileId))?;
    let doomed: Vec<FileId> = doomed.collect::<Result<_, _>>()?;
    let statement = "UPDATE files SET garbage_at = ?1 WHERE file = ?2 AND garbage_at <> ?1";
    let mut statement = connection.prepare_cached(statement)?;
    for file in &doomed {
        statement.execute(params![DOOMED, file.0.as_bytes()])?;
    }
    Ok(doomed)
}

/// Takes the life of one file, whatever refers to it.
pub(crate) fn doom_file(connection: &Connection, file: FileId) -> rusqlite::Result<()> {
    let statement = "UPDATE files SET garbage_at = ?1 WHERE file = ?2 AND garbage_at IS NOT ?1";
    connection.prepare_cached(statement)?.execute(params![DOOMED, file.0.as_bytes()]).map(drop)
}

pub(crate) fn forget_files(connection: &Connection, ids: &[FileId]) -> rusqlite::Result<()> {
    for file in ids {
        let statement = "DELETE FROM files WHERE file = ? AND garbage_at = ? RETURNING owner, charge";
        let owner = |row: &rusqlite::Row<'_>| Ok((UserId(id(row, 0)?), row.get::<_, i64>(1)?));
        let forgotten = connection
            .prepare_cached(statement)?
            .query_row(params![file.0.as_bytes(), DOOMED], owner)
            .optional()?;
        if let Some((owner, charge)) = forgotten {
            charge_by(connection, owner, -charge)?;
            let statement = "DELETE FROM file_links WHERE file = ?";
            connection.prepare_cached(statement)?.execute([file.0.as_bytes()])?;
        }
    }
    Ok(())
}

pub(super) fn charge_by(connection: &Connection, user: UserId, bytes: i64) -> rusqlite::Result<()> {
    let statement = "INSERT INTO file_usage (user, bytes) VALUES (?, ?)
        ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes";
    connection.prepare_cached(statement)?.execute(params![user.0.as_bytes(), bytes]).map(drop)
}
