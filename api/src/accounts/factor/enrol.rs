//! Setting a second factor up, looking at it, and taking it off.

use super::{Factor, code, factor_key};
use crate::accounts::password::{PoolFull, Verdict};
use crate::accounts::{Accounts, after, names};
use rookery_engine::Throttled;
use rookery_engine::store::StoreError;
use rookery_protocol::{Timestamp, User, UserId};
use secrecy::SecretString;
use std::time::Duration;

/// How long somebody may take to put the secret into an app.
const ENROLMENT_LASTS: Duration = Duration::from_secs(600);

/// A factor that is being set up.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// For the app, in base32.
    pub secret: SecretString,
    /// The same, as an address that an app reads from a picture (`otpauth://…`).
    pub address: SecretString,
    /// Until when it is to be confirmed.
    pub expires_in: Duration,
}

/// How a user's second factor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactorStanding {
    /// Since when logins ask for it; `None` where they do not.
    pub on_since: Option<Timestamp>,
    /// Recovery codes that are left.
    pub recovery_codes: usize,
}

/// Why nothing was done about a factor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactorError {
    /// The password or the code is not right; which of the two is not said.
    #[error("accept the password and the code")]
    Refused,
    /// There is one already.
    #[error("set a second factor up: there is one")]
    On,
    /// There is none, or it is not being set up any more.
    #[error("find a second factor")]
    Off,
    /// Tried too often.
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
    /// Tells how a user's second factor stands.
    ///
    /// # Errors
    /// [`FactorError::Store`].
    pub async fn factor_standing(&self, user: UserId) -> Result<FactorStanding, FactorError> {
        let on =
            self.factor(user).await?.map(|factor| factor.what).filter(|factor| factor.on_since.is_some());
        Ok(FactorStanding {
            on_since: on.as_ref().and_then(|factor| factor.on_since),
            recovery_codes: on.map_or(0, |factor| factor.recovery.len()),
        })
    }

    /// Begins to set a second factor up: logins do not ask for it until it was confirmed. Begun again, the
    /// earlier secret is good for nothing.
    ///
    /// # Errors
    /// [`FactorError`]; what is busy, throttled or the store's may be tried again as it is.
    pub async fn begin_factor(&self, user: &User, password: SecretString) -> Result<Enrolment, FactorError> {
        self.throttles.factor(user.id, self.now()).await?;
        self.own_password(user.id, password).await?;
        let before = self.factor(user.id).await?;
        if before.as_ref().is_some_and(|factor| factor.what.on_since.is_some()) {
            return Err(FactorError::On);
        }
        let secret = code::make_secret(self.random.as_ref());
        let address = code::address(&secret, &user.handle).expect("a new secret has an address");
        let factor = Factor { secret: secret.clone(), on_since: None, step: 0, recovery: Vec::new() };
        let expires_at = Some(after(self.now(), ENROLMENT_LASTS));
        let before = before.map(|factor| factor.version);
        if !self.keep(factor_key(user.id), before, &factor, expires_at).await? {
            return Err(FactorError::On);
        }
        let (secret, address) = (SecretString::from(secret), SecretString::from(address));
        Ok(Enrolment { secret, address, expires_in: ENROLMENT_LASTS })
    }

    /// Confirms a factor that is being set up, with a code of it: from now on logins ask for one. Returns the
    /// recovery codes, which nobody can be told again.
    ///
    /// # Errors
    /// [`FactorError`].
    pub async fn confirm_factor(&self, user: UserId, code: &str) -> Result<Vec<SecretString>, FactorError> {
        self.throttles.factor(user, self.now()).await?;
        let kept = self.factor(user).await?.ok_or(FactorError::Off)?;
        if kept.what.on_since.is_some() {
            return Err(FactorError::On);
        }
        let confirmed = kept.what.without(code, self.now()).ok_or(FactorError::Refused)?;
        let (codes, recovery) = code::make_recovery(self.random.as_ref());
        let factor = Factor { on_since: Some(self.now()), recovery, ..confirmed };
        if !self.keep(factor_key(user), Some(kept.version), &factor, None).await? {
            return Err(FactorError::Off);
        }
        Ok(codes)
    }

    /// Makes new recovery codes; the earlier ones are good for nothing from now on.
    ///
    /// # Errors
    /// [`FactorError`].
    pub async fn renew_recovery_codes(
        &self,
        user: UserId,
        password: SecretString,
        code: &str,
    ) -> Result<Vec<SecretString>, FactorError> {
        self.prove_both(user, password, code).await?;
        let kept = self.factor(user).await?.ok_or(FactorError::Off)?;
        let (codes, recovery) = code::make_recovery(self.random.as_ref());
        let factor = Factor { recovery, ..kept.what };
        if !self.keep(factor_key(user), Some(kept.version), &factor, None).await? {
            return Err(FactorError::Refused);
        }
        Ok(codes)
    }

    /// Takes the second factor off.
    ///
    /// # Errors
    /// [`FactorError`].
    pub async fn disable_factor(
        &self,
        user: UserId,
        password: SecretString,
        code: &str,
    ) -> Result<(), FactorError> {
        self.prove_both(user, password, code).await?;
        if let Some(kept) = self.factor(user).await? {
            self.take_away(factor_key(user), kept.version).await?;
        }
        Ok(())
    }

    /// Proves the password, then takes a code: one that comes with a wrong password is not spent.
    async fn prove_both(&self, user: UserId, password: SecretString, code: &str) -> Result<(), FactorError> {
        self.throttles.factor(user, self.now()).await?;
        if !self.asks_for_factor(user).await? {
            return Err(FactorError::Off);
        }
        self.own_password(user, password).await?;
        if self.spend_code(user, code).await? { Ok(()) } else { Err(FactorError::Refused) }
    }

    /// Proves that a password is the user's. An account that has none, since it was made by an identity
    /// elsewhere, needs none.
    async fn own_password(&self, user: UserId, password: SecretString) -> Result<(), FactorError> {
        let account = self.store.account(user).await?.ok_or(FactorError::Refused)?;
        if account.password.is_empty() {
            return Ok(());
        }
        names::password(&password).map_err(|_| FactorError::Refused)?;
        match self.passwords.verify(password, Some(&account.password)).await? {
            Verdict::Matches | Verdict::MatchesOutdated => Ok(()),
            Verdict::Differs => Err(FactorError::Refused),
        }
    }
}
