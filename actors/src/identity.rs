//! Who a connection or a request speaks for, and the port that finds out.

use rookery_protocol::{SessionId, Timestamp, User, UserId, WireError};
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

/// A user who has proved to be that user.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who.
    pub user: User,
    /// The login that the proof belongs to.
    pub session: SessionId,
    /// Good until then.
    pub expires_at: Timestamp,
}

/// The answer of an [`Authenticator`], once it is there.
pub type Authenticating<'a> = Pin<Box<dyn Future<Output = Result<Identity, WireError>> + Send + 'a>>;

/// Knows whether an access token is good.
pub trait Authenticator: Debug + Send + Sync {
    /// Verifies `token`, and that the login it belongs to has not been revoked.
    ///
    /// # Errors
    /// `unauthenticated` or `token_expired`; `store_unavailable` when it cannot be found out.
    fn authenticate<'a>(&'a self, token: &'a str) -> Authenticating<'a>;

    /// Forgets what it may remember of the login `session`, which is over. One that remembers nothing
    /// has nothing to do.
    fn forget_login(&self, session: SessionId) {
        let _ = session;
    }

    /// Forgets what it may remember of `user`, whose profile or account has changed.
    fn forget_user(&self, user: UserId) {
        let _ = user;
    }
}
