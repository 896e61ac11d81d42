//! Another password for whoever is logged in and knows the present one.

use super::names::{self, BadField};
use super::password::{PoolFull, Verdict};
use super::settle::settle;
use super::{Accounts, Asker};
use crate::mail::About;
use rookery_actors::Identity;
use rookery_engine::Throttled;
use rookery_engine::store::{Account, StoreError};
use rookery_protocol::SessionId;
use secrecy::SecretString;

/// Why nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangePasswordError {
    /// That is not the present password.
    #[error("accept the present password")]
    Refused,
    /// The account has no password, and the login is too long ago to stand for one.
    #[error("take a login for a password that is too long ago")]
    Stale,
    /// No password is of use without an address.
    #[error("set a password of an account that has no e-mail address")]
    NoAddress,
    /// The new password is not as it must be.
    #[error(transparent)]
    Field(#[from] BadField),
    /// Too often from this address, or to this account.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// Too many passwords wait.
    #[error(transparent)]
    Busy(#[from] PoolFull),
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Gives the account of `who` the password `new`, its first one perhaps, ends its other logins and tells its
    /// address. Returns those that it ended, whose sockets must be closed.
    ///
    /// # Errors
    /// [`ChangePasswordError`].
    pub async fn change_password(
        &self,
        who: &Identity,
        (present, new): (SecretString, SecretString),
        asker: &Asker,
    ) -> Result<Vec<SessionId>, ChangePasswordError> {
        let account = self.known(who, present, asker).await?;
        if names::is_nobodys(&account.email) {
            return Err(ChangePasswordError::NoAddress);
        }
        self.strength.check(&new, &[&account.email, &account.user.handle, &account.user.name])?;
        let hash = self.passwords.hash(new, self.random.as_ref()).await?;
        if !settle(|| self.store.replace_password(who.user.id, &account.password, &hash)).await? {
            return Err(ChangePasswordError::Refused);
        }
        self.tell(&account.email, About::PasswordChanged, asker).await;
        Ok(self.end_logins(who.user.id, Some(who.session)).await?)
    }

    /// Finds the account of a user who has given its password once more; one that has none, since it was made by an
    /// identity elsewhere, has proven that instead by logging in just now. A wrong password counts as a try to log in.
    pub(super) async fn known(
        &self,
        who: &Identity,
        password: SecretString,
        asker: &Asker,
    ) -> Result<Account, ChangePasswordError> {
        let account = self.store.account(who.user.id).await?.ok_or(ChangePasswordError::Refused)?;
        if account.password.is_empty() {
            let is_fresh = self.is_fresh(who.session).await?;
            return if is_fresh { Ok(account) } else { Err(ChangePasswordError::Stale) };
        }
        self.throttles.login(asker.address, Some(&account.email), self.now()).await?;
        match self.passwords.verify(password, Some(&account.password)).await? {
            Verdict::Matches | Verdict::MatchesOutdated => Ok(account),
            Verdict::Differs => Err(ChangePasswordError::Refused),
        }
    }
}
