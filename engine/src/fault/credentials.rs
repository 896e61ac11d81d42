//! Faults of proofs, addresses, logins and mails.

use super::FaultStore;
use crate::store::{
    Account, AddressConfirmed, Answer, Credentials, LoginSession, Mail, Mails, Proof, ProofOf, Store,
    TokenHash,
};
use rookery_protocol::{Timestamp, UserId};
use uuid::Uuid;

impl<S: Store> Credentials for FaultStore<S> {
    fn account(&self, user: UserId) -> Answer<'_, Option<Account>> {
        self.read(move |store| store.account(user))
    }

    fn sessions_of(&self, user: UserId, now: Timestamp, limit: usize) -> Answer<'_, Vec<LoginSession>> {
        self.read(move |store| store.sessions_of(user, now, limit))
    }

    fn confirm_address<'a>(
        &'a self,
        user: UserId,
        change: (&'a str, &'a str),
        at: Timestamp,
    ) -> Answer<'a, AddressConfirmed> {
        self.write(move |store| store.confirm_address(user, change, at))
    }

    fn put_proof(&self, proof: Proof) -> Answer<'_, ()> {
        self.write(move |store| store.put_proof(proof))
    }

    fn take_proof(&self, hash: TokenHash, of: ProofOf, now: Timestamp) -> Answer<'_, Option<Proof>> {
        self.write(move |store| store.take_proof(hash, of, now))
    }
}

impl<S: Store> Mails for FaultStore<S> {
    fn put_mail(&self, mail: Mail) -> Answer<'_, ()> {
        self.write(move |store| store.put_mail(mail))
    }

    fn mails_due(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<Mail>> {
        self.read(move |store| store.mails_due(now, limit))
    }

    fn delay_mail<'a>(&'a self, mail: &'a Mail, until: Timestamp) -> Answer<'a, bool> {
        self.write(move |store| store.delay_mail(mail, until))
    }

    fn forget_mail(&self, id: Uuid) -> Answer<'_, ()> {
        self.write(move |store| store.forget_mail(id))
    }
}
