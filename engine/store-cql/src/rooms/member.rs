//! The row of a member.

use crate::CqlStore;
use crate::columns::{count, ordered, role, seq, user};
use rookery_engine::store::{MemberCursor, Membership, Settings, StoreError};
use rookery_protocol::{Notify, RoomId, Seq, Timestamp, UserId};
use scylla::DeserializeRow;
use std::ops::ControlFlow;

/// What stands for never in the column `muted_until`.
pub(super) const NEVER: i64 = i64::MIN;

/// Members of one answer at least and at most: a page of them, and what a large room is read in.
const MEMBERS: std::ops::RangeInclusive<usize> = 50..=1000;

#[derive(Debug, DeserializeRow)]
struct Columns {
    user: Vec<u8>,
    role: Option<String>,
    joined: Option<i64>,
    joined_ord: Option<i64>,
    rev: Option<i64>,
    read_seq: Option<i64>,
    read_ord: Option<i64>,
    delivered: Option<i64>,
    notify: Option<String>,
    muted_until: Option<i64>,
    pinned: Option<bool>,
    archived: Option<bool>,
}

/// What is known of a user in a room, who may never have been a member.
#[derive(Debug)]
pub(crate) struct MemberRow {
    pub(crate) membership: Option<Membership>,
    /// How far it has come, if that was ever marked.
    pub(crate) cursor: Option<MemberCursor>,
    read_ord: u64,
    pub(crate) settings: Settings,
}

impl MemberRow {
    fn of(room: RoomId, columns: Columns) -> Result<Self, StoreError> {
        let user = user(&columns.user)?;
        let membership = match columns.role {
            None => None,
            Some(word) => Some(Membership {
                room,
                user,
                role: role(&word)?,
                joined: seq(columns.joined.unwrap_or(0)),
                joined_ord: count(columns.joined_ord.unwrap_or(0)),
                rev: seq(columns.rev.unwrap_or(0)),
            }),
        };
        let cursor = columns.read_seq.or(columns.delivered).map(|_| {
            let read = seq(columns.read_seq.unwrap_or(0));
            MemberCursor { user, read, delivered: seq(columns.delivered.unwrap_or(0)).max(read) }
        });
        let Columns { notify, muted_until, pinned, archived, .. } = columns;
        let settings = settings((notify, muted_until, pinned, archived)).unwrap_or_default();
        Ok(Self { membership, cursor, read_ord: count(columns.read_ord.unwrap_or(0)), settings })
    }

    /// Returns the membership of one who is a member now.
    pub(crate) fn present(&self) -> Option<Membership> {
        self.membership.filter(|membership| membership.role.is_some())
    }

    /// Returns up to where a member has read, and the messages up to there: the cursor, or the position of
    /// joining if that is later.
    pub(super) fn read(&self) -> Option<(Seq, u64)> {
        let membership = self.present()?;
        let cursor = self.cursor.map_or((Seq::ZERO, 0), |cursor| (cursor.read, self.read_ord));
        Some(cursor.max((membership.joined, membership.joined_ord)))
    }
}

/// The columns of how a user has a room: `notify, muted_until, pinned, archived`.
pub(crate) type SettingsColumns = (Option<String>, Option<i64>, Option<bool>, Option<bool>);

/// Returns how a user has a room, if it ever said so.
pub(crate) fn settings(columns: SettingsColumns) -> Option<Settings> {
    if columns == SettingsColumns::default() {
        return None;
    }
    let (notify, muted_until, pinned, archived) = columns;
    let notify: Option<Notify> = notify.and_then(|word| word.parse().ok());
    Some(Settings {
        notify: notify.unwrap_or_default(),
        muted_until: muted_until.filter(|until| *until != NEVER).map(Timestamp),
        pinned: pinned.unwrap_or(false),
        archived: archived.unwrap_or(false),
    })
}

/// Returns what is known of `user` in `room`.
pub(super) async fn row(
    store: &CqlStore,
    room: RoomId,
    user: UserId,
) -> Result<Option<MemberRow>, StoreError> {
    let columns = store.cql.row::<Columns>(&store.rooms.member, (room.0, ordered(user.0))).await?;
    columns.map(|columns| MemberRow::of(room, columns)).transpose()
}

/// Returns the membership of `user` in `room`, also a past one.
pub(crate) async fn membership(
    store: &CqlStore,
    room: RoomId,
    user: UserId,
) -> Result<Option<Membership>, StoreError> {
    Ok(row(store, room, user).await?.and_then(|row| row.membership))
}

/// Gives `take` the users of a room, ascending by id from after `after`, until it has enough. `expected` is
/// how many it may take.
pub(crate) async fn scan(
    store: &CqlStore,
    room: RoomId,
    after: Option<UserId>,
    expected: usize,
    mut take: impl FnMut(MemberRow) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let rows = expected.clamp(*MEMBERS.start(), *MEMBERS.end());
    // The empty blob is before every id.
    let mut after = after.map_or_else(Vec::new, |user| ordered(user.0));
    loop {
        let values = (room.0, &after, i32::try_from(rows).unwrap_or(i32::MAX));
        let page = store.cql.rows::<Columns>(&store.rooms.members, values).await?;
        let is_last = page.len() < rows;
        if let Some(last) = page.last() {
            after.clone_from(&last.user);
        }
        for columns in page {
            if take(MemberRow::of(room, columns)?).is_break() {
                return Ok(());
            }
        }
        if is_last {
            return Ok(());
        }
    }
}
