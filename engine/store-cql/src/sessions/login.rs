//! Login sessions: begun once, revoked once.

use super::time_to_live;
use crate::CqlStore;
use crate::cql::Read;
use crate::turns::Tries;
use rookery_engine::store::{LoginSession, RefreshToken, StoreError};
use rookery_protocol::{DeviceId, SessionId, Timestamp, UserId};
use scylla::value::MaybeUnset;
use uuid::Uuid;

impl CqlStore {
    pub(crate) async fn begin(&self, session: &LoginSession, token: RefreshToken) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        let begun = self.insert_both(session, token, &mut tries).await;
        tries.settle(begun)
    }

    async fn insert_both(
        &self,
        session: &LoginSession,
        token: RefreshToken,
        tries: &mut Tries,
    ) -> Result<(), StoreError> {
        self.insert_token(session.session, token, session.created_at, tries).await?;
        tries.opened();
        self.insert_session(session, tries).await
    }

    /// Forgets the logins of a user; their tokens are good for nothing then, and end by themselves.
    pub(crate) async fn forget_sessions_of(&self, user: UserId) -> Result<(), StoreError> {
        let rows: Vec<(Uuid,)> = self.cql.rows(&self.sessions.of_user, (user.0,)).await?;
        for (session,) in rows {
            let Some(login) = self.login(SessionId(session)).await? else { continue };
            let values = (session, login.expires_at.0);
            let drop_it = || self.cql.decide(&self.sessions.drop_session, values);
            self.cql.settled(drop_it).await?;
        }
        Ok(())
    }

    /// Keeps a session that was kept before, ended or not, unless it is there.
    pub(crate) async fn import_session(&self, session: &LoginSession) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        let kept = self.insert_session(session, &mut tries).await;
        tries.settle(kept)
    }

    /// Keeps a session unless one of its id is there already.
    async fn insert_session(&self, session: &LoginSession, tries: &mut Tries) -> Result<(), StoreError> {
        let statements = &self.sessions;
        self.list(session).await?;
        loop {
            let values = (
                session.session.0,
                session.user.0,
                MaybeUnset::from_option(session.device.as_ref().map(|device| device.0)),
                MaybeUnset::from_option(session.device_name.as_ref()),
                session.created_at.0,
                session.expires_at.0,
                MaybeUnset::from_option(session.revoked_at.map(|at| at.0)),
                time_to_live(session.expires_at, session.created_at),
            );
            let sent = self.cql.decide(&statements.begin_session, values).await;
            let Some(decided) = tries.known(sent).await? else { continue };
            if !self.gives_way(&decided).await? {
                return Ok(());
            }
            self.make_way(&statements.drop_session, &session.session.0, &decided, tries).await?;
        }
    }

    pub(crate) async fn login(&self, session: SessionId) -> Result<Option<LoginSession>, StoreError> {
        self.read_session(&self.sessions.session, session).await
    }

    pub(super) async fn read_session(
        &self,
        read: &Read,
        session: SessionId,
    ) -> Result<Option<LoginSession>, StoreError> {
        type Columns = (Uuid, Option<Uuid>, Option<String>, i64, i64, Option<i64>);
        let Some(row) = self.cql.row::<Columns>(read, (session.0,)).await? else { return Ok(None) };
        let (user, device, device_name, created_at, expires_at, revoked_at) = row;
        let found = LoginSession {
            session,
            user: UserId(user),
            device: device.map(DeviceId),
            device_name,
            created_at: Timestamp(created_at),
            expires_at: Timestamp(expires_at),
            revoked_at: revoked_at.map(Timestamp),
        };
        Ok((!self.is_forgotten(found.ends_at()).await?).then_some(found))
    }

    pub(crate) async fn revoke_login(&self, session: SessionId, now: Timestamp) -> Result<bool, StoreError> {
        let _turn = self.turns.at(&session).await;
        let mut tries = Tries::new();
        let revoked = self.revoke_in_turn(session, now, &mut tries).await;
        tries.settle(revoked)
    }

    async fn revoke_in_turn(
        &self,
        session: SessionId,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<bool, StoreError> {
        loop {
            let found = self.read_session(&self.sessions.settled_session, session).await?;
            match found {
                None => return Ok(false),
                // The same call sent again finds its own moment.
                Some(found) if !found.is_live(now) => return Ok(found.revoked_at == Some(now)),
                Some(found) if self.end(&found, now, tries).await? => return Ok(true),
                Some(_) => {}
            }
        }
    }

    /// Revokes a session unless it has been. Returns whether this call did; otherwise it is for the caller
    /// to look.
    pub(super) async fn end(
        &self,
        session: &LoginSession,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<bool, StoreError> {
        loop {
            let lives = time_to_live(session.expires_at, now);
            let values = (lives, now.0, session.session.0, session.expires_at.0);
            let sent = self.cql.decide(&self.sessions.revoke, values).await;
            if let Some(decided) = tries.known(sent).await? {
                return Ok(decided.applied);
            }
        }
    }
}
