//! What an error of SQLite means: for one write, for all of them, or for the store.

use rookery_engine::store::StoreError;
use rusqlite::ErrorCode;

/// What an error inside a transaction calls for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// This statement can never succeed as it is; the others of its group can.
    Statement(StoreError),
    /// Nothing can be written now, or ever.
    Store(StoreError),
}

/// Sorts an error that came before COMMIT: nothing is applied once the transaction is rolled back.
pub(crate) fn before_commit(error: &rusqlite::Error) -> Failure {
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Failure::Store(StoreError::Fatal(reason))
        }
        // Without a code it is a value that does not fit its column, on the way in or out.
        Some(
            ErrorCode::ConstraintViolation
            | ErrorCode::TooBig
            | ErrorCode::TypeMismatch
            | ErrorCode::ParameterOutOfRange,
        )
        | None => Failure::Statement(StoreError::Refused(reason)),
        Some(_) => Failure::Store(StoreError::Refused(reason)),
    }
}

/// Sorts an error of COMMIT itself.
///
/// A full disk is noticed while frames are written, before the frame that makes them a commit is
/// whole (the files are opened with powersafe overwrite, so SQLite pads nothing after it). Any
/// other I/O error may be an fsync that failed, after which nobody knows what the disk holds
/// (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). So may one of
/// memory: SQLite still asks for some after the frames are synced, for its index of the log.
pub(crate) fn at_commit(error: &rusqlite::Error) -> StoreError {
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Refused(reason)
        }
        _ => StoreError::Fatal(reason),
    }
}

/// Sorts an error of a read.
pub(crate) fn at_read(error: &rusqlite::Error) -> StoreError {
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => StoreError::Fatal(reason),
        Some(_) => StoreError::Refused(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn a_commit_is_refused_only_where_it_cannot_be_on_the_disk() {
        let is_refused = |code| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            matches!(at_commit(&error), StoreError::Refused(_))
        };
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_LOCKED] {
            assert!(is_refused(code), "{code}");
        }
        for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_NOMEM] {
            assert!(!is_refused(code), "{code}");
        }
    }
}
