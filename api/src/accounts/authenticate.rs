//! Authentication: from an access token, or a ticket, to a living login session.

use super::token::TokenError;
use super::{Accounts, secret};
use rookery_actors::{Authenticating, Authenticator, Identity};
use rookery_engine::store::{Login, StoreError};
use rookery_protocol::{ErrorCode, SessionId, Timestamp, UserId, WireError};

/// Milliseconds until the store should be asked again.
const RETRY_AFTER_MS: u32 = 1000;

impl Authenticator for Accounts {
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a> {
        Box::pin(async move {
            let claims = self.tokens.verify(token, self.now()).map_err(refusal)?;
            self.living(claims.user, claims.session, claims.expires_at).await
        })
    }

    fn forget_login(&self, session: SessionId) {
        self.recent.forget(|identity| identity.session == session);
    }

    fn forget_user(&self, user: UserId) {
        self.recent.forget(|identity| identity.user.id == user);
    }
}

/// Where an identity was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Among those found good seconds ago.
    Remembered,
    /// In the store.
    Stored,
}

impl Accounts {
    /// Authenticates one of many requests with the same token: the store is asked once in
    /// `recent::LASTS`, unless the login has ended since.
    ///
    /// # Errors
    /// As [`Authenticator::authenticate`].
    pub(crate) async fn recognise(&self, token: &str) -> Result<(Identity, Found), WireError> {
        let hash = secret::hash(token);
        if let Some(identity) = self.recent.find(&hash, self.clock.elapsed(), self.now()) {
            return Ok((identity, Found::Remembered));
        }
        // Taken before the store is asked: what is forgotten from here on must not come back.
        let version = self.recent.version();
        let identity = self.authenticate(token).await?;
        self.recent.remember(hash, &identity, version, self.clock.elapsed());
        Ok((identity, Found::Stored))
    }

    /// Finds the user of a login session that is neither revoked nor over, good until `expires_at` or
    /// the login's end. A read of the store, so that a revocation counts from the next request on.
    pub(super) async fn living(
        &self,
        user: UserId,
        session: SessionId,
        expires_at: Timestamp,
    ) -> Result<Identity, WireError> {
        let login = self.store.login(session).await.map_err(|error| unavailable(&error))?;
        let is_live = |login: &Login| login.session.user == user && login.session.is_live(self.now());
        let Some(Login { session: login, user }) = login.filter(is_live) else {
            return Err(WireError::new(ErrorCode::Unauthenticated, "the login is over"));
        };
        let user = user.ok_or_else(|| WireError::new(ErrorCode::Unauthenticated, "the account is gone"))?;
        Ok(Identity { user, session, expires_at: expires_at.min(login.expires_at) })
    }
}

/// Says what a store error means for the caller; why is for the log.
pub(crate) fn unavailable(error: &StoreError) -> WireError {
    tracing::warn!(%error, "the store did not serve an account operation");
    let (code, message) = match error {
        StoreError::Unknown(_) => (ErrorCode::Busy, "the outcome is not known: send it again, unchanged"),
        StoreError::Refused(_) | StoreError::Fatal(_) => {
            (ErrorCode::StoreUnavailable, "the store is not available")
        }
    };
    WireError::new(code, message).retry_after(RETRY_AFTER_MS)
}

fn refusal(error: TokenError) -> WireError {
    match error {
        TokenError::Invalid => WireError::new(ErrorCode::Unauthenticated, "the access token is not accepted"),
        TokenError::Expired => WireError::new(ErrorCode::TokenExpired, "the access token has expired"),
    }
}
