//! Login sessions, refresh tokens, proofs and tickets: one partition each, every write under a condition.
//!
//! Whatever ends is forgotten twice: at once by a mark, before which ended rows are not seen any more, and
//! for good by the time to live that each row is written with. So a purge costs one write, however much it
//! forgets. The mark is read once by each node and moved by its own purges.

mod forgotten;
mod login;
mod of_user;
mod proof;
mod ticket;
mod token;

use crate::cql::{Conditional, Cql, Read, Write};
use rookery_protocol::Timestamp;
use scylla::errors::PrepareError;
use std::sync::atomic::AtomicI64;
pub(crate) use token::replaced_by;
use tokio::sync::OnceCell;

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
    of_user: Read,
    list: Write,
    proof: Read,
    put_proof: Conditional,
    drop_proof: Conditional,
    take_proof: Conditional,
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
                    "INSERT INTO refresh_tokens (hash, session_id, expires_at, replaced_by)
                        VALUES (?, ?, ?, ?) IF NOT EXISTS USING TTL ?",
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
            of_user: cql.read_statement("SELECT session_id FROM user_sessions WHERE user_id = ?").await?,
            list: cql
                .write_statement("INSERT INTO user_sessions (user_id, session_id) VALUES (?, ?) USING TTL ?")
                .await?,
            proof: cql
                .settling_statement(
                    "SELECT user_id, what, email, sent_to, expires_at FROM proofs WHERE hash = ?",
                )
                .await?,
            put_proof: cql
                .conditional_statement(
                    "INSERT INTO proofs (hash, user_id, what, email, sent_to, expires_at)
                        VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS",
                )
                .await?,
            drop_proof: cql
                .conditional_statement("DELETE FROM proofs WHERE hash = ? IF expires_at = ?")
                .await?,
            take_proof: cql
                .conditional_statement("DELETE FROM proofs WHERE hash = ? IF user_id = ? AND expires_at = ?")
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

/// Seconds that a row lives which is written at `now` and ends at `end`.
pub(crate) fn time_to_live(end: Timestamp, now: Timestamp) -> i32 {
    let seconds = (end.0.saturating_sub(now.0) / 1000).saturating_add(KEPT_SECONDS);
    i32::try_from(seconds.clamp(1, LONGEST_SECONDS)).unwrap_or(i32::MAX)
}
