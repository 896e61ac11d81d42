//! Login: a password for a session with its tokens.

use super::names;
use super::password::{PoolFull, Verdict};
use super::settle::settle;
use super::{Accounts, after, secret};
use rookery_engine::Throttled;
use rookery_engine::store::{Account, LoginSession, RefreshToken, StoreError};
use rookery_protocol::{DeviceId, SessionId, Timestamp, User};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use std::net::IpAddr;
use std::time::Duration;

/// What somebody logs in with.
#[derive(Clone, Debug, Deserialize)]
pub struct Login {
    /// The address.
    pub email: String,
    /// The password.
    pub password: SecretString,
    /// What is logged in.
    #[serde(default)]
    pub device: Option<Device>,
}

/// A device, as its client names it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct Device {
    /// Stays the same from login to login.
    #[serde(default)]
    pub id: Option<DeviceId>,
    /// For people: 1 to 64 characters.
    #[serde(default)]
    pub name: Option<String>,
}

/// A login session with its tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Proves who its bearer is, for [`Tokens::expires_in`].
    pub access_token: String,
    /// How long the access token lasts.
    pub expires_in: Duration,
    /// Good for one refresh.
    pub refresh_token: SecretString,
    /// How long the login lasts, however often it is refreshed.
    pub login_expires_in: Duration,
    /// The login session.
    pub session: SessionId,
    /// Who logged in.
    pub user: User,
}

/// Why nobody was logged in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// No account has this address with this password; which of the two is not said.
    #[error("find an account with this e-mail address and password")]
    Refused,
    /// A field of the device is not as it must be.
    #[error(transparent)]
    Field(#[from] names::BadField),
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
    /// Logs somebody in.
    ///
    /// An unknown address costs a hash like a known one and gets the same answer.
    ///
    /// # Errors
    /// [`LoginError`]; what is busy, throttled or the store's may be tried again as it is.
    pub async fn login(&self, request: Login, from: IpAddr) -> Result<Tokens, LoginError> {
        let device = request.device.unwrap_or_default();
        let device_name = device.name.as_deref().map(device_name).transpose()?;
        let email = names::email(&request.email).ok();
        self.throttles.login(from, email.as_deref(), self.now()).await?;

        let account = match &email {
            Some(email) => self.store.account_by_email(email).await?,
            None => None,
        };
        // Nothing longer was ever accepted, so nothing longer is hashed.
        let within = names::password(&request.password).is_ok();
        let known = account.as_ref().filter(|_| within).map(|account| account.password.as_str());
        let password = if within { request.password } else { SecretString::from("") };
        let verdict = self.passwords.verify(password.clone(), known).await?;
        let account = match (verdict, account) {
            (Verdict::Matches, Some(account)) => account,
            (Verdict::MatchesOutdated, Some(account)) => {
                self.rehash(&account, password).await;
                account
            }
            (Verdict::Differs, _) | (_, None) => return Err(LoginError::Refused),
        };

        let now = self.now();
        self.throttles.logged_in(from, &account.email, now);
        let session = LoginSession {
            session: SessionId(self.new_id()),
            user: account.user.id,
            device: device.id,
            device_name,
            created_at: now,
            expires_at: after(now, self.login_lasts),
            revoked_at: None,
        };
        let (refresh_token, hash) = secret::make(self.random.as_ref());
        let token = RefreshToken { hash, expires_at: session.expires_at };
        settle(|| self.store.begin_session(session.clone(), token)).await?;
        Ok(self.tokens_of(&session, account.user, refresh_token, now))
    }

    /// Makes what a login or a refresh gives.
    pub(super) fn tokens_of(
        &self,
        session: &LoginSession,
        user: User,
        refresh_token: SecretString,
        now: Timestamp,
    ) -> Tokens {
        let times = (now, session.expires_at);
        let (access_token, claims) =
            self.tokens.issue(session.user, session.session, times, self.random.as_ref());
        Tokens {
            access_token,
            expires_in: until(now, claims.expires_at),
            refresh_token,
            login_expires_in: until(now, session.expires_at),
            session: session.session,
            user,
        }
    }

    /// Replaces a hash made with other parameters. The login does not depend on it: the next one
    /// tries again.
    async fn rehash(&self, account: &Account, password: SecretString) {
        let Ok(hash) = self.passwords.hash(password, self.random.as_ref()).await else { return };
        if let Err(error) = self.store.replace_password(account.user.id, &account.password, &hash).await {
            tracing::warn!(%error, "a password hash was not renewed");
        }
    }
}

fn device_name(text: &str) -> Result<String, names::BadField> {
    names::name(text).map_err(|bad| names::BadField { field: "device", ..bad })
}

fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(then.0 - now.0).unwrap_or(0))
}
