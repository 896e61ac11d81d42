//! What each read does on a reader's connection.
//!
//! A read of several statements that must agree runs them in one transaction, so in one snapshot.

mod accounts;
mod files;
mod log;
mod rooms;

pub(crate) use accounts::{account_by_email, session, users};
pub(crate) use files::{file, readable_files};
pub(crate) use log::{events, find, head};
pub(crate) use rooms::{members, room, room_state, rooms_of, total_unread};
