//! The account half of the store port: users, login sessions, refresh tokens and tickets.

use super::Answer;
use crate::limits::REFRESH_AGAIN_MS;
use rookery_protocol::{DeviceId, SessionId, Timestamp, User, UserId};
use serde::{Deserialize, Serialize};

/// Rows of one kind that one [`Accounts::purge`] forgets at most.
///
/// About a thousand small deletes are a few milliseconds of the one writer that an embedded store
/// has; the sweeper that calls it comes again.
pub const PURGE_ROWS: usize = 1000;

/// SHA-256 of a secret that only its holder knows; the secret itself is never stored.
pub type TokenHash = [u8; 32];

/// A user and how it proves who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What others see.
    pub user: User,
    /// The address, normalised; unique.
    pub email: String,
    /// The password's hash as a PHC string.
    pub password: String,
    /// When it registered.
    pub created_at: Timestamp,
    /// When it first proved that it reads mail at the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
}

/// What became of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountCreated {
    /// The account exists now; also the answer when its user id exists already, which is how the
    /// same account sent again is known.
    Created,
    /// Another account has the address.
    EmailTaken,
    /// Another account has the handle; also where the address is taken too, so that asking for a
    /// handle that is known to be taken does not tell whether an address is.
    HandleTaken,
}

/// A login: what a refresh token belongs to and what is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginSession {
    /// Which.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
    /// The device, as the client named it.
    pub device: Option<DeviceId>,
    /// Its name, for people.
    pub device_name: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// It ends then, however often it is refreshed.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl LoginSession {
    /// Returns whether it is neither revoked nor expired at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// Returns when it ended or will end.
    pub fn ends_at(&self) -> Timestamp {
        self.revoked_at.map_or(self.expires_at, |revoked_at| revoked_at.min(self.expires_at))
    }
}

/// A refresh token of a login session. Exactly one of a session is current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// Its hash.
    pub hash: TokenHash,
    /// Good before then.
    pub expires_at: Timestamp,
}

/// What became of a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The old token is spent and the new one is current.
    Rotated(LoginSession),
    /// The old token had been spent already: the session is now revoked.
    Reused(SessionId),
    /// There is no such token, or it or its session has expired or been revoked.
    Invalid,
}

/// Returns whether a token that was spent at `spent_at` is answered once more at `now` with what it was spent
/// for, where that was not spent itself; one of which that moment is not known is not.
pub fn may_repeat_rotation(spent_at: Option<Timestamp>, now: Timestamp) -> bool {
    spent_at.is_some_and(|spent_at| now < spent_at.plus_millis(REFRESH_AGAIN_MS))
}

/// A one-use ticket that opens a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its hash.
    pub hash: TokenHash,
    /// Whose.
    pub user: UserId,
    /// The login session that asked for it.
    pub session: SessionId,
    /// Good before then.
    pub expires_at: Timestamp,
}

/// Users and their logins. Every write is a compare-and-set.
pub trait Accounts {
    /// Creates an account if its address and its handle are free; the handle is looked at first.
    fn create_account(&self, account: Account) -> Answer<'_, AccountCreated>;

    /// Finds an account by its normalised address.
    fn account_by_email<'a>(&'a self, email: &'a str) -> Answer<'a, Option<Account>>;

    /// Replaces the password hash of `user` if it still is `old`. Returns whether it is `new` now,
    /// so the same call sent again answers as the first time.
    fn replace_password<'a>(&'a self, user: UserId, old: &'a str, new: &'a str) -> Answer<'a, bool>;

    /// Returns the users that exist among `ids`, each once, in no particular order.
    fn users<'a>(&'a self, ids: &'a [UserId]) -> Answer<'a, Vec<User>>;

    /// Begins a login session with its first refresh token; one that exists already is left alone.
    fn begin_session(&self, session: LoginSession, token: RefreshToken) -> Answer<'_, ()>;

    /// Returns a login session, revoked and expired ones included.
    fn session(&self, session: SessionId) -> Answer<'_, Option<LoginSession>>;

    /// Spends `old` and makes `new` current, at `now`; a spent token revokes its session.
    ///
    /// Sending the same pair again within [`crate::limits::REFRESH_AGAIN_MS`] answers as the first time, as long as
    /// `new` was not spent itself: whoever has spent it has it, so it is somebody else who asks. Where the session
    /// has ended since, the answer is [`Rotation::Invalid`].
    fn rotate(&self, old: TokenHash, new: RefreshToken, now: Timestamp) -> Answer<'_, Rotation>;

    /// Revokes a login session at `now`. Returns whether it was live until then; the same call sent
    /// again answers as the first time.
    fn revoke(&self, session: SessionId, now: Timestamp) -> Answer<'_, bool>;

    /// Keeps a ticket until it is taken or expires.
    fn put_ticket(&self, ticket: Ticket) -> Answer<'_, ()>;

    /// Takes a ticket if it is good at `now`; at most one of any number of callers gets it. After
    /// [`StoreError::Unknown`](super::StoreError::Unknown) it may be gone without anybody having it.
    fn take_ticket(&self, hash: TokenHash, now: Timestamp) -> Answer<'_, Option<Ticket>>;

    /// Forgets tokens, tickets, proofs and sessions that ended before `before`, at most [`PURGE_ROWS`] of each
    /// kind, the ones that ended first.
    fn purge(&self, before: Timestamp) -> Answer<'_, ()>;
}
