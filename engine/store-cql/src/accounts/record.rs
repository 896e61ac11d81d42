//! An account's row: what it is, and what it is being changed to.

use super::AccountStatements;
use crate::CqlStore;
use crate::cql::{Decided, Read};
use crate::turns::unique;
use rookery_engine::store::{Account, StoreError};
use rookery_protocol::{Timestamp, User, UserId};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What others see of an account, by the names of its parts; empty where there is none.
pub(crate) type Profile = BTreeMap<String, String>;

/// An account, or one that is being made.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) user: UserId,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) created_at: Timestamp,
    /// Empty until the account exists.
    pub(crate) profile: Profile,
    /// By which it has its handle.
    pub(crate) claim: Uuid,
    /// What it is being changed to; empty when no change is under way.
    pub(crate) next: Profile,
    /// As of when.
    pub(crate) next_at: Timestamp,
    /// Another one after each write: the name of the change that is under way.
    pub(crate) turn: Uuid,
}

impl Record {
    /// Returns the record of an account that is to be made.
    pub(crate) fn registration(account: &Account) -> Self {
        Self {
            user: account.user.id,
            email: account.email.clone(),
            password: account.password.clone(),
            created_at: account.created_at,
            profile: Profile::new(),
            claim: Uuid::nil(),
            next: profile_of(&account.user, account.confirmed_at),
            next_at: account.created_at,
            turn: unique(),
        }
    }

    /// Whether the account exists.
    pub(crate) fn is_made(&self) -> bool {
        !self.profile.is_empty()
    }

    /// Whether a change of its handle is under way, the first one included.
    pub(crate) fn is_changing(&self) -> bool {
        !self.next.is_empty()
    }

    pub(crate) fn handle(&self) -> Option<&str> {
        self.profile.get(HANDLE).map(String::as_str)
    }

    /// Returns the handle of the change that is under way.
    pub(crate) fn next_handle(&self) -> Option<&str> {
        self.next.get(HANDLE).map(String::as_str)
    }

    /// Returns the address that it is to have once the change is done, where that is another one or the first.
    pub(crate) fn next_email(&self) -> Option<&str> {
        if self.is_made() { self.next.get(EMAIL).map(String::as_str) } else { Some(&self.email) }
    }

    /// Returns when the address was confirmed.
    pub(crate) fn confirmed_at(&self) -> Option<Timestamp> {
        let part = if self.is_made() { &self.profile } else { &self.next };
        part.get(CONFIRMED_AT)?.parse().ok().map(Timestamp)
    }

    /// Returns the profile of an account whose address was confirmed at `at`.
    pub(crate) fn confirmed(&self, at: Timestamp) -> Profile {
        let mut profile = self.profile.clone();
        profile.insert(CONFIRMED_AT.to_owned(), at.0.to_string());
        profile
    }

    /// Returns what the account is to be changed to for it to have `email`, confirmed at `at`.
    pub(crate) fn with_email(&self, email: &str, at: Timestamp) -> Profile {
        let mut next = self.confirmed(at);
        next.insert(EMAIL.to_owned(), email.to_owned());
        next
    }

    /// Returns the account as it is once the change is done.
    pub(crate) fn changed(&self) -> Self {
        let mut profile = self.next.clone();
        let email = profile.remove(EMAIL).unwrap_or_else(|| self.email.clone());
        let claim = if self.is_renamed() { self.turn } else { self.claim };
        Self { email, profile, claim, next: Profile::new(), turn: unique(), ..self.clone() }
    }

    /// Whether the change that is under way gives it a handle.
    pub(crate) fn is_renamed(&self) -> bool {
        self.handle() != self.next_handle()
    }

    /// Returns the user, once the account exists.
    pub(crate) fn user(&self) -> Option<User> {
        let part = |name| self.profile.get(name).cloned();
        Some(User {
            id: self.user,
            handle: part(HANDLE)?,
            name: part(NAME)?,
            avatar: part(AVATAR),
            about: part(ABOUT),
        })
    }

    /// Returns the account, once it exists.
    pub(crate) fn account(self) -> Option<Account> {
        let user = self.user()?;
        let confirmed_at = self.confirmed_at();
        let Self { email, password, created_at, .. } = self;
        Some(Account { user, email, password, created_at, confirmed_at })
    }
}

const HANDLE: &str = "handle";
const NAME: &str = "name";
const ABOUT: &str = "about";
const AVATAR: &str = "avatar";
const CONFIRMED_AT: &str = "confirmed_at";
const EMAIL: &str = "email";

pub(crate) fn profile_of(user: &User, confirmed_at: Option<Timestamp>) -> Profile {
    let User { handle, name, about, avatar, .. } = user;
    let confirmed_at = confirmed_at.map(|at| at.0.to_string());
    let parts = [
        (HANDLE, Some(handle)),
        (NAME, Some(name)),
        (ABOUT, about.as_ref()),
        (AVATAR, avatar.as_ref()),
        (CONFIRMED_AT, confirmed_at.as_ref()),
    ];
    parts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.clone()))).collect()
}

impl CqlStore {
    /// Returns the record as all writes before have left it; for whoever decides.
    pub(crate) async fn record(&self, user: UserId) -> Result<Option<Record>, StoreError> {
        self.read_record(&self.accounts.settled_record, user).await
    }

    /// Returns the account, once it exists.
    pub(crate) async fn account(&self, user: UserId) -> Result<Option<Record>, StoreError> {
        Ok(self.read_record(&self.accounts.record, user).await?.filter(Record::is_made))
    }

    async fn read_record(&self, read: &Read, user: UserId) -> Result<Option<Record>, StoreError> {
        type Columns =
            (String, String, i64, Option<Profile>, Option<Uuid>, Option<Profile>, Option<i64>, Option<Uuid>);
        let Some(row) = self.cql.row::<Columns>(read, (user.0,)).await? else { return Ok(None) };
        let (email, password, created_at, profile, claim, next, next_at, turn) = row;
        Ok(Some(Record {
            user,
            email,
            password,
            created_at: Timestamp(created_at),
            profile: profile.unwrap_or_default(),
            claim: claim.unwrap_or_default(),
            next: next.unwrap_or_default(),
            next_at: Timestamp(next_at.unwrap_or_default()),
            turn: turn.unwrap_or_default(),
        }))
    }

    /// Writes the record of an account that is to be made, if there is none of this user.
    pub(crate) async fn insert(&self, record: &Record) -> Result<Decided, StoreError> {
        let Record { user, email, password, created_at, profile, claim, next, next_at, turn } = record;
        let values = (user.0, email, password, created_at.0, profile, claim, next, next_at.0, turn);
        self.cql.decide(&self.accounts.insert, values).await
    }

    /// Writes the parts of `record` that change, under its turn, if the present one is `turn`.
    pub(crate) async fn put(&self, record: &Record, turn: Uuid) -> Result<Decided, StoreError> {
        let AccountStatements { put, .. } = &self.accounts;
        let Record { user, email, profile, claim, next, next_at, .. } = record;
        let values = (email, profile, claim, next, next_at.0, record.turn, user.0, turn);
        self.cql.decide(put, values).await
    }
}
