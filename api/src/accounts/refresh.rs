//! Refresh: a spent refresh token for the next pair.

use super::login::Tokens;
use super::settle::{insist, settle};
use super::{Accounts, Asker, after, secret};
use crate::mail::About;
use rookery_engine::store::{RefreshToken, Rotation, StoreError};
use rookery_protocol::{SessionId, Timestamp};

/// Why there are no new tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// There is no such token, or it or its login is over.
    #[error("accept the refresh token")]
    Refused,
    /// The token had been spent: somebody else has it too, so the login is revoked now. Its sockets
    /// must be closed.
    #[error("accept the refresh token: it was used before, so its login is revoked")]
    Reused(SessionId),
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Spends a refresh token and gives the next pair. The login's end does not move.
    ///
    /// The same token again within [`REFRESH_AGAIN_MS`](rookery_engine::limits::REFRESH_AGAIN_MS) gives the same
    /// next one, until that was spent too; after that it ends the login.
    ///
    /// # Errors
    /// [`RefreshError`]. After a store error the token may be spent or not; it may be tried again at once.
    pub async fn refresh(&self, token: &str, asker: impl Into<Asker>) -> Result<Tokens, RefreshError> {
        let now = self.now();
        let (next, hash) = self.tokens.successor_of(token);
        let replacement = RefreshToken { hash, expires_at: after(now, self.login_idle) };
        let old = secret::hash(token);
        match settle(|| self.store.rotate(old, replacement, now)).await? {
            Rotation::Invalid => Err(RefreshError::Refused),
            Rotation::Reused(session) => {
                self.tell_of_reuse(session, now, &asker.into()).await;
                Err(RefreshError::Reused(session))
            }
            Rotation::Rotated(session) => {
                // The old token is spent and nobody has the new one yet.
                let users = insist(|| self.store.users(std::slice::from_ref(&session.user))).await?;
                let user = users.into_iter().next().ok_or(RefreshError::Refused)?;
                Ok(self.tokens_of(&session, user, next, now))
            }
        }
    }

    /// Tells whose login it was that it was ended, once: the token may come again and again.
    async fn tell_of_reuse(&self, session: SessionId, now: Timestamp, asker: &Asker) {
        let Ok(Some(login)) = insist(|| self.store.session(session)).await else { return };
        if login.revoked_at == Some(now) {
            self.tell_owner(login.user, About::TokenReused, asker).await;
        }
    }
}
