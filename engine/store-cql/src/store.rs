//! The store: a session and the statements of every domain.

use crate::accounts::AccountStatements;
use crate::bucket::Buckets;
use crate::connect;
use crate::cql::{Cql, Write};
use crate::cursors::CursorStatements;
use crate::docket::DocketStatements;
use crate::files::FileStatements;
use crate::health::SharedHealth;
use crate::invites::InviteStatements;
use crate::last_seen::LastSeenStatements;
use crate::log::{Lanes, LogStatements};
use crate::mails::MailStatements;
use crate::messages::MessageStatements;
use crate::migrate::{self, MIGRATIONS};
use crate::notices::NoticeStatements;
use crate::options::{CqlOptions, OpenError};
use crate::people::PeopleStatements;
use crate::rooms::RoomStatements;
use crate::sessions::SessionStatements;
use crate::sign_ins::SignInStatements;
use crate::traces::TracesStatements;
use crate::transfer::TransferStatements;
use crate::turns::Turns;
use rookery_engine::store::{Activation, Answer, Commits, Health, Login, Opening, Store};
use rookery_protocol::{RoomId, SessionId, UserId};

/// The store of a cluster.
#[derive(Debug)]
pub struct CqlStore {
    pub(crate) cql: Cql,
    pub(crate) buckets: Buckets,
    pub(crate) lanes: Lanes,
    pub(crate) log: LogStatements,
    pub(crate) messages: MessageStatements,
    pub(crate) rooms: RoomStatements,
    pub(crate) cursors: CursorStatements,
    pub(crate) notices: NoticeStatements,
    pub(crate) accounts: AccountStatements,
    pub(crate) sessions: SessionStatements,
    pub(crate) mails: MailStatements,
    pub(crate) sign_ins: SignInStatements,
    pub(crate) people: PeopleStatements,
    pub(crate) invites: InviteStatements,
    pub(crate) files: FileStatements,
    pub(crate) last_seen: LastSeenStatements,
    pub(crate) docket: DocketStatements,
    pub(crate) traces: TracesStatements,
    pub(crate) transfer: TransferStatements,
    pub(crate) turns: Turns,
    probe: Write,
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
        Self::in_keyspace(options).await
    }

    /// Opens the store beside whoever uses it, if there is one; nothing of the keyspace is changed.
    ///
    /// # Errors
    /// [`OpenError`]; also when the keyspace was made by another version.
    pub async fn open_as_it_is(options: &CqlOptions) -> Result<Option<Self>, OpenError> {
        let is_there = migrate::is_whole(&connect::for_schema(options).await?, options, MIGRATIONS).await?;
        if is_there { Self::in_keyspace(options).await.map(Some) } else { Ok(None) }
    }

    async fn in_keyspace(options: &CqlOptions) -> Result<Self, OpenError> {
        let health = SharedHealth::new();
        let cql = Cql::new(connect::for_requests(options).await?, options.requests, health.clone())
            .counted_by(options.metrics.clone());
        Ok(Self {
            buckets: Buckets::of_size(options.bucket_size),
            lanes: Lanes::new(),
            log: LogStatements::prepare(&cql).await?,
            messages: MessageStatements::prepare(&cql).await?,
            rooms: RoomStatements::prepare(&cql).await?,
            cursors: CursorStatements::prepare(&cql).await?,
            notices: NoticeStatements::prepare(&cql).await?,
            probe: cql.write_statement("UPDATE probe SET writes = 1 WHERE one = 1").await?,
            accounts: AccountStatements::prepare(&cql).await?,
            sessions: SessionStatements::prepare(&cql).await?,
            mails: MailStatements::prepare(&cql).await?,
            sign_ins: SignInStatements::prepare(&cql).await?,
            people: PeopleStatements::prepare(&cql).await?,
            invites: InviteStatements::prepare(&cql).await?,
            files: FileStatements::prepare(&cql).await?,
            last_seen: LastSeenStatements::prepare(&cql).await?,
            docket: DocketStatements::prepare(&cql).await?,
            traces: TracesStatements::prepare(&cql).await?,
            transfer: TransferStatements::prepare(&cql).await?,
            turns: Turns::new(),
            cql,
            health,
            requests: options.requests,
        })
    }
}

impl Store for CqlStore {
    fn activation(&self, room: RoomId, members: usize, events: usize) -> Answer<'_, Option<Activation>> {
        Box::pin(Activation::in_parts(self, room, (members, events)))
    }

    fn opening(&self, room: RoomId, user: UserId, cursors: usize) -> Answer<'_, Option<Opening>> {
        Box::pin(Opening::in_parts(self, (room, user), cursors))
    }

    fn login(&self, session: SessionId) -> Answer<'_, Option<Login>> {
        Box::pin(Login::in_parts(self, session))
    }

    fn health(&self) -> Health {
        self.health.get()
    }

    fn commits(&self) -> Commits {
        Commits::default()
    }

    fn probe(&self) -> Answer<'_, ()> {
        Box::pin(self.cql.write(&self.probe, ()))
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.cql.close(self.requests).await;
            Ok(())
        })
    }
}
