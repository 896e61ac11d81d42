//! Login: a password for a session with its tokens.

use super::factor::Challenge;
use super::names;
use super::password::{PoolFull, Verdict};
use super::settle::{insist, settle};
use super::{Accounts, Asker, after, secret};
use rookery_engine::Throttled;
use rookery_engine::store::{Account, LoginSession, RefreshToken, StoreError};
use rookery_protocol::{DeviceId, SessionId, Timestamp, User, UserId};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
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
    /// How long the refresh token is good: until the login ends, or nobody has used it for too long.
    pub refresh_expires_in: Duration,
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
    /// The user is barred from the server; told only to whoever knows the password.
    #[error("let a user in who is barred from the server")]
    Barred,
    /// The password is right, and the address has still to be confirmed.
    #[error("log in before the e-mail address is confirmed")]
    Unconfirmed,
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

/// Has every line of the log on a login say whose it would be, also where it is refused.
pub(super) fn note_user(user: Option<UserId>) {
    let span = tracing::Span::current();
    match user {
        Some(user) => span.record("user", tracing::field::display(user)),
        // Written down as well, so that both cost the same time.
        None => span.record("user", "unknown"),
    };
}

/// What a right password gets.
#[derive(Clone, Debug)]
pub enum LoggedIn {
    /// Tokens.
    Tokens(Box<Tokens>),
    /// The question for a second factor.
    Challenged(Challenge),
}

/// Why no login begins for somebody who has proven all that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BeginError {
    /// The account is barred from the server.
    #[error("log in: the account is barred from the server")]
    Barred,
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BeginError> for LoginError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Barred => Self::Barred,
            BeginError::Store(error) => Self::Store(error),
        }
    }
}

impl Accounts {
    /// Logs somebody in, or asks for a second factor where the account has one.
    ///
    /// An unknown address costs a hash like a known one and gets the same answer.
    ///
    /// # Errors
    /// [`LoginError`]; what is busy, throttled or the store's may be tried again as it is.
    pub async fn login(&self, request: Login, asker: impl Into<Asker>) -> Result<LoggedIn, LoginError> {
        let asker = asker.into();
        let from = asker.address;
        let device = request.device.unwrap_or_default();
        let device_name = device.name.as_deref().map(device_name).transpose()?;
        let email = names::email(&request.email).ok();
        self.throttles.login(from, email.as_deref(), self.now()).await?;

        let account = match &email {
            Some(email) => self.store.account_by_email(email).await?,
            None => None,
        };
        note_user(account.as_ref().map(|account| account.user.id));
        // Nothing longer was ever accepted, so nothing longer is hashed.
        let within = names::password(&request.password).is_ok();
        let known = account
            .as_ref()
            .filter(|account| within && !account.password.is_empty())
            .map(|account| account.password.as_str());
        let password = if within { request.password } else { SecretString::from("") };
        let verdict = self.passwords.verify(password.clone(), known).await?;
        let (account, renewed) = match (verdict, account) {
            (Verdict::Matches, Some(account)) => (account, None),
            (Verdict::MatchesOutdated, Some(account)) => {
                let renewed = self.rehash(&account, password).await;
                (account, renewed)
            }
            (Verdict::Differs, _) | (_, None) => return Err(LoginError::Refused),
        };

        self.throttles.logged_in(from, &account.email, self.now());
        if self.verifies_email && account.confirmed_at.is_none() {
            return Err(LoginError::Unconfirmed);
        }
        let device = (device.id, device_name);
        if self.asks_for_factor(account.user.id).await? {
            // As it is now: the challenge is bound to the hash that may have been renewed.
            let present = self.store.account(account.user.id).await?;
            let is_known = |hash: &str| hash == account.password || Some(hash) == renewed.as_deref();
            let present = present.filter(|present| is_known(&present.password)).ok_or(LoginError::Refused)?;
            return Ok(LoggedIn::Challenged(self.challenge(&present, device).await?));
        }
        let tokens = self.begin_login(account, renewed.as_deref(), device, &asker).await?;
        Ok(LoggedIn::Tokens(Box::new(tokens.ok_or(LoginError::Refused)?)))
    }

    /// Begins a login session of somebody who has proven all that was asked for, when the account was as given or
    /// had its password's hash `renewed`. Returns nothing where it has another password since.
    pub(super) async fn begin_login(
        &self,
        account: Account,
        renewed: Option<&str>,
        (device, device_name): (Option<DeviceId>, Option<String>),
        asker: &Asker,
    ) -> Result<Option<Tokens>, BeginError> {
        let (user, password) = (account.user.clone(), account.password.as_str());
        let now = self.now();
        let session = LoginSession {
            session: SessionId(self.new_id()),
            user: user.id,
            device,
            device_name,
            created_at: now,
            expires_at: after(now, self.login_lasts),
            revoked_at: None,
        };
        let (refresh_token, hash) = secret::make(self.random.as_ref());
        let token = RefreshToken { hash, expires_at: after(now, self.login_idle).min(session.expires_at) };
        settle(|| self.store.begin_session(session.clone(), token)).await?;
        // After it has begun: a ban that comes meanwhile finds it, and one that was there is found here.
        if self.standing(session.user).await?.is_barred(now) {
            settle(|| self.store.revoke(session.session, now)).await?;
            return Err(BeginError::Barred);
        }
        // Whoever has changed the password meanwhile has not seen this login among those that it ended.
        let present = insist(|| self.store.account(session.user)).await?;
        let is_known = |hash: &str| hash == password || Some(hash) == renewed;
        if !present.is_some_and(|present| is_known(&present.password)) {
            settle(|| self.store.revoke(session.session, now)).await?;
            return Ok(None);
        }
        self.note_place(&account, device, asker).await;
        Ok(Some(self.tokens_of(&session, user, refresh_token, now)))
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
            refresh_expires_in: until(now, session.expires_at).min(self.login_idle),
            session: session.session,
            user,
        }
    }

    /// Replaces a hash made with other parameters. Returns what may be in its place now. The login does not
    /// depend on it: the next one tries again.
    async fn rehash(&self, account: &Account, password: SecretString) -> Option<String> {
        let hash = self.passwords.hash(password, self.random.as_ref()).await.ok()?;
        if let Err(error) = self.store.replace_password(account.user.id, &account.password, &hash).await {
            tracing::warn!(%error, "a password hash was not renewed");
        }
        Some(hash)
    }
}

pub(super) fn device_name(text: &str) -> Result<String, names::BadField> {
    names::name(text).map_err(|bad| names::BadField { field: "device", ..bad })
}

fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(then.0 - now.0).unwrap_or(0))
}
