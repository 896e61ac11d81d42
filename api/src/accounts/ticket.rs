//! Tickets: one WebSocket for a browser, which cannot send a header when it opens one.

use super::settle::settle;
use super::{Accounts, after, secret};
use rookery_actors::Identity;
use rookery_engine::store::{StoreError, Ticket};
use rookery_protocol::{ErrorCode, WireError};
use secrecy::SecretString;
use std::time::Duration;

/// How long a ticket is good: a page opens its socket at once, and the URL may end up in a log.
const TICKET_LASTS: Duration = Duration::from_secs(30);

/// A ticket for its holder.
#[derive(Clone, Debug)]
pub struct IssuedTicket {
    /// The secret: 43 characters of base64url.
    pub ticket: SecretString,
    /// How long it is good.
    pub expires_in: Duration,
}

/// Why there is no ticket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// The store did not, or cannot say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Makes a ticket that opens one WebSocket as `identity`.
    ///
    /// # Errors
    /// [`TicketError::Store`]; it may be tried again.
    pub async fn ticket(&self, identity: &Identity) -> Result<IssuedTicket, TicketError> {
        let (text, hash) = secret::make(self.random.as_ref());
        let expires_at = after(self.now(), TICKET_LASTS);
        let ticket = Ticket { hash, user: identity.user.id, session: identity.session, expires_at };
        settle(|| self.store.put_ticket(ticket)).await?;
        Ok(IssuedTicket { ticket: text, expires_in: TICKET_LASTS })
    }

    /// Takes a ticket and says whose it was. The connection is then good for as long as a new access
    /// token would be.
    ///
    /// A store whose answer is lost may have taken the ticket: it is not asked again, the client
    /// gets another one.
    ///
    /// # Errors
    /// `unauthenticated` for a ticket that is unknown, used, expired or of a login that is over;
    /// `store_unavailable`.
    pub async fn take_ticket(&self, text: &str) -> Result<Identity, WireError> {
        let now = self.now();
        let taken = self
            .store
            .take_ticket(secret::hash(text), now)
            .await
            .map_err(|error| super::unavailable(&error))?;
        let Some(ticket) = taken else {
            return Err(WireError::new(ErrorCode::Unauthenticated, "the ticket is unknown, used or expired"));
        };
        let expires_at = after(now, self.tokens.lasts());
        self.living(ticket.user, ticket.session, expires_at).await
    }
}
