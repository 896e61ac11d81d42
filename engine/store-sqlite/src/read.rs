//! What each read does on a reader's connection.
//!
//! A read of several statements that must agree runs them in one transaction, so in one snapshot.

mod accounts;
mod activation;
mod cursors;
mod docket;
mod export;
mod files;
mod log;
mod messages;
mod notices;
mod people;
mod presence;
mod rooms;
mod search;
mod sign_ins;

pub(crate) use accounts::{account, account_by_email, mails_due, session, sessions_of, users};
pub(crate) use activation::{activation, login, opening};
pub(crate) use cursors::{cursors, reached, settings};
pub(crate) use docket::{blocks_of, entries, entry, files_of, rooms_ever};
pub(crate) use export::{implied, importing, log, rooms, rows};
pub(crate) use files::{file, readable_files};
pub(crate) use log::{events, find, head, ord_at, span_at};
pub(crate) use messages::{messages, page};
pub(crate) use notices::notices;
pub(crate) use people::{blocks_between, invite, user, users_by_handle};
pub(crate) use presence::last_seen;
pub(crate) use rooms::{members, room, room_state, room_states, rooms_of, total_unread};
pub(crate) use search::{Scope, scope};
pub(crate) use sign_ins::sign_in;
