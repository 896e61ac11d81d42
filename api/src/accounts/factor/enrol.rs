//! Setting a second factor up, looking at it, and taking it off.

use super::{Factor, code, factor_key};
use crate::accounts::password::{PoolFull, Verdict};
use crate::accounts::{Accounts, Asker, after, names};
use crate::mail::About;
use rookery_actors::Identity;
use rookery_engine::Throttled;
use rookery_engine::store::StoreError;
use rookery_protocol::{Timestamp, UserId};
use secrecy::{ExposeSecret, SecretString};
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
    /// The account has no password, and the login is too long ago to stand for one.
    #[error("take a login for a password that is too long ago")]
    Stale,
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
    ///
    /// # Panics
    /// When a new secret cannot be written as an address, which it always can.
    pub async fn begin_factor(
        &self,
        who: &Identity,
        password: SecretString,
    ) -> Result<Enrolment, FactorError> {
        let user = &who.user;
        self.throttles.factor(user.id, self.now()).await?;
        self.own_password(who, password).await?;
        let before = self.factor(user.id).await?;
        if before.as_ref().is_some_and(|factor| factor.what.on_since.is_some()) {
            return Err(FactorError::On);
        }
        let secret = SecretString::from(code::make_secret(self.random.as_ref()));
        let address = code::address(secret.expose_secret(), &user.handle);
        let address = SecretString::from(address.expect("a new secret has an address"));
        let sealed = self.seal_secret(user.id, &secret);
        let factor = Factor { secret: sealed, on_since: None, step: 0, recovery: Vec::new() };
        let expires_at = Some(after(self.now(), ENROLMENT_LASTS));
        let before = before.map(|factor| factor.version);
        if !self.keep(factor_key(user.id), before, &factor, expires_at).await? {
            return Err(FactorError::On);
        }
        Ok(Enrolment { secret, address, expires_in: ENROLMENT_LASTS })
    }

    /// Confirms a factor that is being set up, with a code of it: from now on logins ask for one, and the account's
    /// address is told. Returns the recovery codes, which nobody can be told again.
    ///
    /// # Errors
    /// [`FactorError`].
    pub async fn confirm_factor(
        &self,
        user: UserId,
        code: &str,
        asker: &Asker,
    ) -> Result<Vec<SecretString>, FactorError> {
        self.throttles.factor(user, self.now()).await?;
        let kept = self.factor(user).await?.ok_or(FactorError::Off)?;
        if kept.what.on_since.is_some() {
            return Err(FactorError::On);
        }
        let confirmed = self.without(user, &kept.what, code).ok_or(FactorError::Refused)?;
        let (codes, recovery) = code::make_recovery(self.random.as_ref());
        let factor = Factor { on_since: Some(self.now()), recovery, ..confirmed };
        if !self.keep(factor_key(user), Some(kept.version), &factor, None).await? {
            return Err(FactorError::Off);
        }
        self.tell_owner(user, About::FactorOn, asker).await;
        Ok(codes)
    }

    /// Makes new recovery codes, and tells the account's address; the earlier ones are good for nothing from now on.
    ///
    /// # Errors
    /// [`FactorError`].
    pub async fn renew_recovery_codes(
        &self,
        who: &Identity,
        proof: (SecretString, &str),
        asker: &Asker,
    ) -> Result<Vec<SecretString>, FactorError> {
        self.prove_both(who, proof).await?;
        let user = who.user.id;
        let kept = self.factor(user).await?.ok_or(FactorError::Off)?;
        let (codes, recovery) = code::make_recovery(self.random.as_ref());
        let factor = Factor { recovery, ..kept.what };
        if !self.keep(factor_key(user), Some(kept.version), &factor, None).await? {
            return Err(FactorError::Refused);
        }
        self.tell_owner(user, About::RecoveryRenewed, asker).await;
        Ok(codes)
    }

    /// Takes the second factor off, and tells the account's address.
    ///
    /// # Errors
    /// [`FactorError`].
    pub async fn disable_factor(
        &self,
        who: &Identity,
        proof: (SecretString, &str),
        asker: &Asker,
    ) -> Result<(), FactorError> {
        self.prove_both(who, proof).await?;
        let user = who.user.id;
        if let Some(kept) = self.factor(user).await? {
            self.take_away(factor_key(user), kept.version).await?;
        }
        self.tell_owner(user, About::FactorOff, asker).await;
        Ok(())
    }

    /// Proves that it is still the user who asks, before a change of the ways in: by the password, and by a code where
    /// logins ask for one.
    ///
    /// # Errors
    /// [`FactorError`], but for [`FactorError::On`] and [`FactorError::Off`].
    pub async fn prove_anew(
        &self,
        who: &Identity,
        password: SecretString,
        code: Option<&str>,
    ) -> Result<(), FactorError> {
        self.throttles.factor(who.user.id, self.now()).await?;
        self.own_password(who, password).await?;
        self.prove_factor(who.user.id, code).await
    }

    /// Takes a code where logins ask for one, after the password.
    pub(in crate::accounts) async fn prove_factor(
        &self,
        user: UserId,
        code: Option<&str>,
    ) -> Result<(), FactorError> {
        let is_proven = match code {
            _ if !self.asks_for_factor(user).await? => true,
            Some(code) => self.spend_code(user, code).await?,
            None => false,
        };
        if is_proven { Ok(()) } else { Err(FactorError::Refused) }
    }

    /// Proves the password, then takes a code: one that comes with a wrong password is not spent.
    async fn prove_both(
        &self,
        who: &Identity,
        (password, code): (SecretString, &str),
    ) -> Result<(), FactorError> {
        let user = who.user.id;
        self.throttles.factor(user, self.now()).await?;
        if !self.asks_for_factor(user).await? {
            return Err(FactorError::Off);
        }
        self.own_password(who, password).await?;
        if self.spend_code(user, code).await? { Ok(()) } else { Err(FactorError::Refused) }
    }

    /// Proves that a password is the user's. An account that has none, since it was made by an identity
    /// elsewhere, needs none but a login that has begun just now.
    async fn own_password(&self, who: &Identity, password: SecretString) -> Result<(), FactorError> {
        let account = self.store.account(who.user.id).await?.ok_or(FactorError::Refused)?;
        if account.password.is_empty() {
            let is_fresh = self.is_fresh(who.session).await?;
            return if is_fresh { Ok(()) } else { Err(FactorError::Stale) };
        }
        names::password(&password).map_err(|_| FactorError::Refused)?;
        match self.passwords.verify(password, Some(&account.password)).await? {
            Verdict::Matches | Verdict::MatchesOutdated => Ok(()),
            Verdict::Differs => Err(FactorError::Refused),
        }
    }
}
