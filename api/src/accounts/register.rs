//! Registration: a new account, or the same answer for an address that has one.

use super::Accounts;
use super::names::{self, BadField};
use super::password::PoolFull;
use super::settle::settle;
use rookery_engine::Throttled;
use rookery_engine::store::{Account, AccountCreated, StoreError};
use rookery_protocol::{User, UserId};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use std::net::IpAddr;

/// What somebody registers with.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Register {
    /// The address; the domain's case does not matter.
    pub email: String,
    /// 8 to 1024 bytes, without further rules.
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
    pub async fn register(&self, request: Register, from: IpAddr) -> Result<User, RegisterError> {
        let email = names::email(&request.email)?;
        names::handle(&request.handle)?;
        let name = names::name(&request.name)?;
        names::password(&request.password)?;
        self.throttles.register(from, &email, self.now()).await?;

        let password = self.passwords.hash(request.password, self.random.as_ref()).await?;
        let user =
            User { id: UserId(self.new_id()), handle: request.handle, name, avatar: None, about: None };
        let account =
            Account { user: user.clone(), email, password, created_at: self.now(), confirmed_at: None };
        match settle(|| self.store.create_account(account.clone())).await? {
            AccountCreated::Created => Ok(user),
            AccountCreated::HandleTaken => Err(RegisterError::HandleTaken),
            AccountCreated::EmailTaken => {
                // A durable write of its own, so that this answer takes as long as the other.
                settle(|| self.store.probe()).await?;
                Ok(user)
            }
        }
    }
}
