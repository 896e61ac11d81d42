//! Purging: what has expired proves nothing any more and only takes space.

use super::Accounts;

impl Accounts {
    /// Takes a share of the expired tokens, tickets and logins out of the store. What fails is left
    /// for the next time.
    pub async fn purge(&self) {
        if let Err(error) = self.store.purge(self.now()).await {
            tracing::debug!(%error, "expired logins were not purged");
        }
    }
}
