//! The logins of a user: which there are, and their end.

use super::settle::settle;
use super::{Accounts, after};
use rookery_engine::store::{LoginSession, StoreError};
use rookery_protocol::{SessionId, UserId};
use std::time::Duration;

/// Logins that a user is shown: more than anybody has devices, and a page that is read.
const SHOWN: usize = 100;

/// How long a login is fresh: it stands for a password where an account has none. As long as what comes by mail is
/// good, and short enough that an access token that was copied seldom comes with one.
const FRESH_FOR: Duration = Duration::from_secs(10 * 60);

/// Logins that are looked for at a time where all are ended.
const AT_A_TIME: usize = 256;

impl Accounts {
    /// Returns the logins of `user` that are live, the ones begun last first, at most 100.
    ///
    /// # Errors
    /// The store's; it may be tried again.
    pub async fn logins(&self, user: UserId) -> Result<Vec<LoginSession>, StoreError> {
        self.store.sessions_of(user, self.now(), SHOWN).await
    }

    /// Returns whether a login has begun just now.
    pub(super) async fn is_fresh(&self, session: SessionId) -> Result<bool, StoreError> {
        let login = self.store.session(session).await?;
        Ok(login.is_some_and(|login| self.now() < after(login.created_at, FRESH_FOR)))
    }

    /// Ends one login of `user`. Returns whether there was one, whose sockets must be closed.
    ///
    /// # Errors
    /// The store's; it may be tried again.
    pub async fn end_login(&self, user: UserId, session: SessionId) -> Result<bool, StoreError> {
        let now = self.now();
        let found = self.store.session(session).await?;
        if found.is_none_or(|found| found.user != user || !found.is_live(now)) {
            return Ok(false);
        }
        settle(|| self.store.revoke(session, now)).await?;
        Ok(true)
    }

    /// Ends every login of `user` but `kept`. Returns those that it ended, whose sockets must be closed; where
    /// none is kept, `Node::end_logins_of` closes them all.
    ///
    /// # Errors
    /// The store's; some may have ended then, and it may be tried again.
    pub async fn end_logins(
        &self,
        user: UserId,
        kept: Option<SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let now = self.now();
        let mut ended = Vec::new();
        loop {
            let live = self.store.sessions_of(user, now, AT_A_TIME).await?;
            let others: Vec<_> =
                live.iter().map(|login| login.session).filter(|session| Some(*session) != kept).collect();
            for session in &others {
                settle(|| self.store.revoke(*session, now)).await?;
            }
            ended.extend(others);
            if live.len() < AT_A_TIME {
                return Ok(ended);
            }
        }
    }
}
