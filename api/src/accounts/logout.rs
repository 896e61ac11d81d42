//! Logout: the end of a login session.

use super::settle::settle;
use super::{Accounts, after, secret};
use rookery_engine::store::{RefreshToken, Rotation, StoreError};
use rookery_protocol::SessionId;

/// What names the login that ends.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    /// The session of an access token that was verified.
    Session(SessionId),
    /// A refresh token.
    Refresh(&'a str),
}

/// Why it is not certain that the login ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoutError {
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Ends a login. Returns its session, whose sockets must be closed, or `None` when the token
    /// belongs to none, which is no error: nobody is logged in with it.
    ///
    /// # Errors
    /// [`LogoutError::Store`]; it may be tried again.
    pub async fn logout(&self, credential: Credential<'_>) -> Result<Option<SessionId>, LogoutError> {
        let now = self.now();
        let session = match credential {
            Credential::Session(session) => session,
            Credential::Refresh(token) => {
                // Only a rotation tells whose a token is; nobody gets to know its replacement.
                let (_, hash) = secret::make(self.random.as_ref());
                let replacement = RefreshToken { hash, expires_at: after(now, self.login_idle) };
                let old = secret::hash(token);
                match settle(|| self.store.rotate(old, replacement, now)).await? {
                    Rotation::Invalid => return Ok(None),
                    Rotation::Reused(session) => return Ok(Some(session)),
                    Rotation::Rotated(login) => login.session,
                }
            }
        };
        settle(|| self.store.revoke(session, now)).await?;
        Ok(Some(session))
    }
}
