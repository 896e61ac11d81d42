//! What has to be known of a room before it can be said what a batch comes to.
//!
//! Most batches need nothing: what they imply is newer than all that is there, by its position. A change of
//! an earlier message needs what became of that so far. What is out of date (a `rev` before the batch, which
//! no actor sends) is compared with what is there.

use super::{Newest, Standing, State};
use crate::CqlStore;
use crate::bucket::Bucket;
use crate::columns::{integer, seq};
use crate::cql::Cql;
use crate::{messages, notices, rooms};
use rookery_engine::store::{Append, NoticeKind, Projection, StoreError};
use rookery_protocol::{RoomId, Seq, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a room at exactly the head that a batch expects.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The bucket of the newest batch.
    pub(super) bucket: Option<Bucket>,
    pub(super) newest: Option<Newest>,
    /// The `rev` of the room's description, where one in the batch is out of date.
    pub(super) record: Option<Seq>,
    /// The same of memberships.
    pub(super) members: BTreeMap<UserId, Seq>,
    pub(super) states: BTreeMap<Seq, State>,
    /// Those that are set, of those that the batch changes.
    pub(super) reactions: BTreeSet<(Seq, UserId, String)>,
    /// Where the content is of the messages that the batch deletes.
    pub(super) contents: BTreeMap<Seq, Content>,
    /// Those that are there already, of those of the batch that are about earlier events.
    pub(super) notices: BTreeSet<(UserId, RoomId, Seq, NoticeKind)>,
}

/// Where the content of a message is.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The bucket of the message, if that is one.
    pub(super) message: Option<Bucket>,
    pub(super) edits: Vec<(Seq, Bucket)>,
}

impl Known {
    /// Reads what `append` needs, where everything up to the head that it expects has been put.
    pub(crate) async fn read(
        store: &CqlStore,
        append: &Append,
        standing: Option<&Standing>,
    ) -> Result<Self, StoreError> {
        let mut known = Self {
            bucket: standing.map(|standing| standing.bucket),
            newest: standing.and_then(|standing| standing.newest.clone()),
            ..Self::default()
        };
        let needs = Needs::of(append);
        if needs.record {
            known.record = rooms::record(store, append.room).await?.map(|record| record.rev);
        }
        for user in needs.members {
            let membership = rooms::membership(store, append.room, user).await?;
            known.members.extend(membership.map(|membership| (user, membership.rev)));
        }
        let targets: Vec<_> = needs.targets.into_iter().collect();
        known.states = messages::states(store, append.room, &targets).await?;
        let reactions = Cql::for_each(needs.reactions, |key| async move {
            let is_set = messages::is_set(store, append.room, &key).await?;
            Ok(is_set.then_some(key))
        });
        known.reactions = reactions.await?.into_iter().flatten().collect();
        for target in needs.deleted {
            let content = Content {
                message: messages::bucket_of_message(store, append.room, target).await?,
                edits: edits(store, append.room, target).await?,
            };
            known.contents.insert(target, content);
        }
        for key in needs.notices {
            if notices::rev(store, key).await?.is_some() {
                known.notices.insert(key);
            }
        }
        Ok(known)
    }
}

async fn edits(store: &CqlStore, room: RoomId, target: Seq) -> Result<Vec<(Seq, Bucket)>, StoreError> {
    let rows = store.cql.rows::<(i64, i64)>(&store.log.edits, (room.0, integer(target.0))).await?;
    Ok(rows.into_iter().map(|(edit, bucket)| (seq(edit), seq(bucket).0)).collect())
}

/// What a batch needs to be known.
#[derive(Debug, Default)]
struct Needs {
    record: bool,
    members: BTreeSet<UserId>,
    targets: BTreeSet<Seq>,
    reactions: BTreeSet<(Seq, UserId, String)>,
    deleted: BTreeSet<Seq>,
    notices: BTreeSet<(UserId, RoomId, Seq, NoticeKind)>,
}

impl Needs {
    fn of(append: &Append) -> Self {
        let mut needs = Self::default();
        let is_old = |seq: Seq| seq <= append.expected;
        for projection in append.projections.iter() {
            match projection {
                Projection::Room(record) => needs.record |= is_old(record.rev),
                Projection::Member(member) if is_old(member.rev) => {
                    needs.members.insert(member.user);
                }
                Projection::Mention { seq: target, .. }
                | Projection::Edited { target, .. }
                | Projection::Pinned { target, .. }
                    if is_old(*target) =>
                {
                    needs.targets.insert(*target);
                }
                Projection::Deleted { target, .. } if is_old(*target) => {
                    needs.targets.insert(*target);
                    needs.deleted.insert(*target);
                }
                Projection::Reacted { target, user, emoji, .. } if is_old(*target) => {
                    needs.targets.insert(*target);
                    needs.reactions.insert((*target, *user, emoji.clone()));
                }
                Projection::Notice(notice) if is_old(notice.seq) => {
                    needs.notices.insert(notice.key());
                }
                _ => {}
            }
        }
        needs
    }
}
