//! A challenge: a login that has proven all but the second factor.

use crate::accounts::login::{BeginError, note_user};
use crate::accounts::{Accounts, Asker, Tokens, after, secret};
use rookery_engine::Throttled;
use rookery_engine::store::{Account, StoreError};
use rookery_protocol::{DeviceId, UserId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long somebody may look for a code.
const CHALLENGE_LASTS: Duration = Duration::from_secs(300);

/// Codes that one challenge takes: typing errors, not guesses.
const TRIES: u32 = 5;

/// A login that waits for its second factor.
#[derive(Clone, Debug)]
pub struct Challenge {
    /// Names it, and is a secret.
    pub challenge: SecretString,
    /// How long it waits.
    pub expires_in: Duration,
}

/// Why a challenge was not met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// The account is barred from the server.
    #[error("log in: the account is barred from the server")]
    Barred,
    /// The challenge is unknown, met, over or was tried too often.
    #[error("find the login that waits for a code")]
    Gone,
    /// The code is not right, or was used.
    #[error("accept the code")]
    Refused,
    /// Too often from this address, or to this account.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    user: UserId,
    device: Option<DeviceId>,
    device_name: Option<String>,
    /// Of the password that was proven: another one since ends the challenge.
    password: String,
    tried: u32,
}

impl From<BeginError> for ChallengeError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Barred => Self::Barred,
            BeginError::Store(error) => Self::Store(error),
        }
    }
}

impl Accounts {
    /// Has a login wait for its second factor.
    pub(in crate::accounts) async fn challenge(
        &self,
        account: &Account,
        (device, device_name): (Option<DeviceId>, Option<String>),
    ) -> Result<Challenge, StoreError> {
        let (challenge, key) = secret::make(self.random.as_ref());
        let waiting = Waiting {
            user: account.user.id,
            device,
            device_name,
            password: mark(&account.password),
            tried: 0,
        };
        self.keep(key, None, &waiting, Some(after(self.now(), CHALLENGE_LASTS))).await?;
        Ok(Challenge { challenge, expires_in: CHALLENGE_LASTS })
    }

    /// Goes on with a login that waits, by a code of the app or a recovery code.
    ///
    /// # Errors
    /// [`ChallengeError`]; what is throttled or the store's may be tried again as it is.
    pub async fn meet_challenge(
        &self,
        challenge: &str,
        code: &str,
        asker: &Asker,
    ) -> Result<Tokens, ChallengeError> {
        let now = self.now();
        self.throttles.login(asker.address, None, now).await?;
        let key = secret::hash(challenge);
        let kept = self.kept::<Waiting>(key).await?.ok_or(ChallengeError::Gone)?;
        note_user(Some(kept.what.user));
        let waiting = Waiting { tried: kept.what.tried + 1, ..kept.what };
        if waiting.tried > TRIES {
            return Err(ChallengeError::Gone);
        }
        self.throttles.factor(waiting.user, now).await?;
        // A try is counted before it is made, so that many at once are as many.
        if !self.keep(key, Some(kept.version), &waiting, kept.expires_at).await? {
            return Err(ChallengeError::Refused);
        }
        let account = self.store.account(waiting.user).await?.ok_or(ChallengeError::Gone)?;
        if mark(&account.password) != waiting.password {
            return Err(ChallengeError::Gone);
        }
        if !self.spend_code(waiting.user, code).await? {
            return Err(ChallengeError::Refused);
        }
        let kept = self.kept::<Waiting>(key).await?.ok_or(ChallengeError::Gone)?;
        if !self.take_away(key, kept.version).await? {
            return Err(ChallengeError::Gone);
        }
        let device = (waiting.device, waiting.device_name);
        self.begin_login(account, None, device, asker).await?.ok_or(ChallengeError::Gone)
    }
}

/// Tells one password's hash from another's without being it.
fn mark(password: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&secret::hash(password)[..16])
}
