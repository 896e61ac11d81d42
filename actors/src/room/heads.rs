//! Heads: members who are there and have the room not open hear that something happened in it, at
//! most every two seconds.

use super::{Room, RoomMessage};
use crate::node::Node;
use rookery_engine::ConnectionId;
use rookery_engine::ephemeral_key;
use rookery_engine::limits::{HEADS_AT_ONCE, HEADS_EVERY, NAMED_MARKS};
use rookery_engine::store::{RoomState, StoreError};
use rookery_protocol::{Frame, RoomHead, RoomId, RoomKind, Seq, ServerEvent, UserId};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// How far the telling has come.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// Something has happened since the last time.
    is_due: bool,
    is_under_way: bool,
    /// Whether this node has appended since, so that it is the one to tell the others.
    pub(super) is_ours: bool,
    /// The head that was told of last.
    head: Seq,
    told_at: Option<Duration>,
}

impl Heads {
    /// Returns whether somebody has something to hear, or is being told.
    pub(super) const fn are_open(&self) -> bool {
        self.is_due || self.is_under_way
    }
}

impl Room {
    /// Something happened here.
    pub(super) fn head_moved(&mut self) {
        self.heads.is_due = true;
        self.tell_heads(self.node.clock().elapsed());
    }

    /// Another node says that something happened here.
    pub(super) fn head_heard(&mut self, head: Seq) {
        if head > self.live.head.seq {
            // Where it is found to be so, it is told.
            self.told(head);
        } else if head > self.heads.head {
            self.head_moved();
        }
    }

    /// Tells what has happened, where the last time is long enough ago and over.
    pub(super) fn tell_heads(&mut self, now: Duration) {
        if !self.heads.is_due {
            return;
        }
        let is_early = self.heads.told_at.is_some_and(|at| now.saturating_sub(at) < HEADS_EVERY);
        if is_early || self.heads.is_under_way {
            return self.node.wake_room_next(self.id);
        }
        self.heads.is_due = false;
        // Everybody has the inbox open.
        if self.live.record.as_ref().is_none_or(|record| record.kind == RoomKind::Inbox) {
            return;
        }
        self.heads.head = self.live.head.seq;
        if std::mem::take(&mut self.heads.is_ours) && !self.node.cluster().is_alone() {
            let is_small = self.live.members.len() <= NAMED_MARKS;
            let members = is_small.then(|| self.live.members.keys().copied().collect());
            self.node.cluster().tell_head_moved(self.id, self.live.head.seq, members);
            self.heads.told_at = Some(now);
        }
        let users = self.members_online();
        if users.is_empty() {
            return;
        }
        self.heads.told_at = Some(now);
        self.heads.is_under_way = true;
        self.read_heads(users, Telling::All);
    }

    /// Reads how `users` have the room, and brings it here to be told.
    fn read_heads(&self, users: Vec<UserId>, telling: Telling) {
        let (node, room, myself) = (Arc::clone(&self.node), self.id, self.myself.clone());
        let audience = Arc::clone(&self.audience);
        self.node.tasks().spawn(async move {
            let hearing = Arc::new(audience.connections());
            for users in users.chunks(HEADS_AT_ONCE) {
                let told = match read(&node, room, &hearing, users).await {
                    Ok(states) => RoomMessage::HeadsRead(Arc::clone(&hearing), states),
                    Err(error) => {
                        tracing::warn!(%room, %error, "members not told of the room's head");
                        RoomMessage::HeadsUnread
                    }
                };
                drop(myself.send_message(told));
            }
            if let Telling::All = telling {
                drop(myself.send_message(RoomMessage::HeadsTold));
            }
        });
    }

    /// Tells members how they have the room, on each connection that does not hear it. Here, in the
    /// room's own turn, so that nobody is told who was removed, and nothing before the reply to what
    /// caused it.
    pub(super) fn heads_read(&self, hearing: &HashSet<ConnectionId>, states: Vec<RoomState>) {
        let mut outdated = Vec::new();
        for state in states {
            let user = state.membership.user;
            if !self.live.members.contains_key(&user) {
                continue;
            }
            if self.marks.has_read_beyond(user, state.read) {
                // It was told of that mark, and must not be told next that so much is unread.
                outdated.push(user);
                continue;
            }
            tell_one(&self.node, self.id, hearing, state);
        }
        if !outdated.is_empty() {
            self.read_heads(outdated, Telling::Some);
        }
    }

    /// The store did not say how some members have the room. Nothing may happen here any more, so they
    /// are told the next time all the same.
    pub(super) fn heads_unread(&mut self) {
        self.heads.is_due = true;
        self.tell_heads(self.node.clock().elapsed());
    }

    /// The telling is over; what has happened meanwhile is told the next time.
    pub(super) fn heads_told(&mut self) {
        self.heads.is_under_way = false;
        let now = self.node.clock().elapsed();
        self.tell_heads(now);
        // An idle room has waited for this only.
        self.leave_if_idle(now);
    }

    /// Returns the members who have a connection, by way of the smaller of the two sets.
    fn members_online(&self) -> Vec<UserId> {
        let (users, members) = (self.node.users(), &self.live.members);
        if members.len() <= users.len() {
            return members.keys().copied().filter(|user| users.is_online(*user)).collect();
        }
        let mut online = Vec::new();
        users.each(|user| {
            if members.contains_key(&user) {
                online.push(user);
            }
        });
        online
    }
}

/// Whom a reading is for.
#[derive(Clone, Copy, Debug)]
enum Telling {
    /// Everybody who is there.
    All,
    /// Some for whom it was outdated.
    Some,
}

/// Reads how those of `users` have the room who have a connection that does not hear it.
async fn read(
    node: &Node,
    room: RoomId,
    hearing: &HashSet<ConnectionId>,
    users: &[UserId],
) -> Result<Vec<RoomState>, StoreError> {
    let lacking =
        |user: &&UserId| node.users().of(**user).iter().any(|connection| !hearing.contains(&connection.id()));
    let users: Vec<UserId> = users.iter().filter(lacking).copied().collect();
    if users.is_empty() {
        return Ok(Vec::new());
    }
    node.store().room_states(room, &users).await
}

fn tell_one(node: &Node, room: RoomId, hearing: &HashSet<ConnectionId>, state: RoomState) {
    let unread = state.unread();
    let RoomState { head, membership, mentions, preview, .. } = state;
    let head = RoomHead { room, head, unread, mentions, preview };
    let frame = Frame::server(ServerEvent::RoomHead(Box::new(head)));
    let key = ephemeral_key(&("room.head", room));
    for connection in node.users().of(membership.user) {
        if !hearing.contains(&connection.id()) {
            connection.push_latest(key, &frame);
        }
    }
}
