//! Proofs, addresses, logins and mails: each method of their ports, handed to the committer or to a reader.

use super::SqliteStore;
use crate::{apply, read};
use rookery_engine::store::{
    Account, AddressConfirmed, Answer, Credentials, LoginSession, Mail, Mails, Proof, ProofOf, TokenHash,
};
use rookery_protocol::{Timestamp, UserId};
use uuid::Uuid;

impl Credentials for SqliteStore {
    fn account(&self, user: UserId) -> Answer<'_, Option<Account>> {
        self.reads.read(move |connection| read::account(connection, user))
    }

    fn sessions_of(&self, user: UserId, now: Timestamp, limit: usize) -> Answer<'_, Vec<LoginSession>> {
        self.reads.read(move |connection| read::sessions_of(connection, user, now, limit))
    }

    fn confirm_address<'a>(
        &'a self,
        user: UserId,
        (old, new): (&'a str, &'a str),
        at: Timestamp,
    ) -> Answer<'a, AddressConfirmed> {
        let (old, new) = (old.to_owned(), new.to_owned());
        self.write(move |connection| apply::confirm_address(connection, user, (&old, &new), at))
    }

    fn put_proof(&self, proof: Proof) -> Answer<'_, ()> {
        self.write(move |connection| apply::put_proof(connection, &proof))
    }

    fn take_proof(&self, hash: TokenHash, of: ProofOf, now: Timestamp) -> Answer<'_, Option<Proof>> {
        self.write(move |connection| apply::take_proof(connection, hash, of, now))
    }
}

impl Mails for SqliteStore {
    fn put_mail(&self, mail: Mail) -> Answer<'_, ()> {
        self.write(move |connection| apply::put_mail(connection, &mail))
    }

    fn mails_due(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<Mail>> {
        self.reads.read(move |connection| read::mails_due(connection, now, limit))
    }

    fn delay_mail<'a>(&'a self, mail: &'a Mail, until: Timestamp) -> Answer<'a, bool> {
        let mail = mail.clone();
        self.write(move |connection| apply::delay_mail(connection, &mail, until))
    }

    fn forget_mail(&self, id: Uuid) -> Answer<'_, ()> {
        self.write(move |connection| apply::forget_mail(connection, id))
    }
}
