//! Cursors: cells that only a later position replaces, by their timestamps.

use crate::CqlStore;
use crate::columns::{integer, ordered, stamp};
use crate::cql::{Bound, Cql, Write, bound};
use crate::log::ord_at;
use crate::rooms::{self, MemberRow, scan};
use rookery_engine::store::{Answer, CursorKind, Cursors, Mark, MemberCursor, Reached, StoreError};
use rookery_protocol::{RoomId, Seq, UserId};
use scylla::errors::PrepareError;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Marks that are written as one request.
const TOGETHER: usize = 64;

/// The statements that move cursors.
#[derive(Debug)]
pub(crate) struct CursorStatements {
    put_delivered: Write,
    pub(crate) put_read: Write,
}

impl CursorStatements {
    pub(crate) async fn prepare(cql: &Cql) -> Result<Self, PrepareError> {
        let put =
            |cells: &str| format!("UPDATE members USING TIMESTAMP ? SET {cells} WHERE room = ? AND user = ?");
        Ok(Self {
            put_delivered: cql.write_statement(&put("delivered = ?")).await?,
            put_read: cql.write_statement(&put("read_seq = ?, read_ord = ?")).await?,
        })
    }
}

/// Returns the messages up to each position that is to be read up to.
async fn ords(store: &CqlStore, room: RoomId, marks: &[Mark]) -> Result<BTreeMap<Seq, u64>, StoreError> {
    let is_read = |mark: &&Mark| mark.kind == CursorKind::Read;
    let seqs: BTreeSet<Seq> = marks.iter().filter(is_read).map(|mark| mark.seq).collect();
    if seqs.is_empty() {
        return Ok(BTreeMap::new());
    }
    // Nearly every mark is at the head.
    let head = rooms::standing(store, room).await?.map(|standing| standing.head).unwrap_or_default();
    let found = Cql::for_each(seqs, |seq| async move {
        let ord = if seq >= head.seq { head.ord } else { ord_at(store, room, seq).await? };
        Ok((seq, ord))
    });
    Ok(found.await?.into_iter().collect())
}

impl CqlStore {
    /// Puts a cursor where it was before, unless it has come further.
    pub(crate) async fn import_cursor(
        &self,
        (room, user): (RoomId, UserId),
        (read, ord): (Seq, u64),
        delivered: Seq,
    ) -> Result<(), StoreError> {
        let user = ordered(user.0);
        let arrived = (stamp(delivered), integer(delivered.0), room.0, &user);
        let seen = (stamp(read), integer(read.0), integer(ord), room.0, &user);
        let statements = &self.cursors;
        let writes = [bound(&statements.put_delivered, arrived), bound(&statements.put_read, seen)];
        self.cql.write_together(&writes).await
    }
}

impl Cursors for CqlStore {
    fn mark<'a>(&'a self, room: RoomId, marks: &'a [Mark]) -> Answer<'a, ()> {
        Box::pin(async move {
            let ords = ords(self, room, marks).await?;
            let writes = marks.iter().map(|mark| {
                let (at, seq, user) = (stamp(mark.seq), integer(mark.seq.0), ordered(mark.user.0));
                match mark.kind {
                    CursorKind::Delivered => bound(&self.cursors.put_delivered, (at, seq, room.0, user)),
                    CursorKind::Read => {
                        let ord = integer(ords.get(&mark.seq).copied().unwrap_or(0));
                        bound(&self.cursors.put_read, (at, seq, ord, room.0, user))
                    }
                }
            });
            let writes: Vec<Bound<'_>> = writes.collect();
            let chunks = writes.chunks(TOGETHER);
            Cql::for_each(chunks, |writes| self.cql.write_together(writes)).await.map(drop)
        })
    }

    fn cursors(&self, room: RoomId, limit: usize) -> Answer<'_, Vec<MemberCursor>> {
        Box::pin(async move {
            let mut cursors = Vec::new();
            if limit == 0 {
                return Ok(cursors);
            }
            let take = |member: MemberRow| {
                cursors.extend(member.cursor.filter(|_| member.present().is_some()));
                if cursors.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            scan(self, room, None, limit, take).await?;
            Ok(cursors)
        })
    }

    fn reached(&self, room: RoomId, kind: CursorKind, seq: Seq, limit: usize) -> Answer<'_, Reached> {
        Box::pin(async move {
            let mut reached = Reached::default();
            let take = |member: MemberRow| {
                let had_joined = member.present().is_some_and(|membership| membership.joined <= seq);
                let cursor = member.cursor.filter(|_| had_joined);
                let come = |cursor: &MemberCursor| match kind {
                    CursorKind::Read => cursor.read >= seq,
                    CursorKind::Delivered => cursor.delivered >= seq,
                };
                if let Some(cursor) = cursor.filter(come) {
                    reached.count += 1;
                    if reached.users.len() < limit {
                        reached.users.push(cursor.user);
                    }
                }
                ControlFlow::Continue(())
            };
            scan(self, room, None, usize::MAX, take).await?;
            Ok(reached)
        })
    }
}
