//! The store port: what the engine asks of whatever keeps rooms and accounts.
//!
//! Methods speak of rooms and users, never of tables. Every write can be sent again: it is named
//! by its key or guarded by an expected value, so the answer to "was it applied?" is always found
//! by sending the same write once more. Time is passed in. A store must pass the suite in
//! [`crate::contract`].

mod accounts;
mod activation;
mod credentials;
mod cursors;
mod docket;
mod files;
mod invites;
mod log;
mod mails;
mod metered;
mod notices;
mod people;
mod presence;
mod rooms;
mod sign_ins;
mod traces;
mod transfer;

pub use accounts::{
    Account, AccountCreated, Accounts, LoginSession, PURGE_ROWS, RefreshToken, Rotation, Ticket, TokenHash,
    may_repeat_rotation,
};
pub use activation::{Activation, Login, Opening};
pub use credentials::{AddressConfirmed, Credentials, Proof, ProofOf};
pub use cursors::{CursorKind, Cursors, Mark, MemberCursor, Reached};
pub use docket::{Book, Docket, Entry};
pub use files::{AvatarOf, Begun, Completed, FileContent, FileHash, FileRecord, Files, Thumb, Upload};
pub use invites::{Invite, InviteCreated, InviteUsed, Invites};
pub use log::{Append, AppendError, Log, Projection, Range, Receipt};
pub use mails::{Mail, Mails};
pub use metered::MeteredStore;
pub use notices::{Notice, NoticeKind, Notices};
pub use people::{BlockSet, People, ProfileChange, ProfileChanged, TextChange};
pub use presence::LastSeen;
pub use rooms::{Membership, RoomRecord, RoomState, Rooms, RoomsCursor, Settings, SettingsChange};
pub use sign_ins::{SignIn, SignIns};
pub use traces::Traces;
pub use transfer::{
    Asked, Batch, Export, Implied, Import, Page, Part, Place, Progress, Reading, Record, is_empty,
};

use rookery_protocol::{RoomId, SessionId, UserId};
use std::future::Future;
use std::pin::Pin;

/// What a store method returns: one boxed future a call, which is noise beside an fsync.
///
/// # Cancel safety
/// Dropping the future does not take the write back: it leaves its outcome unknown.
pub type Answer<'a, T, E = StoreError> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// Why a store did not do what it was asked. The three are never folded into one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Certainly not applied; the same call may succeed later.
    #[error("have the store apply it: {0}")]
    Refused(String),
    /// Applied or not: send the identical call again to find out.
    #[error("learn whether the store applied it: {0}")]
    Unknown(String),
    /// The store can no longer keep its promises; nothing is acked until the process is restarted.
    #[error("keep using the store: {0}")]
    Fatal(String),
}

/// Whether a store takes writes at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does.
    Ready,
    /// It refuses them for now (a full disk, say); reads go on.
    Refusing(String),
    /// It refuses them until the process is restarted; reads go on.
    Failed(String),
}

/// What the thread has done that commits: where it has begun more than it has ended and neither grows, it is
/// stuck, in a disk that does not answer or in a mistake of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commits {
    /// Groups of writes begun since the start.
    pub begun: u64,
    /// Groups answered since the start.
    pub ended: u64,
}

/// A store: a room log with its projections, the reads over them, cursors, notices, accounts,
/// mails, people, invites, what is known of files, what administration keeps and what is left of a user.
pub trait Store:
    Log
    + Rooms
    + Cursors
    + Notices
    + Accounts
    + Credentials
    + Mails
    + SignIns
    + LastSeen
    + People
    + Invites
    + Files
    + Docket
    + Traces
    + std::fmt::Debug
    + Send
    + Sync
    + 'static
{
    /// Returns what the actor of `room` begins with, of at most `members` members and `events` events, or
    /// `None` for a room without events.
    fn activation(&self, room: RoomId, members: usize, events: usize) -> Answer<'_, Option<Activation>>;

    /// Returns what `user` is told who opens `room`, with the cursors of its members where it has at most
    /// `cursors` of them; `None` where `user` is not a member now.
    fn opening(&self, room: RoomId, user: UserId, cursors: usize) -> Answer<'_, Option<Opening>>;

    /// Returns a login and whose it is, or `None` for one that never was.
    fn login(&self, session: SessionId) -> Answer<'_, Option<Login>>;

    /// Returns whether writes are taken. Costs nothing; never waits.
    fn health(&self) -> Health;

    /// Returns how far the thread has come that commits; a store without one has never begun. Costs nothing.
    fn commits(&self) -> Commits;

    /// Tries a small durable write, so that [`Health::Refusing`] ends when its cause does.
    fn probe(&self) -> Answer<'_, ()>;

    /// Finishes what was accepted, then refuses everything. Idempotent.
    fn close(&self) -> Answer<'_, ()>;
}
