//! Another password for whoever is logged in and knows the present one.

use super::names::BadField;
use super::password::{PoolFull, Verdict};
use super::settle::settle;
use super::{Accounts, Asker};
use crate::mail::About;
use rookery_actors::Identity;
use rookery_engine::Throttled;
use rookery_engine::store::{Account, StoreError};
use rookery_protocol::{SessionId, UserId};
use secrecy::SecretString;

/// Why nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangePasswordError {
    /// That is not the present password.
    #[error("accept the present password")]
    Refused,
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
    /// Gives the account of `who` the password `new`, ends its other logins and tells its address. Returns
    /// those that it ended, whose sockets must be closed.
    ///
    /// # Errors
    /// [`ChangePasswordError`].
    pub async fn change_password(
        &self,
        who: &Identity,
        (present, new): (SecretString, SecretString),
        asker: &Asker,
    ) -> Result<Vec<SessionId>, ChangePasswordError> {
        let account = self.known(who.user.id, present, asker).await?;
        self.strength.check(&new, &[&account.email, &account.user.handle, &account.user.name])?;
        let hash = self.passwords.hash(new, self.random.as_ref()).await?;
        if !settle(|| self.store.replace_password(who.user.id, &account.password, &hash)).await? {
            return Err(ChangePasswordError::Refused);
        }
        self.tell(&account.email, About::PasswordChanged, asker).await;
        Ok(self.end_logins(who.user.id, Some(who.session)).await?)
    }

    /// Finds the account of a user who has given its password once more. A wrong one counts as a try to log in.
    pub(super) async fn known(
        &self,
        user: UserId,
        password: SecretString,
        asker: &Asker,
    ) -> Result<Account, ChangePasswordError> {
        let account = self.store.account(user).await?.ok_or(ChangePasswordError::Refused)?;
        self.throttles.login(asker.address, Some(&account.email), self.now()).await?;
        match self.passwords.verify(password, Some(&account.password)).await? {
            Verdict::Matches | Verdict::MatchesOutdated => Ok(account),
            Verdict::Differs => Err(ChangePasswordError::Refused),
        }
    }
}
