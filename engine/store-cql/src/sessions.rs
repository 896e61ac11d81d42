//! Login sessions, refresh tokens and tickets: one partition each, every write under a condition.
//!
//! Whatever ends is forgotten twice: at once by a mark, before which ended rows are not seen any more, and
//! for good by the time to live that each row is written with. So a purge costs one write, however much it
//! forgets. The mark is read when the store is opened and moved by the node's own purges.

use crate::CqlStore;
use crate::cql::{Conditional, Cql, Decided, Read, Write};
use crate::turns::Tries;
use rookery_engine::store::{LoginSession, RefreshToken, Rotation, StoreError, Ticket, TokenHash};
use rookery_protocol::{DeviceId, SessionId, Timestamp, UserId};
use scylla::errors::PrepareError;
use scylla::serialize::value::SerializeValue;
use scylla::value::{CqlValue, MaybeUnset};
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// Seconds that a row outlasts its end by: who purges comes every few minutes.
const KEPT_SECONDS: i64 = 24 * 60 * 60;

/// The longest time to live that is asked for, of the 20 years that a server takes.
const LONGEST_SECONDS: i64 = 10 * 365 * 24 * 60 * 60;

/// The statements.
#[derive(Debug)]
pub(crate) struct SessionStatements {
    session: Read,
    settled_session: Read,
    begin_session: Conditional,
    drop_session: Conditional,
    revoke: Conditional,
    token: Read,
    put_token: Conditional,
    drop_token: Conditional,
    spend: Conditional,
    ticket: Read,
    put_ticket: Conditional,
    drop_ticket: Conditional,
    take_ticket: Conditional,
    purged: Read,
    purge: Write,
    /// What ended before then is forgotten.
    forgotten: OnceCell<AtomicI64>,
}

const SESSION: &str = "SELECT user_id, device, device_name, created_at, expires_at, revoked_at
    FROM sessions WHERE session_id = ?";

impl SessionStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        let token = "SELECT session_id, expires_at, replaced_by FROM refresh_tokens WHERE hash = ?";
        let ticket = "SELECT user_id, session_id, expires_at FROM tickets WHERE hash = ?";
        Ok(Self {
            session: cql.read_statement(SESSION).await?,
            settled_session: cql.settling_statement(SESSION).await?,
            begin_session: cql
                .conditional_statement(
                    "INSERT INTO sessions
                        (session_id, user_id, device, device_name, created_at, expires_at, revoked_at)
                        VALUES (?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS USING TTL ?",
                )
                .await?,
            drop_session: cql
                .conditional_statement("DELETE FROM sessions WHERE session_id = ? IF expires_at = ?")
                .await?,
            revoke: cql
                .conditional_statement(
                    "UPDATE sessions USING TTL ? SET revoked_at = ? WHERE session_id = ?
                        IF revoked_at = null AND expires_at = ?",
                )
                .await?,
            token: cql.settling_statement(token).await?,
            put_token: cql
                .conditional_statement(
                    "INSERT INTO refresh_tokens (hash, session_id, expires_at) VALUES (?, ?, ?)
                        IF NOT EXISTS USING TTL ?",
                )
                .await?,
            drop_token: cql
                .conditional_statement("DELETE FROM refresh_tokens WHERE hash = ? IF expires_at = ?")
                .await?,
            spend: cql
                .conditional_statement(
                    "UPDATE refresh_tokens USING TTL ? SET replaced_by = ? WHERE hash = ?
                        IF replaced_by = null AND session_id = ?",
                )
                .await?,
            ticket: cql.settling_statement(ticket).await?,
            put_ticket: cql
                .conditional_statement(
                    "INSERT INTO tickets (hash, user_id, session_id, expires_at) VALUES (?, ?, ?, ?)
                        IF NOT EXISTS",
                )
                .await?,
            drop_ticket: cql
                .conditional_statement("DELETE FROM tickets WHERE hash = ? IF expires_at = ?")
                .await?,
            take_ticket: cql
                .conditional_statement(
                    "DELETE FROM tickets WHERE hash = ? IF session_id = ? AND expires_at = ?",
                )
                .await?,
            purged: cql.read_statement("SELECT before FROM purges WHERE what = 'logins'").await?,
            purge: cql.write_statement("INSERT INTO purges (what, before) VALUES ('logins', ?)").await?,
            forgotten: OnceCell::new(),
        })
    }
}

/// A token as it is kept.
struct TokenRow {
    session: SessionId,
    expires_at: Timestamp,
    /// What it was spent for.
    replaced_by: Option<Vec<u8>>,
}

/// Seconds that a row lives which is written at `now` and ends at `end`.
fn time_to_live(end: Timestamp, now: Timestamp) -> i32 {
    let seconds = (end.0.saturating_sub(now.0) / 1000).saturating_add(KEPT_SECONDS);
    i32::try_from(seconds.clamp(1, LONGEST_SECONDS)).unwrap_or(i32::MAX)
}

impl CqlStore {
    pub(crate) async fn begin(&self, session: &LoginSession, token: RefreshToken) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        let begun = self.insert_both(session, token, &mut tries).await;
        tries.settle(begun)
    }

    async fn insert_both(
        &self,
        session: &LoginSession,
        token: RefreshToken,
        tries: &mut Tries,
    ) -> Result<(), StoreError> {
        self.insert_token(session.session, token, session.created_at, tries).await?;
        tries.opened();
        let statements = &self.sessions;
        loop {
            let values = (
                session.session.0,
                session.user.0,
                MaybeUnset::from_option(session.device.as_ref().map(|device| device.0)),
                MaybeUnset::from_option(session.device_name.as_ref()),
                session.created_at.0,
                session.expires_at.0,
                MaybeUnset::from_option(session.revoked_at.map(|at| at.0)),
                time_to_live(session.expires_at, session.created_at),
            );
            let sent = self.cql.decide(&statements.begin_session, values).await;
            let Some(decided) = tries.known(sent).await? else { continue };
            if !self.gives_way(&decided).await? {
                return Ok(());
            }
            self.make_way(&statements.drop_session, &session.session.0, &decided, tries).await?;
        }
    }

    /// Keeps a token unless its hash is there already.
    async fn insert_token(
        &self,
        session: SessionId,
        token: RefreshToken,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<(), StoreError> {
        let statements = &self.sessions;
        loop {
            let lives = time_to_live(token.expires_at, now);
            let values = (token.hash, session.0, token.expires_at.0, lives);
            let sent = self.cql.decide(&statements.put_token, values).await;
            let Some(decided) = tries.known(sent).await? else { continue };
            if !self.gives_way(&decided).await? {
                return Ok(());
            }
            self.make_way(&statements.drop_token, &token.hash, &decided, tries).await?;
        }
    }

    pub(crate) async fn keep_ticket(&self, ticket: Ticket) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        let kept = self.insert_ticket(ticket, &mut tries).await;
        tries.settle(kept)
    }

    async fn insert_ticket(&self, ticket: Ticket, tries: &mut Tries) -> Result<(), StoreError> {
        let statements = &self.sessions;
        loop {
            let values = (ticket.hash, ticket.user.0, ticket.session.0, ticket.expires_at.0);
            let sent = self.cql.decide(&statements.put_ticket, values).await;
            let Some(decided) = tries.known(sent).await? else { continue };
            if !self.gives_way(&decided).await? {
                return Ok(());
            }
            self.make_way(&statements.drop_ticket, &ticket.hash, &decided, tries).await?;
        }
    }

    /// Returns whether a row was not written because one is in its place that is forgotten.
    async fn gives_way(&self, decided: &Decided) -> Result<bool, StoreError> {
        if decided.applied {
            return Ok(false);
        }
        let moments = ["expires_at", "revoked_at"].map(|column| bigint(decided, column));
        let end = moments.into_iter().flatten().min().unwrap_or(i64::MAX);
        Ok(end < self.forgotten().await?.load(Ordering::Relaxed))
    }

    /// Deletes the row that a conditional write has found.
    async fn make_way(
        &self,
        drop_row: &Conditional,
        key: &(impl SerializeValue + Sync),
        found: &Decided,
        tries: &mut Tries,
    ) -> Result<(), StoreError> {
        let sent = self.cql.decide(drop_row, (key, bigint(found, "expires_at"))).await;
        tries.is_applied(sent).await.map(drop)
    }

    /// Returns the moment before which what has ended is forgotten.
    async fn forgotten(&self) -> Result<&AtomicI64, StoreError> {
        let SessionStatements { forgotten, purged, .. } = &self.sessions;
        forgotten
            .get_or_try_init(async || {
                let before = self.cql.row::<(i64,)>(purged, ()).await?;
                Ok(AtomicI64::new(before.map_or(i64::MIN, |(before,)| before)))
            })
            .await
    }

    async fn is_forgotten(&self, end: Timestamp) -> Result<bool, StoreError> {
        Ok(end.0 < self.forgotten().await?.load(Ordering::Relaxed))
    }

    /// Forgets what ended before `before`; its rows go when their time to live is over.
    pub(crate) async fn forget_logins(&self, before: Timestamp) -> Result<(), StoreError> {
        let forgotten = self.forgotten().await?;
        self.cql.write(&self.sessions.purge, (before.0,)).await?;
        forgotten.store(before.0, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) async fn login(&self, session: SessionId) -> Result<Option<LoginSession>, StoreError> {
        self.read_session(&self.sessions.session, session).await
    }

    async fn read_session(
        &self,
        read: &Read,
        session: SessionId,
    ) -> Result<Option<LoginSession>, StoreError> {
        type Columns = (Uuid, Option<Uuid>, Option<String>, i64, i64, Option<i64>);
        let Some(row) = self.cql.row::<Columns>(read, (session.0,)).await? else { return Ok(None) };
        let (user, device, device_name, created_at, expires_at, revoked_at) = row;
        let found = LoginSession {
            session,
            user: UserId(user),
            device: device.map(DeviceId),
            device_name,
            created_at: Timestamp(created_at),
            expires_at: Timestamp(expires_at),
            revoked_at: revoked_at.map(Timestamp),
        };
        Ok((!self.is_forgotten(found.ends_at()).await?).then_some(found))
    }

    async fn read_token(&self, hash: TokenHash) -> Result<Option<TokenRow>, StoreError> {
        type Columns = (Uuid, i64, Option<Vec<u8>>);
        let row = self.cql.row::<Columns>(&self.sessions.token, (hash,)).await?;
        let Some((session, expires_at, replaced_by)) = row else { return Ok(None) };
        let (session, expires_at) = (SessionId(session), Timestamp(expires_at));
        let is_forgotten = self.is_forgotten(expires_at).await?;
        Ok((!is_forgotten).then_some(TokenRow { session, expires_at, replaced_by }))
    }

    pub(crate) async fn spend(
        &self,
        old: TokenHash,
        new: RefreshToken,
        now: Timestamp,
    ) -> Result<Rotation, StoreError> {
        let _turn = self.turns.at(&old).await;
        let mut tries = Tries::new();
        let rotated = self.spend_in_turn(old, new, now, &mut tries).await;
        tries.settle(rotated)
    }

    /// That a token is spent for another one is decided in its own row. Whoever stops after that leaves the
    /// other one absent, and puts it there by asking again.
    async fn spend_in_turn(
        &self,
        old: TokenHash,
        new: RefreshToken,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<Rotation, StoreError> {
        let statements = &self.sessions;
        loop {
            let Some(token) = self.read_token(old).await? else { return Ok(Rotation::Invalid) };
            let session = self.read_session(&statements.settled_session, token.session).await?;
            let Some(session) = session else { return Ok(Rotation::Invalid) };
            match token.replaced_by {
                Some(hash) if hash != new.hash => {
                    self.end(&session, now, tries).await?;
                    return Ok(Rotation::Reused(session.session));
                }
                _ if !session.is_live(now) => return Ok(Rotation::Invalid),
                Some(_) => {
                    let lives = time_to_live(new.expires_at, now);
                    let values = (new.hash, session.session.0, new.expires_at.0, lives);
                    let sent = self.cql.decide(&statements.put_token, values).await;
                    if tries.known(sent).await?.is_some() {
                        return Ok(Rotation::Rotated(session));
                    }
                }
                None if token.expires_at <= now => return Ok(Rotation::Invalid),
                None => {
                    let lives = time_to_live(token.expires_at, now);
                    let sent =
                        self.cql.decide(&statements.spend, (lives, new.hash, old, session.session.0)).await;
                    if tries.is_applied(sent).await? {
                        tries.opened();
                        self.insert_token(session.session, new, now, tries).await?;
                        return Ok(Rotation::Rotated(session));
                    }
                }
            }
        }
    }

    pub(crate) async fn revoke_login(&self, session: SessionId, now: Timestamp) -> Result<bool, StoreError> {
        let _turn = self.turns.at(&session).await;
        let mut tries = Tries::new();
        let revoked = self.revoke_in_turn(session, now, &mut tries).await;
        tries.settle(revoked)
    }

    async fn revoke_in_turn(
        &self,
        session: SessionId,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<bool, StoreError> {
        loop {
            let found = self.read_session(&self.sessions.settled_session, session).await?;
            match found {
                None => return Ok(false),
                // The same call sent again finds its own moment.
                Some(found) if !found.is_live(now) => return Ok(found.revoked_at == Some(now)),
                Some(found) if self.end(&found, now, tries).await? => return Ok(true),
                Some(_) => {}
            }
        }
    }

    /// Revokes a session unless it has been. Returns whether this call did; otherwise it is for the caller
    /// to look.
    async fn end(
        &self,
        session: &LoginSession,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<bool, StoreError> {
        loop {
            let lives = time_to_live(session.expires_at, now);
            let values = (lives, now.0, session.session.0, session.expires_at.0);
            let sent = self.cql.decide(&self.sessions.revoke, values).await;
            if let Some(decided) = tries.known(sent).await? {
                return Ok(decided.applied);
            }
        }
    }

    /// Takes a ticket. An unknown outcome stays one: that the ticket is gone does not say who has it.
    pub(crate) async fn take(&self, hash: TokenHash, now: Timestamp) -> Result<Option<Ticket>, StoreError> {
        let _turn = self.turns.at(&hash).await;
        let row = self.cql.row::<(Uuid, Uuid, i64)>(&self.sessions.ticket, (hash,)).await?;
        let Some((user, session, expires_at)) = row else { return Ok(None) };
        let expires_at = Timestamp(expires_at);
        if self.is_forgotten(expires_at).await? {
            return Ok(None);
        }
        let taken = self.cql.decide(&self.sessions.take_ticket, (hash, session, expires_at.0)).await?;
        let ticket = Ticket { hash, user: UserId(user), session: SessionId(session), expires_at };
        Ok((taken.applied && now < expires_at).then_some(ticket))
    }
}

fn bigint(decided: &Decided, column: &str) -> Option<i64> {
    match decided.value(column) {
        Some(CqlValue::BigInt(value)) => Some(*value),
        _ => None,
    }
}
