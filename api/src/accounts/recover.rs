//! Recovery: another password for whoever reads mail at the account's address.

use super::names::{self, BadField};
use super::password::PoolFull;
use super::settle::settle;
use super::{Accounts, Asker, secret};
use crate::mail::About;
use rookery_engine::Throttled;
use rookery_engine::store::{Proof, ProofOf, StoreError};
use rookery_protocol::UserId;
use secrecy::SecretString;

/// Why nobody will be written to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The address is none.
    #[error(transparent)]
    Field(#[from] BadField),
    /// Too often from this address, or for this account.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the password is what it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResetError {
    /// The code is unknown, used or expired.
    #[error("accept the code")]
    Refused,
    /// The new password is not as it must be; the code is still good.
    #[error(transparent)]
    Field(#[from] BadField),
    /// Too often from this address.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// Too many passwords wait; the code is still good.
    #[error(transparent)]
    Busy(#[from] PoolFull),
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Has whoever reads mail at `email` be sent a code for another password, if it has an account. What is
    /// done here does not depend on whether it has: the postman looks.
    ///
    /// # Errors
    /// [`AskError`]; what is throttled or the store's may be tried again as it is.
    pub async fn forgot(&self, email: &str, asker: &Asker) -> Result<(), AskError> {
        self.ask_by_mail(email, About::Reset, asker).await
    }

    /// Has whoever reads mail at `email` be sent a code that confirms the address, if it has an account whose
    /// address is not confirmed.
    ///
    /// # Errors
    /// As [`Accounts::forgot`].
    pub async fn resend(&self, email: &str, asker: &Asker) -> Result<(), AskError> {
        self.ask_by_mail(email, About::Confirm, asker).await
    }

    async fn ask_by_mail(&self, email: &str, about: About, asker: &Asker) -> Result<(), AskError> {
        let email = names::email(email)?;
        self.throttles.mail(asker.address, &email, self.now()).await?;
        Ok(self.post(&email, about, asker).await?)
    }

    /// Chooses another password with a code, ends every login and tells the address. Returns whose sockets
    /// must be closed. Nobody is logged in by it.
    ///
    /// # Errors
    /// [`ResetError`].
    pub async fn reset(
        &self,
        code: &str,
        password: SecretString,
        asker: &Asker,
    ) -> Result<UserId, ResetError> {
        self.throttles.proof(asker.address, self.now()).await?;
        self.strength.check(&password, &[])?;
        let taken = self.store.take_proof(secret::hash(code), ProofOf::Password, self.now()).await?;
        let proof = taken.ok_or(ResetError::Refused)?;
        let user = proof.user;
        match self.reset_by(&proof, password, asker).await {
            // Nothing has become of the code: it is good once more.
            Err(error @ (ResetError::Field(_) | ResetError::Busy(_))) => {
                settle(|| self.store.put_proof(proof.clone())).await?;
                Err(error)
            }
            Err(error) => Err(error),
            Ok(()) => Ok(user),
        }
    }

    async fn reset_by(&self, proof: &Proof, password: SecretString, asker: &Asker) -> Result<(), ResetError> {
        let account = self.store.account(proof.user).await?.ok_or(ResetError::Refused)?;
        if account.email != proof.email {
            return Err(ResetError::Refused);
        }
        self.strength.check(&password, &[&account.email, &account.user.handle, &account.user.name])?;
        let hash = self.passwords.hash(password, self.random.as_ref()).await?;
        if !settle(|| self.store.replace_password(proof.user, &account.password, &hash)).await? {
            return Err(ResetError::Refused);
        }
        let email = account.email.as_str();
        self.tell(email, About::PasswordReset, asker).await;
        self.end_logins(proof.user, None).await?;
        // Whoever has the code reads mail there.
        settle(|| self.store.confirm_address(proof.user, (email, email), self.now())).await?;
        Ok(())
    }
}
