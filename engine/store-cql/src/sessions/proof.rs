//! Proofs: each is taken once.

use crate::CqlStore;
use crate::turns::Tries;
use rookery_engine::store::{Proof, ProofOf, StoreError, TokenHash};
use rookery_protocol::{Timestamp, UserId};
use uuid::Uuid;

impl CqlStore {
    pub(crate) async fn keep_proof(&self, proof: &Proof) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        let kept = self.insert_proof(proof, &mut tries).await;
        tries.settle(kept)
    }

    async fn insert_proof(&self, proof: &Proof, tries: &mut Tries) -> Result<(), StoreError> {
        let statements = &self.sessions;
        let Proof { hash, user, of, email, sent_to, expires_at } = proof;
        loop {
            let values = (hash, user.0, of.as_str(), email, sent_to, expires_at.0);
            let sent = self.cql.decide(&statements.put_proof, values).await;
            let Some(decided) = tries.known(sent).await? else { continue };
            if !self.gives_way(&decided).await? {
                return Ok(());
            }
            self.make_way(&statements.drop_proof, hash, &decided, tries).await?;
        }
    }

    /// Takes a proof. An unknown outcome stays one: that the proof is gone does not say who has it.
    pub(crate) async fn redeem(
        &self,
        hash: TokenHash,
        of: ProofOf,
        now: Timestamp,
    ) -> Result<Option<Proof>, StoreError> {
        type Columns = (Uuid, String, String, String, i64);
        let _turn = self.turns.at(&hash).await;
        let Some(row) = self.cql.row::<Columns>(&self.sessions.proof, (hash,)).await? else {
            return Ok(None);
        };
        let (user, what, email, sent_to, expires_at) = row;
        let expires_at = Timestamp(expires_at);
        if what != of.as_str() || self.is_forgotten(expires_at).await? {
            return Ok(None);
        }
        let taken = self.cql.decide(&self.sessions.take_proof, (hash, user, expires_at.0)).await?;
        let proof = Proof { hash, user: UserId(user), of, email, sent_to, expires_at };
        Ok((taken.applied && now < expires_at).then_some(proof))
    }
}
