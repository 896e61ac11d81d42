//! Which logins a user has.

use super::time_to_live;
use crate::CqlStore;
use crate::cql::Cql;
use rookery_engine::store::{LoginSession, StoreError};
use rookery_protocol::{SessionId, Timestamp, UserId};
use std::cmp::Reverse;
use uuid::Uuid;

impl CqlStore {
    /// Notes that a session is one of its user's; before the session is there, so that none is missed.
    pub(super) async fn list(&self, session: &LoginSession) -> Result<(), StoreError> {
        let lives = time_to_live(session.expires_at, session.created_at);
        self.cql.write(&self.sessions.list, (session.user.0, session.session.0, lives)).await
    }

    pub(crate) async fn live_sessions(
        &self,
        user: UserId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<LoginSession>, StoreError> {
        let ids: Vec<(Uuid,)> = self.cql.rows(&self.sessions.of_user, (user.0,)).await?;
        let found = Cql::for_each(ids, async |(id,)| self.login(SessionId(id)).await).await?;
        let mut live: Vec<_> = found.into_iter().flatten().filter(|session| session.is_live(now)).collect();
        live.sort_unstable_by_key(|session| Reverse((session.created_at, session.session)));
        live.truncate(limit);
        Ok(live)
    }
}
