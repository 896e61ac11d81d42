//! Tickets: each is taken once.

use crate::CqlStore;
use crate::turns::Tries;
use rookery_engine::store::{StoreError, Ticket, TokenHash};
use rookery_protocol::{SessionId, Timestamp, UserId};
use uuid::Uuid;

impl CqlStore {
    pub(crate) async fn keep_ticket(&self, ticket: Ticket) -> Result<(), StoreError> {
        let mut tries = Tries::new();
        let kept = self.insert_ticket(ticket, &mut tries).await;
        tries.settle(kept)
    }

    async fn insert_ticket(&self, ticket: Ticket, tries: &mut Tries) -> Result<(), StoreError> {
        let statements = &self.sessions;
        loop {
            let values = (ticket.hash, ticket.user.0, ticket.session.0, ticket.expires_at.0);
            let sent = self.cql.decide(&statements.put_ticket, values).await;
            let Some(decided) = tries.known(sent).await? else { continue };
            if !self.gives_way(&decided).await? {
                return Ok(());
            }
            self.make_way(&statements.drop_ticket, &ticket.hash, &decided, tries).await?;
        }
    }

    /// Takes a ticket. An unknown outcome stays one: that the ticket is gone does not say who has it.
    pub(crate) async fn take(&self, hash: TokenHash, now: Timestamp) -> Result<Option<Ticket>, StoreError> {
        let _turn = self.turns.at(&hash).await;
        let row = self.cql.row::<(Uuid, Uuid, i64)>(&self.sessions.ticket, (hash,)).await?;
        let Some((user, session, expires_at)) = row else { return Ok(None) };
        let expires_at = Timestamp(expires_at);
        if self.is_forgotten(expires_at).await? {
            return Ok(None);
        }
        let taken = self.cql.decide(&self.sessions.take_ticket, (hash, session, expires_at.0)).await?;
        let ticket = Ticket { hash, user: UserId(user), session: SessionId(session), expires_at };
        Ok((taken.applied && now < expires_at).then_some(ticket))
    }
}
