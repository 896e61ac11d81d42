//! The address of an account: confirmed, or changed to another one that is confirmed first.

use super::change_password::ChangePasswordError;
use super::names::{self, BadField};
use super::settle::settle;
use super::{Accounts, Asker, FactorError, secret};
use crate::mail::About;
use rookery_actors::Identity;
use rookery_engine::Throttled;
use rookery_engine::store::{AddressConfirmed, ProofOf, StoreError};
use secrecy::SecretString;

/// Why no address was confirmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The code is unknown, used or expired, or the address is another account's by now.
    #[error("accept the code")]
    Refused,
    /// Too often from this address.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the address stays what it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The new one is none.
    #[error(transparent)]
    Field(#[from] BadField),
    /// As for a password.
    #[error(transparent)]
    Password(#[from] ChangePasswordError),
    /// As for a second factor.
    #[error(transparent)]
    Factor(#[from] FactorError),
    /// Too often from this address, or to that one.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Takes a code that was sent to an address: it is its account's, and confirmed, from now on.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify(&self, code: &str, asker: &Asker) -> Result<(), VerifyError> {
        self.throttles.proof(asker.address, self.now()).await?;
        let taken = self.store.take_proof(secret::hash(code), ProofOf::Address, self.now()).await?;
        let proof = taken.ok_or(VerifyError::Refused)?;
        let (old, new) = (proof.email.as_str(), proof.sent_to.as_str());
        match settle(|| self.store.confirm_address(proof.user, (old, new), self.now())).await? {
            AddressConfirmed::Confirmed => {}
            AddressConfirmed::Taken | AddressConfirmed::Moved => return Err(VerifyError::Refused),
        }
        if old != new {
            self.tell(old, About::AddressChanged, asker).await;
        }
        Ok(())
    }

    /// Has a code be sent to `email`, which the account of `who` gets once the code is taken, and tells its
    /// present address, where it has one. Whether another account has it is not said: the postman looks.
    ///
    /// # Errors
    /// [`AddressError`].
    pub async fn change_address(
        &self,
        who: &Identity,
        email: &str,
        (password, code): (SecretString, Option<&str>),
        asker: &Asker,
    ) -> Result<(), AddressError> {
        let email = names::email(email)?;
        let account = self.known(who, password, asker).await?;
        if code.is_some() {
            self.throttles.factor(who.user.id, self.now()).await?;
        }
        self.prove_factor(who.user.id, code).await?;
        self.throttles.mail(asker.address, &email, self.now()).await?;
        self.tell(&account.email, About::AddressChanging, asker).await;
        Ok(self.post(&email, About::ChangeAddress { user: who.user.id }, asker).await?)
    }
}
