//! Proofs, addresses, the logins of a user, and mails, in memory.

use super::MemoryStore;
use super::accounts::AccountTables;
use crate::store::{
    Account, AddressConfirmed, Answer, Credentials, LoginSession, Mail, Mails, Proof, ProofOf, TokenHash,
};
use rookery_protocol::{Timestamp, UserId};
use std::cmp::Reverse;
use uuid::Uuid;

impl AccountTables {
    fn confirm_address(&mut self, user: UserId, (old, new): (&str, &str), at: Timestamp) -> AddressConfirmed {
        let is_taken = self.accounts.values().any(|other| other.email == new && other.user.id != user);
        let Some(account) = self.accounts.get_mut(&user) else { return AddressConfirmed::Moved };
        if account.email == new {
            account.confirmed_at.get_or_insert(at);
        } else if account.email != old {
            return AddressConfirmed::Moved;
        } else if is_taken {
            return AddressConfirmed::Taken;
        } else {
            new.clone_into(&mut account.email);
            account.confirmed_at = Some(at);
        }
        AddressConfirmed::Confirmed
    }

    fn sessions_of(&self, user: UserId, now: Timestamp, limit: usize) -> Vec<LoginSession> {
        let of_user = |session: &&LoginSession| session.user == user && session.is_live(now);
        let mut sessions: Vec<_> = self.sessions.values().filter(of_user).cloned().collect();
        sessions.sort_unstable_by_key(|session| Reverse((session.created_at, session.session)));
        sessions.truncate(limit);
        sessions
    }
}

impl Credentials for MemoryStore {
    fn account(&self, user: UserId) -> Answer<'_, Option<Account>> {
        self.answer(move |state| Ok(state.accounts.accounts.get(&user).cloned()))
    }

    fn sessions_of(&self, user: UserId, now: Timestamp, limit: usize) -> Answer<'_, Vec<LoginSession>> {
        self.answer(move |state| Ok(state.accounts.sessions_of(user, now, limit)))
    }

    fn confirm_address<'a>(
        &'a self,
        user: UserId,
        change: (&'a str, &'a str),
        at: Timestamp,
    ) -> Answer<'a, AddressConfirmed> {
        self.answer(move |state| Ok(state.accounts.confirm_address(user, change, at)))
    }

    fn put_proof(&self, proof: Proof) -> Answer<'_, ()> {
        self.answer(move |state| {
            state.accounts.proofs.entry(proof.hash).or_insert(proof);
            Ok(())
        })
    }

    fn take_proof(&self, hash: TokenHash, of: ProofOf, now: Timestamp) -> Answer<'_, Option<Proof>> {
        self.answer(move |state| {
            let proofs = &mut state.accounts.proofs;
            if proofs.get(&hash).is_none_or(|proof| proof.of != of) {
                return Ok(None);
            }
            Ok(proofs.remove(&hash).filter(|proof| now < proof.expires_at))
        })
    }
}

impl Mails for MemoryStore {
    fn put_mail(&self, mail: Mail) -> Answer<'_, ()> {
        self.answer(move |state| {
            state.mails.entry(mail.id).or_insert(mail);
            Ok(())
        })
    }

    fn mails_due(&self, now: Timestamp, limit: usize) -> Answer<'_, Vec<Mail>> {
        self.answer(move |state| {
            let mut due: Vec<_> = state.mails.values().filter(|mail| mail.due_at <= now).cloned().collect();
            due.sort_unstable_by_key(|mail| (mail.due_at, mail.id));
            due.truncate(limit);
            Ok(due)
        })
    }

    fn delay_mail<'a>(&'a self, mail: &'a Mail, until: Timestamp) -> Answer<'a, bool> {
        self.answer(move |state| {
            let Some(kept) = state.mails.get_mut(&mail.id) else { return Ok(false) };
            if kept.due_at == mail.due_at && kept.tries == mail.tries {
                (kept.due_at, kept.tries) = (until, mail.tries + 1);
            }
            Ok((kept.due_at, kept.tries) == (until, mail.tries + 1))
        })
    }

    fn forget_mail(&self, id: Uuid) -> Answer<'_, ()> {
        self.answer(move |state| {
            state.mails.remove(&id);
            Ok(())
        })
    }
}
