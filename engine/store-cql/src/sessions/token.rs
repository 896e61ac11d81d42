//! Refresh tokens: each is spent for one other, and for that one again.

use super::time_to_live;
use crate::CqlStore;
use crate::turns::Tries;
use rookery_engine::store::{RefreshToken, Rotation, StoreError, TokenHash, may_repeat_rotation};
use rookery_protocol::{SessionId, Timestamp};
use scylla::value::MaybeUnset;
use uuid::Uuid;

/// A token as it is kept.
struct TokenRow {
    session: SessionId,
    expires_at: Timestamp,
    /// What it was spent for.
    replaced_by: Option<Vec<u8>>,
    /// When; not known of one that came with a backup.
    spent_at: Option<Timestamp>,
}

/// Returns what a token was spent for, with when: the column `replaced_by`.
fn spent(hash: TokenHash, at: Timestamp) -> Vec<u8> {
    [hash.as_slice(), &at.0.to_be_bytes()].concat()
}

/// Takes the column `replaced_by` apart.
pub(crate) fn replaced_by(mut column: Vec<u8>) -> (Vec<u8>, Option<Timestamp>) {
    let at = column.split_off(column.len().min(size_of::<TokenHash>()));
    (column, at.try_into().ok().map(|at| Timestamp(i64::from_be_bytes(at))))
}

impl CqlStore {
    /// Keeps a token unless its hash is there already.
    pub(super) async fn insert_token(
        &self,
        session: SessionId,
        token: RefreshToken,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<(), StoreError> {
        let row = TokenRow { session, expires_at: token.expires_at, replaced_by: None, spent_at: None };
        self.insert_token_row(token.hash, &row, now, tries).await
    }

    /// Keeps a token, spent or not, of a session that is there already.
    pub(crate) async fn import_token(
        &self,
        token: RefreshToken,
        session: SessionId,
        replaced_by: Option<TokenHash>,
    ) -> Result<(), StoreError> {
        // It lives as long as one that is made with its session; without that, nobody finds it anyway.
        let begun = self.login(session).await?.map_or(token.expires_at, |session| session.created_at);
        let replaced_by = replaced_by.map(|hash| hash.to_vec());
        let row = TokenRow { session, expires_at: token.expires_at, replaced_by, spent_at: None };
        let mut tries = Tries::new();
        let kept = self.insert_token_row(token.hash, &row, begun, &mut tries).await;
        tries.settle(kept)
    }

    async fn insert_token_row(
        &self,
        hash: TokenHash,
        token: &TokenRow,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<(), StoreError> {
        let statements = &self.sessions;
        let TokenRow { session, expires_at, replaced_by, .. } = token;
        loop {
            let lives = time_to_live(*expires_at, now);
            let replaced_by = MaybeUnset::from_option(replaced_by.as_ref());
            let values = (hash, session.0, expires_at.0, replaced_by, lives);
            let sent = self.cql.decide(&statements.put_token, values).await;
            let Some(decided) = tries.known(sent).await? else { continue };
            if !self.gives_way(&decided).await? {
                return Ok(());
            }
            self.make_way(&statements.drop_token, &hash, &decided, tries).await?;
        }
    }

    async fn read_token(&self, hash: TokenHash) -> Result<Option<TokenRow>, StoreError> {
        type Columns = (Uuid, i64, Option<Vec<u8>>);
        let row = self.cql.row::<Columns>(&self.sessions.token, (hash,)).await?;
        let Some((session, expires_at, column)) = row else { return Ok(None) };
        let (replaced_by, spent_at) = column.map(replaced_by).unzip();
        let spent_at = spent_at.flatten();
        let (session, expires_at) = (SessionId(session), Timestamp(expires_at));
        let is_forgotten = self.is_forgotten(expires_at).await?;
        Ok((!is_forgotten).then_some(TokenRow { session, expires_at, replaced_by, spent_at }))
    }

    async fn is_spent(&self, hash: TokenHash) -> Result<bool, StoreError> {
        Ok(self.read_token(hash).await?.is_some_and(|token| token.replaced_by.is_some()))
    }

    pub(crate) async fn spend(
        &self,
        old: TokenHash,
        new: RefreshToken,
        now: Timestamp,
    ) -> Result<Rotation, StoreError> {
        let _turn = self.turns.at(&old).await;
        let mut tries = Tries::new();
        let rotated = self.spend_in_turn(old, new, now, &mut tries).await;
        tries.settle(rotated)
    }

    /// That a token is spent for another one is decided in its own row. Whoever stops after that leaves the
    /// other one absent, and puts it there by asking again.
    async fn spend_in_turn(
        &self,
        old: TokenHash,
        new: RefreshToken,
        now: Timestamp,
        tries: &mut Tries,
    ) -> Result<Rotation, StoreError> {
        let statements = &self.sessions;
        loop {
            let Some(token) = self.read_token(old).await? else { return Ok(Rotation::Invalid) };
            let session = self.read_session(&statements.settled_session, token.session).await?;
            let Some(session) = session else { return Ok(Rotation::Invalid) };
            match token.replaced_by {
                Some(hash) if hash != new.hash => {
                    self.end(&session, now, tries).await?;
                    return Ok(Rotation::Reused(session.session));
                }
                _ if !session.is_live(now) => return Ok(Rotation::Invalid),
                Some(_) if !may_repeat_rotation(token.spent_at, now) => {
                    self.end(&session, now, tries).await?;
                    return Ok(Rotation::Reused(session.session));
                }
                Some(_) if self.is_spent(new.hash).await? => {
                    self.end(&session, now, tries).await?;
                    return Ok(Rotation::Reused(session.session));
                }
                Some(_) => {
                    let lives = time_to_live(new.expires_at, now);
                    let unspent = MaybeUnset::<Vec<u8>>::Unset;
                    let values = (new.hash, session.session.0, new.expires_at.0, unspent, lives);
                    let sent = self.cql.decide(&statements.put_token, values).await;
                    if tries.known(sent).await?.is_some() {
                        return Ok(Rotation::Rotated(session));
                    }
                }
                None if token.expires_at <= now => return Ok(Rotation::Invalid),
                None => {
                    let lives = time_to_live(token.expires_at, now);
                    let values = (lives, spent(new.hash, now), old, session.session.0);
                    let sent = self.cql.decide(&statements.spend, values).await;
                    if tries.is_applied(sent).await? {
                        tries.opened();
                        self.insert_token(session.session, new, now, tries).await?;
                        return Ok(Rotation::Rotated(session));
                    }
                }
            }
        }
    }
}
