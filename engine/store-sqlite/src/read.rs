//! What each read does on a reader's connection.
//!
//! A read of several statements that must agree runs them in one transaction, so in one snapshot.

mod accounts;
mod log;
mod rooms;
mod search;

pub(crate) use accounts::{account_by_email, session, users};
pub(crate) use log::{events, find, head};
pub(crate) use rooms::{members, room, room_state, rooms_of, total_unread};
pub(crate) use search::{Scope, scope};
