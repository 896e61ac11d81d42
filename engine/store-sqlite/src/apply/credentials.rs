//! Writing addresses that were confirmed, proofs, and mails that are to be sent.

use crate::columns::id;
use rookery_engine::store::{AddressConfirmed, Mail, Proof, ProofOf, TokenHash};
use rookery_protocol::{Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

pub(crate) fn confirm_address(
    connection: &Connection,
    user: UserId,
    (old, new): (&str, &str),
    at: Timestamp,
) -> rusqlite::Result<AddressConfirmed> {
    let key = user.0.as_bytes();
    let query = "SELECT email FROM users WHERE user = ?";
    let current: Option<String> =
        connection.prepare_cached(query)?.query_row([key], |row| row.get(0)).optional()?;
    let Some(current) = current else { return Ok(AddressConfirmed::Moved) };
    if current == new {
        let statement = "UPDATE users SET confirmed_at = ifnull(confirmed_at, ?) WHERE user = ?";
        connection.prepare_cached(statement)?.execute(params![at.0, key])?;
        return Ok(AddressConfirmed::Confirmed);
    }
    if current != old {
        return Ok(AddressConfirmed::Moved);
    }
    if connection.prepare_cached("SELECT 1 FROM users WHERE email = ?")?.exists([new])? {
        return Ok(AddressConfirmed::Taken);
    }
    let statement = "UPDATE users SET email = ?, confirmed_at = ? WHERE user = ?";
    connection.prepare_cached(statement)?.execute(params![new, at.0, key])?;
    Ok(AddressConfirmed::Confirmed)
}

pub(crate) fn put_proof(connection: &Connection, proof: &Proof) -> rusqlite::Result<()> {
    let statement = "INSERT INTO proofs (hash, user, what, email, sent_to, expires_at)
        VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    connection.prepare_cached(statement)?.execute(params![
        proof.hash,
        proof.user.0.as_bytes(),
        proof.of.as_str(),
        proof.email,
        proof.sent_to,
        proof.expires_at.0,
    ])?;
    Ok(())
}

pub(crate) fn take_proof(
    connection: &Connection,
    hash: TokenHash,
    of: ProofOf,
    now: Timestamp,
) -> rusqlite::Result<Option<Proof>> {
    let statement =
        "DELETE FROM proofs WHERE hash = ? AND what = ? RETURNING user, email, sent_to, expires_at";
    let proof = |row: &Row<'_>| {
        let (email, sent_to) = (row.get(1)?, row.get(2)?);
        let (user, expires_at) = (UserId(id(row, 0)?), Timestamp(row.get(3)?));
        Ok(Proof { hash, user, of, email, sent_to, expires_at })
    };
    let taken =
        connection.prepare_cached(statement)?.query_row(params![hash, of.as_str()], proof).optional()?;
    Ok(taken.filter(|proof| now < proof.expires_at))
}

pub(crate) fn put_mail(connection: &Connection, mail: &Mail) -> rusqlite::Result<()> {
    let statement =
        "INSERT INTO mails (id, due_at, tries, letter) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let values = params![mail.id.as_bytes(), mail.due_at.0, mail.tries, mail.letter];
    connection.prepare_cached(statement)?.execute(values)?;
    Ok(())
}

pub(crate) fn delay_mail(connection: &Connection, mail: &Mail, until: Timestamp) -> rusqlite::Result<bool> {
    let statement = "UPDATE mails SET due_at = ?, tries = ? WHERE id = ? AND due_at = ? AND tries = ?";
    let (key, next) = (mail.id.as_bytes(), mail.tries + 1);
    connection.prepare_cached(statement)?.execute(params![until.0, next, key, mail.due_at.0, mail.tries])?;
    // The same call sent again finds its own moment.
    let query = "SELECT 1 FROM mails WHERE id = ? AND due_at = ? AND tries = ?";
    connection.prepare_cached(query)?.exists(params![key, until.0, next])
}

pub(crate) fn forget_mail(connection: &Connection, mail: Uuid) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM mails WHERE id = ?")?.execute([mail.as_bytes()]).map(drop)
}
