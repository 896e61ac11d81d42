//! The store: a session and the statements of every domain.

use crate::accounts::AccountStatements;
use crate::connect;
use crate::cql::Cql;
use crate::files::FileStatements;
use crate::health::SharedHealth;
use crate::invites::InviteStatements;
use crate::last_seen::LastSeenStatements;
use crate::migrate::{self, MIGRATIONS};
use crate::options::{CqlOptions, OpenError};
use crate::people::PeopleStatements;
use crate::sessions::SessionStatements;
use crate::turns::Turns;
use rookery_engine::store::{Answer, Health, Store};

/// The store of a cluster.
#[derive(Debug)]
pub struct CqlStore {
    pub(crate) cql: Cql,
    pub(crate) accounts: AccountStatements,
    pub(crate) sessions: SessionStatements,
    pub(crate) people: PeopleStatements,
    pub(crate) invites: InviteStatements,
    pub(crate) files: FileStatements,
    pub(crate) last_seen: LastSeenStatements,
    pub(crate) turns: Turns,
    health: SharedHealth,
    requests: usize,
}

impl CqlStore {
    /// Opens the store once the cluster answers, making its keyspace when it is absent and bringing its
    /// schema up to date.
    ///
    /// # Errors
    /// [`OpenError`]; some of the migrations may have been applied then.
    pub async fn open(options: &CqlOptions) -> Result<Self, OpenError> {
        migrate::run(&connect::for_schema(options).await?, options, MIGRATIONS).await?;
        let health = SharedHealth::new();
        let cql = Cql::new(connect::for_requests(options).await?, options.requests, health.clone());
        Ok(Self {
            accounts: AccountStatements::prepare(&cql).await?,
            sessions: SessionStatements::prepare(&cql).await?,
            people: PeopleStatements::prepare(&cql).await?,
            invites: InviteStatements::prepare(&cql).await?,
            files: FileStatements::prepare(&cql).await?,
            last_seen: LastSeenStatements::prepare(&cql).await?,
            turns: Turns::new(),
            cql,
            health,
            requests: options.requests,
        })
    }
}

impl Store for CqlStore {
    fn health(&self) -> Health {
        self.health.get()
    }

    fn probe(&self) -> Answer<'_, ()> {
        crate::log::unfinished()
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.cql.close(self.requests).await;
            Ok(())
        })
    }
}
