//! Refresh: a spent refresh token for the next pair.

use super::login::Tokens;
use super::settle::{insist, settle};
use super::{Accounts, after, secret};
use rookery_engine::store::{RefreshToken, Rotation, StoreError};
use rookery_protocol::SessionId;

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
    /// # Errors
    /// [`RefreshError`]. After a store error the token may be spent or not; trying it again tells, and
    /// ends the login where it was spent.
    pub async fn refresh(&self, token: &str) -> Result<Tokens, RefreshError> {
        let now = self.now();
        let (next, hash) = secret::make(self.random.as_ref());
        let replacement = RefreshToken { hash, expires_at: after(now, self.login_lasts) };
        let old = secret::hash(token);
        match settle(|| self.store.rotate(old, replacement, now)).await? {
            Rotation::Invalid => Err(RefreshError::Refused),
            Rotation::Reused(session) => Err(RefreshError::Reused(session)),
            Rotation::Rotated(session) => {
                // The old token is spent and nobody has the new one yet.
                let users = insist(|| self.store.users(std::slice::from_ref(&session.user))).await?;
                let user = users.into_iter().next().ok_or(RefreshError::Refused)?;
                Ok(self.tokens_of(&session, user, next, now))
            }
        }
    }
}
