//! Accounts, login sessions and tokens in memory.

use super::MemoryStore;
use crate::store::{
    Account, AccountCreated, Accounts, Answer, LoginSession, PURGE_ROWS, Proof, Record, RefreshToken,
    Rotation, Ticket, TokenHash, may_repeat_rotation,
};
use rookery_protocol::{SessionId, Timestamp, User, UserId};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct AccountTables {
    pub(super) accounts: BTreeMap<UserId, Account>,
    /// Handles that were given up: whose each was, and until when it stays so.
    pub(super) kept: BTreeMap<String, (UserId, Timestamp)>,
    pub(super) sessions: BTreeMap<SessionId, LoginSession>,
    pub(super) tokens: BTreeMap<TokenHash, TokenRow>,
    tickets: BTreeMap<TokenHash, Ticket>,
    pub(super) proofs: BTreeMap<TokenHash, Proof>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct TokenRow {
    pub(super) session: SessionId,
    pub(super) expires_at: Timestamp,
    /// What it was spent for; a token without it is its session's current one.
    pub(super) replaced_by: Option<TokenHash>,
    /// When; a backup does not keep it.
    pub(super) spent_at: Option<Timestamp>,
}

impl TokenRow {
    fn unspent(session: SessionId, token: RefreshToken) -> Self {
        Self { session, expires_at: token.expires_at, replaced_by: None, spent_at: None }
    }

    pub(super) fn record(&self, hash: TokenHash) -> Record {
        let token = RefreshToken { hash, expires_at: self.expires_at };
        Record::RefreshToken { token, session: self.session, replaced_by: self.replaced_by }
    }
}

impl AccountTables {
    fn create(&mut self, account: Account) -> AccountCreated {
        if self.accounts.contains_key(&account.user.id) {
            return AccountCreated::Created;
        }
        if self.is_taken(&account.user.handle, account.user.id, account.created_at) {
            return AccountCreated::HandleTaken;
        }
        if self.accounts.values().any(|other| other.email == account.email) {
            return AccountCreated::EmailTaken;
        }
        self.accounts.insert(account.user.id, account);
        AccountCreated::Created
    }

    fn replace_password(&mut self, user: UserId, old: &str, new: &str) -> bool {
        let Some(account) = self.accounts.get_mut(&user) else { return false };
        if account.password == old {
            new.clone_into(&mut account.password);
        }
        account.password == new
    }

    fn rotate(&mut self, old: TokenHash, new: RefreshToken, now: Timestamp) -> Rotation {
        let is_spent = self.tokens.get(&new.hash).is_some_and(|next| next.replaced_by.is_some());
        let Some(token) = self.tokens.get_mut(&old) else { return Rotation::Invalid };
        let Some(session) = self.sessions.get_mut(&token.session) else { return Rotation::Invalid };
        match token.replaced_by {
            Some(hash) if hash != new.hash => {
                session.revoked_at.get_or_insert(now);
                return Rotation::Reused(session.session);
            }
            _ if !session.is_live(now) => return Rotation::Invalid,
            Some(_) if is_spent || !may_repeat_rotation(token.spent_at, now) => {
                session.revoked_at = Some(now);
                return Rotation::Reused(session.session);
            }
            Some(_) => {}
            None if token.expires_at <= now => return Rotation::Invalid,
            None => {
                (token.replaced_by, token.spent_at) = (Some(new.hash), Some(now));
                let row = TokenRow::unspent(session.session, new);
                self.tokens.entry(new.hash).or_insert(row);
            }
        }
        Rotation::Rotated(session.clone())
    }

    fn revoke(&mut self, session: SessionId, now: Timestamp) -> bool {
        let Some(session) = self.sessions.get_mut(&session) else { return false };
        if session.is_live(now) {
            session.revoked_at = Some(now);
        }
        session.revoked_at == Some(now)
    }

    /// Forgets the logins of `user` and what belongs to them.
    pub(super) fn forget_logins_of(&mut self, user: UserId) {
        let sessions = &mut self.sessions;
        self.tokens.retain(|_, token| sessions.get(&token.session).is_none_or(|of| of.user != user));
        self.tickets.retain(|_, ticket| ticket.user != user);
        self.proofs.retain(|_, proof| proof.user != user);
        sessions.retain(|_, session| session.user != user);
    }

    fn purge(&mut self, before: Timestamp) {
        purge(&mut self.tickets, |ticket| ticket.expires_at, before);
        purge(&mut self.proofs, |proof| proof.expires_at, before);
        purge(&mut self.tokens, |token| token.expires_at, before);
        purge(&mut self.sessions, LoginSession::ends_at, before);
    }
}

/// Removes the rows that ended before `before`, the ones that ended first when there are too many.
fn purge<K: Copy + Ord, V>(rows: &mut BTreeMap<K, V>, ends_at: impl Fn(&V) -> Timestamp, before: Timestamp) {
    let mut ended: Vec<(Timestamp, K)> =
        rows.iter().map(|(key, row)| (ends_at(row), *key)).filter(|(end, _)| *end < before).collect();
    ended.sort_unstable();
    for (_, key) in ended.into_iter().take(PURGE_ROWS) {
        rows.remove(&key);
    }
}

impl Accounts for MemoryStore {
    fn create_account(&self, account: Account) -> Answer<'_, AccountCreated> {
        self.answer(move |state| Ok(state.accounts.create(account)))
    }

    fn account_by_email<'a>(&'a self, email: &'a str) -> Answer<'a, Option<Account>> {
        self.answer(move |state| {
            Ok(state.accounts.accounts.values().find(|account| account.email == email).cloned())
        })
    }

    fn replace_password<'a>(&'a self, user: UserId, old: &'a str, new: &'a str) -> Answer<'a, bool> {
        self.answer(move |state| Ok(state.accounts.replace_password(user, old, new)))
    }

    fn users<'a>(&'a self, ids: &'a [UserId]) -> Answer<'a, Vec<User>> {
        self.answer(move |state| {
            let ids: std::collections::BTreeSet<_> = ids.iter().collect();
            Ok(ids.into_iter().filter_map(|id| Some(state.accounts.accounts.get(id)?.user.clone())).collect())
        })
    }

    fn begin_session(&self, session: LoginSession, token: RefreshToken) -> Answer<'_, ()> {
        self.answer(move |state| {
            let row = TokenRow::unspent(session.session, token);
            state.accounts.tokens.entry(token.hash).or_insert(row);
            state.accounts.sessions.entry(session.session).or_insert(session);
            Ok(())
        })
    }

    fn session(&self, session: SessionId) -> Answer<'_, Option<LoginSession>> {
        self.answer(move |state| Ok(state.accounts.sessions.get(&session).cloned()))
    }

    fn rotate(&self, old: TokenHash, new: RefreshToken, now: Timestamp) -> Answer<'_, Rotation> {
        self.answer(move |state| Ok(state.accounts.rotate(old, new, now)))
    }

    fn revoke(&self, session: SessionId, now: Timestamp) -> Answer<'_, bool> {
        self.answer(move |state| Ok(state.accounts.revoke(session, now)))
    }

    fn put_ticket(&self, ticket: Ticket) -> Answer<'_, ()> {
        self.answer(move |state| {
            state.accounts.tickets.entry(ticket.hash).or_insert(ticket);
            Ok(())
        })
    }

    fn take_ticket(&self, hash: TokenHash, now: Timestamp) -> Answer<'_, Option<Ticket>> {
        self.answer(move |state| {
            Ok(state.accounts.tickets.remove(&hash).filter(|ticket| now < ticket.expires_at))
        })
    }

    fn purge(&self, before: Timestamp) -> Answer<'_, ()> {
        self.answer(move |state| {
            state.accounts.purge(before);
            purge(&mut state.sign_ins, |record| record.expires_at.unwrap_or(Timestamp(i64::MAX)), before);
            Ok(())
        })
    }
}
