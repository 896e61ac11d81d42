//! Notices: what is still to be written into inboxes, in shards of all users.

use crate::CqlStore;
use crate::columns::{corrupt, id, integer, ordered, seq, stamp, user};
use crate::cql::{Cql, Read, Write};
use rookery_engine::store::{Answer, Notice, NoticeKind, Notices, StoreError};
use rookery_protocol::{RoomId, Seq, Timestamp, UserId};
use scylla::errors::PrepareError;
use uuid::Uuid;

/// Partitions that the notices of all users are spread over.
///
/// A page is merged from all of them; 16 keep what comes and goes within an hour at 100 notices a second
/// below 25,000 rows each, where a server warns of 1000 and fails at 100,000 deleted ones in a read.
const SHARDS: u8 = 16;

/// The statements of notices.
#[derive(Debug)]
pub(crate) struct NoticeStatements {
    first: Read,
    after: Read,
    rev: Read,
    delete: Write,
    pub(crate) put: Write,
}

impl NoticeStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        let page = |rest: &str| {
            format!("SELECT user, room, seq, kind, author, at FROM notices WHERE shard = ? {rest} LIMIT ?")
        };
        let key = "shard = ? AND user = ? AND room = ? AND seq = ? AND kind = ?";
        Ok(Self {
            first: cql.read_statement(&page("")).await?,
            after: cql.read_statement(&page("AND (user, room, seq, kind) > (?, ?, ?, ?)")).await?,
            rev: cql.read_statement(&format!("SELECT rev FROM notices WHERE {key}")).await?,
            delete: cql
                .write_statement(&format!("DELETE FROM notices USING TIMESTAMP ? WHERE {key}"))
                .await?,
            put: cql
                .write_statement(
                    "INSERT INTO notices (shard, user, room, seq, kind, author, at, rev)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
                )
                .await?,
        })
    }
}

/// Returns the shard of a user's notices. The last byte of an id is random.
pub(crate) fn shard(user: UserId) -> i32 {
    (user.0.as_bytes()[15] % SHARDS).into()
}

/// What names a notice.
type Key = (UserId, RoomId, Seq, NoticeKind);

/// `user, room, seq, kind, author, at`.
pub(crate) type Row = (Vec<u8>, Vec<u8>, i64, String, Uuid, i64);

pub(crate) fn notice((whose, room, place, kind, author, at): Row) -> Result<Notice, StoreError> {
    let known = NoticeKind::ALL.into_iter().find(|known| known.as_str() == kind);
    Ok(Notice {
        user: user(&whose)?,
        room: RoomId(id(&room)?),
        seq: seq(place),
        kind: known.ok_or_else(|| corrupt(&std::io::Error::other(format!("a notice of kind {kind}"))))?,
        by: UserId(author),
        at: Timestamp(at),
    })
}

/// Returns the position of the batch that wrote a notice; `None` where it is not there.
pub(crate) async fn rev(store: &CqlStore, (user, room, seq, kind): Key) -> Result<Option<i64>, StoreError> {
    let (user_column, room) = (ordered(user.0), ordered(room.0));
    let values = (shard(user), user_column, room, integer(seq.0), kind.as_str());
    Ok(store.cql.row::<(i64,)>(&store.notices.rev, values).await?.map(|(rev,)| rev))
}

async fn page(
    store: &CqlStore,
    shard: i32,
    after: Option<Notice>,
    rows: i32,
) -> Result<Vec<Notice>, StoreError> {
    let found: Vec<Row> = match after {
        None => store.cql.rows(&store.notices.first, (shard, rows)).await?,
        Some(Notice { user, room, seq, kind, .. }) => {
            let (user, room) = (ordered(user.0), ordered(room.0));
            let values = (shard, user, room, integer(seq.0), kind.as_str(), rows);
            store.cql.rows(&store.notices.after, values).await?
        }
    };
    found.into_iter().map(notice).collect()
}

async fn forget(store: &CqlStore, notice: &Notice) -> Result<(), StoreError> {
    // With the timestamp of what it deletes: it hides that, however often that is put again, and nothing of
    // a later batch.
    let Some(rev) = rev(store, notice.key()).await? else { return Ok(()) };
    let Notice { user, room, seq, kind, .. } = notice;
    let (user_column, room) = (ordered(user.0), ordered(room.0));
    let values = (rev.saturating_add(1), shard(*user), user_column, room, integer(seq.0), kind.as_str());
    store.cql.write(&store.notices.delete, values).await
}

impl CqlStore {
    /// Keeps a notice that was kept before, as the append of its position would.
    pub(crate) async fn import_notice(&self, notice: &Notice) -> Result<(), StoreError> {
        let Notice { user, room, seq, kind, by, at } = *notice;
        let rev = integer(seq.0);
        let (user_column, room) = (ordered(user.0), ordered(room.0));
        let values = (shard(user), user_column, room, rev, kind.as_str(), by.0, at.0, rev, stamp(seq));
        self.cql.write(&self.notices.put, values).await
    }
}

impl Notices for CqlStore {
    fn notices(&self, after: Option<Notice>, limit: usize) -> Answer<'_, Vec<Notice>> {
        Box::pin(async move {
            if limit == 0 {
                return Ok(Vec::new());
            }
            let rows = i32::try_from(limit).unwrap_or(i32::MAX);
            let shards = 0..i32::from(SHARDS);
            let pages = Cql::for_each(shards, |shard| page(self, shard, after, rows)).await?;
            let mut notices: Vec<Notice> = pages.into_iter().flatten().collect();
            notices.sort_unstable_by_key(Notice::key);
            notices.truncate(limit);
            Ok(notices)
        })
    }

    fn forget_notices<'a>(&'a self, notices: &'a [Notice]) -> Answer<'a, ()> {
        Box::pin(async move { Cql::for_each(notices, |notice| forget(self, notice)).await.map(drop) })
    }
}
