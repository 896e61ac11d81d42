//! Registration: a new account, or the same answer for an address that has one.

use super::names::{self, BadField};
use super::password::PoolFull;
use super::settle::settle;
use super::{Accounts, Asker};
use crate::mail::About;
use rookery_engine::Throttled;
use rookery_engine::store::{Account, AccountCreated, StoreError};
use rookery_protocol::{User, UserId};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

/// What somebody registers with.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Register {
    /// The address; the domain's case does not matter.
    pub email: String,
    /// 8 to 1024 bytes, and not one that everybody tries first.
    #[schemars(with = "String", extend("format" = "password"))]
    pub password: SecretString,
    /// The unique name.
    pub handle: String,
    /// The display name.
    pub name: String,
}

/// Why nobody was registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// A field is not as it must be.
    #[error(transparent)]
    Field(#[from] BadField),
    /// Another account has the handle.
    #[error("take the handle: another account has it")]
    HandleTaken,
    /// Too often from this address, or for this account.
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
    /// Registers a user.
    ///
    /// An address that has an account already gets the answer that a new one would get, after the
    /// same work: neither status nor body nor time tells the two apart. A taken handle is told,
    /// because handles are public, and it is told first, so that it says nothing about the address.
    ///
    /// # Errors
    /// [`RegisterError`]; what is busy, throttled or the store's may be tried again as it is.
    pub async fn register(&self, request: Register, asker: impl Into<Asker>) -> Result<User, RegisterError> {
        let asker = asker.into();
        let email = names::email(&request.email)?;
        names::handle(&request.handle)?;
        let name = names::name(&request.name)?;
        self.strength.check(&request.password, &[&email, &request.handle, &name])?;
        self.throttles.register(asker.address, &email, self.now()).await?;

        let password = self.passwords.hash(request.password, self.random.as_ref()).await?;
        let user =
            User { id: UserId(self.new_id()), handle: request.handle, name, avatar: None, about: None };
        let created_at = self.now();
        let account = Account { user: user.clone(), email, password, created_at, confirmed_at: None };
        // Both ways make as many durable writes, and one that changes nothing, so that both answers take as long.
        match settle(|| self.store.create_account(account.clone())).await? {
            AccountCreated::HandleTaken => return Err(RegisterError::HandleTaken),
            AccountCreated::Created => {
                settle(|| self.store.create_account(account.clone())).await?;
                if self.verifies_email {
                    self.post(&account.email, About::Confirm, &asker).await?;
                }
            }
            AccountCreated::EmailTaken => {
                if self.verifies_email || !self.mailer.is_on() {
                    settle(|| self.store.probe()).await?;
                }
                self.post(&account.email, About::AddressTaken, &asker).await?;
            }
        }
        Ok(user)
    }
}
