//! Users as the office sees them: found, shown, barred, let in again, logged out.

use super::Office;
use crate::accounts::{Ban, Standing, settle};
use crate::docket;
use rookery_engine::store::{Book, LoginSession, StoreError};
use rookery_protocol::{CloseCode, SessionId, Timestamp, User, UserId};
use serde::Serialize;
use uuid::Uuid;

/// Logins that are ended together.
const LOGINS: usize = 100;

/// A user, as whoever administers the server sees it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Person {
    /// What others see.
    pub(crate) user: User,
    /// The address.
    pub(crate) email: String,
    /// When it first proved that it reads mail there, where it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confirmed_at: Option<Timestamp>,
    /// When it registered.
    pub(crate) created_at: Timestamp,
    /// When it was there last, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_seen: Option<Timestamp>,
    /// How it stands with the server.
    pub(crate) standing: Standing,
}

impl Office {
    /// Finds one user by its id.
    pub(crate) async fn person(&self, user: UserId) -> Result<Option<Person>, StoreError> {
        let Some(account) = self.store().account(user).await? else { return Ok(None) };
        let seen = self.store().last_seen(&[user]).await?;
        Ok(Some(Person {
            user: account.user,
            email: account.email,
            confirmed_at: account.confirmed_at,
            created_at: account.created_at,
            last_seen: seen.first().map(|(_, at)| *at),
            standing: self.accounts.standing(user).await?,
        }))
    }

    /// Finds users by the beginning of their handle, or one by its address.
    pub(crate) async fn find_people(&self, query: &str, limit: usize) -> Result<Vec<Person>, StoreError> {
        let users = if query.contains('@') {
            let account = self.store().account_by_email(&query.to_lowercase()).await?;
            account.map(|account| account.user).into_iter().collect()
        } else {
            // By nobody, whom nobody blocks.
            self.store().users_by_handle(UserId(Uuid::nil()), query, limit).await?
        };
        let mut people = Vec::with_capacity(users.len());
        for user in users {
            people.extend(self.person(user.id).await?);
        }
        Ok(people)
    }

    /// Makes a user an admin of the server, or no more.
    pub(crate) async fn set_admin(&self, user: UserId, is_admin: bool) -> Result<Standing, StoreError> {
        self.change_standing(user, |standing| standing.is_admin = is_admin).await
    }

    /// Bars a user from the server: it is logged out everywhere within a second, and cannot log in.
    pub(crate) async fn ban(&self, user: UserId, ban: Ban) -> Result<Standing, StoreError> {
        let standing = self.change_standing(user, |standing| standing.ban = Some(ban.clone())).await?;
        self.end_logins(user, CloseCode::AccountDisabled).await?;
        Ok(standing)
    }

    /// Lets a user in again.
    pub(crate) async fn unban(&self, user: UserId) -> Result<Standing, StoreError> {
        self.change_standing(user, |standing| standing.ban = None).await
    }

    pub(super) async fn change_standing(
        &self,
        user: UserId,
        change: impl Fn(&mut Standing),
    ) -> Result<Standing, StoreError> {
        docket::change(self.store(), Book::Standings, user.0, change).await
    }

    /// Returns those who are barred at the moment, of `limit` users from before `before` who stand out in some
    /// way, and where to go on.
    pub(crate) async fn banned(
        &self,
        before: Option<Uuid>,
        limit: usize,
    ) -> Result<(Vec<(UserId, Standing)>, Option<Uuid>), StoreError> {
        let now = self.now();
        let page = docket::page::<Standing>(self.store(), Book::Standings, before, limit).await?;
        let next = page.last().filter(|_| page.len() == limit).map(|last| last.id);
        let barred = page.into_iter().filter(|known| known.what.is_barred(now));
        Ok((barred.map(|known| (UserId(known.id), known.what)).collect(), next))
    }

    /// Returns the logins of a user, the ones begun last first, at most 100.
    pub(crate) async fn logins(&self, user: UserId) -> Result<Vec<LoginSession>, StoreError> {
        self.store().sessions_of(user, self.now(), LOGINS).await
    }

    /// Ends one login of a user; `false` where it is not one of its.
    pub(crate) async fn end_login(&self, user: UserId, session: SessionId) -> Result<bool, StoreError> {
        let login = self.store().session(session).await?;
        if login.is_none_or(|login| login.user != user) {
            return Ok(false);
        }
        let now = self.now();
        settle(|| self.store().revoke(session, now)).await?;
        self.node.end_login(session, CloseCode::SessionRevoked);
        Ok(true)
    }

    /// Ends every login of a user, and closes its connections with `code`, on every node.
    pub(crate) async fn end_logins(&self, user: UserId, code: CloseCode) -> Result<(), StoreError> {
        let now = self.now();
        loop {
            let logins = self.store().sessions_of(user, now, LOGINS).await?;
            for login in &logins {
                settle(|| self.store().revoke(login.session, now)).await?;
            }
            if logins.len() < LOGINS {
                break;
            }
        }
        self.node.end_logins_of(user, code);
        Ok(())
    }
}
