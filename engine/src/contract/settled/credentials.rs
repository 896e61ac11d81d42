//! Calls on proofs, addresses, logins and mails, sent again until their answers are certain.

use super::{Settled, settle, take};
use crate::store::{
    Account, AddressConfirmed, Answer, Credentials, LoginSession, Mail, Mails, Proof, ProofOf, Store,
    TokenHash,
};
use rookery_protocol::{Timestamp, UserId};
use uuid::Uuid;

impl<S: Store> Credentials for Settled<S> {
    fn account(&self, user: UserId) -> Answer<'_, Option<Account>> {
        settle(move || self.0.account(user))
    }

    fn sessions_of(&self, user: UserId, now: Timestamp, limit: usize) -> Answer<'_, Vec<LoginSession>> {
        settle(move || self.0.sessions_of(user, now, limit))
    }

    fn confirm_address<'a>(
        &'a self,
        user: UserId,
        change: (&'a str, &'a str),
        at: Timestamp,
    ) -> Answer<'a, AddressConfirmed> {
        settle(move || self.0.confirm_address(user, change, at))
    }

    fn put_proof(&self, proof: Proof) -> Answer<'_, ()> {
        settle(move || self.0.put_proof(proof.clone()))
    }

    fn take_proof(&self, hash: TokenHash, of: ProofOf, now: Timestamp) -> Answer<'_, Option<Proof>> {
        take(move || self.0.take_proof(hash, of, now))
    }
}

impl<S: Store> Mails for Settled<S> {
    fn put_mail(&self, mail: Mail) -> Answer<'_, ()> {
        settle(move || self.0.put_mail(mail.clone()))
    }

    fn mails_due(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<Mail>> {
        settle(move || self.0.mails_due(now, limit))
    }

    fn delay_mail<'a>(&'a self, mail: &'a Mail, until: Timestamp) -> Answer<'a, bool> {
        settle(move || self.0.delay_mail(mail, until))
    }

    fn forget_mail(&self, id: Uuid) -> Answer<'_, ()> {
        settle(move || self.0.forget_mail(id))
    }
}
