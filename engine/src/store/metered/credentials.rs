//! The calls on proofs, addresses, logins and mails, counted.

use super::MeteredStore;
use crate::metrics::StoreCall;
use crate::store::{
    Account, AddressConfirmed, Answer, Credentials, LoginSession, Mail, Mails, Proof, ProofOf, TokenHash,
};
use rookery_protocol::{Timestamp, UserId};
use uuid::Uuid;

impl Credentials for MeteredStore {
    fn account(&self, user: UserId) -> Answer<'_, Option<Account>> {
        self.count(StoreCall::Account, self.inner.account(user))
    }

    fn sessions_of(&self, user: UserId, now: Timestamp, limit: usize) -> Answer<'_, Vec<LoginSession>> {
        self.count(StoreCall::SessionsOf, self.inner.sessions_of(user, now, limit))
    }

    fn confirm_address<'a>(
        &'a self,
        user: UserId,
        change: (&'a str, &'a str),
        at: Timestamp,
    ) -> Answer<'a, AddressConfirmed> {
        self.count(StoreCall::ConfirmAddress, self.inner.confirm_address(user, change, at))
    }

    fn put_proof(&self, proof: Proof) -> Answer<'_, ()> {
        self.count(StoreCall::PutProof, self.inner.put_proof(proof))
    }

    fn take_proof(&self, hash: TokenHash, of: ProofOf, now: Timestamp) -> Answer<'_, Option<Proof>> {
        self.count(StoreCall::TakeProof, self.inner.take_proof(hash, of, now))
    }
}

impl Mails for MeteredStore {
    fn put_mail(&self, mail: Mail) -> Answer<'_, ()> {
        self.count(StoreCall::PutMail, self.inner.put_mail(mail))
    }

    fn mails_due(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<Mail>> {
        self.count(StoreCall::MailsDue, self.inner.mails_due(now, limit))
    }

    fn delay_mail<'a>(&'a self, mail: &'a Mail, until: Timestamp) -> Answer<'a, bool> {
        self.count(StoreCall::DelayMail, self.inner.delay_mail(mail, until))
    }

    fn forget_mail(&self, id: Uuid) -> Answer<'_, ()> {
        self.count(StoreCall::ForgetMail, self.inner.forget_mail(id))
    }
}
