//! What each write does inside the committer's transaction.
//!
//! Every one looks before it writes, so that the answers "stale", "taken" and "spent" leave the
//! transaction as it was and the other writes of the group go on.

mod accounts;
mod batch;
mod credentials;
mod cursors;
mod docket;
mod files;
mod import;
mod invites;
mod messages;
mod notices;
mod people;
mod presence;
mod projections;
mod sessions;
mod sign_ins;

pub(crate) use accounts::{create_account, replace_password};
pub(crate) use batch::Batch;
pub(crate) use credentials::{confirm_address, delay_mail, forget_mail, put_mail, put_proof, take_proof};
pub(crate) use cursors::{change_settings, mark};
pub(crate) use docket::{forget_entry, forget_traces, put_entry};
pub(crate) use files::{begin_upload, complete_upload, doom_file, doom_files, forget_files, hold_avatar};
pub(crate) use import::{Incoming, end_import};
pub(crate) use invites::{create_invite, revoke_invite, use_invite};
pub(crate) use notices::forget_notices;
pub(crate) use people::{block, change_profile, unblock};
pub(crate) use presence::seen;
pub(crate) use sessions::{begin_session, purge, put_ticket, revoke, rotate, take_ticket};
pub(crate) use sign_ins::put_sign_in;

use rusqlite::Connection;

/// Writes something, so that the commit shows whether the disk takes it.
pub(crate) fn probe(connection: &Connection) -> rusqlite::Result<()> {
    let statement =
        "INSERT INTO probe (one, writes) VALUES (1, 1) ON CONFLICT DO UPDATE SET writes = writes + 1";
    connection.prepare_cached(statement)?.execute([]).map(drop)
}
