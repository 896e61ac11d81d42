//! Typing: told at most every three seconds, and over six seconds after the last word of it.

use super::{Room, busy, policy};
use crate::answer::Answer;
use crate::cluster::Signal;
use rookery_engine::ephemeral_key;
use rookery_engine::limits::{NAMED_MARKS, TYPING_EVERY, TYPING_WITHIN, TYPISTS};
use rookery_engine::store::RoomRecord;
use rookery_protocol::{Frame, ReplyBody, Role, ServerEvent, Typing, UserId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Who is typing in a room.
#[derive(Debug, Default)]
pub(super) struct Typists(BTreeMap<UserId, Typist>);

#[derive(Clone, Copy, Debug)]
struct Typist {
    kind: Typing,
    /// When it was said last.
    heard_at: Duration,
    /// When others were told last.
    told_at: Duration,
}

impl Typists {
    /// Returns whether nobody is.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether others have to be told that `user` types, and notes that they were.
    fn heard(&mut self, user: UserId, kind: Typing, now: Duration) -> bool {
        if self.0.len() >= TYPISTS && !self.0.contains_key(&user) {
            return false;
        }
        let is_known = self.0.get(&user).copied().filter(|typist| typist.kind == kind);
        let told_at = is_known.map(|typist| typist.told_at);
        let is_due = told_at.is_none_or(|at| now.saturating_sub(at) >= TYPING_EVERY);
        let told_at = if is_due { now } else { told_at.unwrap_or(now) };
        self.0.insert(user, Typist { kind, heard_at: now, told_at });
        is_due
    }

    /// Returns what `user` was typing, which is over.
    fn ended(&mut self, user: UserId) -> Option<Typing> {
        self.0.remove(&user).map(|typist| typist.kind)
    }

    /// Returns those who have not been heard of for too long.
    fn silent(&self, now: Duration) -> Vec<UserId> {
        let is_silent = |typist: &Typist| now.saturating_sub(typist.heard_at) >= TYPING_WITHIN;
        self.0.iter().filter(|(_, typist)| is_silent(typist)).map(|(user, _)| *user).collect()
    }
}

impl Room {
    pub(super) fn types(&mut self, user: UserId, kind: Typing, answer: Answer) {
        let role = self.live.members.get(&user).and_then(|member| member.role);
        let Some((record, role)) = self.live.record.as_ref().zip(role) else {
            return answer.err(busy(&self.node));
        };
        let allowed = policy::may_send(record.kind, role)
            .and_then(|()| policy::may_reach(record.kind, self.live.blocked));
        if let Err(denied) = allowed {
            return answer.err(denied);
        }
        answer.ok(ReplyBody::Empty {});
        // In a large room somebody always is, and everybody would be told.
        let is_small = self.live.members.len() <= NAMED_MARKS;
        if is_small && self.typists.heard(user, kind, self.node.clock().elapsed()) {
            self.tell_typing(user, true, kind);
            self.node.cluster().tell_signal(self.id, Signal::Types(user, kind));
        }
        if !self.typists.is_empty() {
            self.node.wake_room_next(self.id);
        }
    }

    pub(super) fn stops(&mut self, user: UserId, answer: Answer) {
        answer.ok(ReplyBody::Empty {});
        self.ended_typing(user);
        self.node.cluster().tell_signal(self.id, Signal::Stops(user));
    }

    /// A user types on another node, which has looked at whether it may.
    pub(super) fn types_elsewhere(&mut self, user: UserId, kind: Typing) {
        let is_told = self.live.members.contains_key(&user)
            && self.live.members.len() <= NAMED_MARKS
            && !self.live.blocked;
        if is_told && self.typists.heard(user, kind, self.node.clock().elapsed()) {
            self.tell_typing(user, true, kind);
        }
        if !self.typists.is_empty() {
            self.node.wake_room_next(self.id);
        }
    }

    /// A user who was typing is not any more: it has said so, sent it, gone, or fallen silent.
    pub(super) fn ended_typing(&mut self, user: UserId) {
        if let Some(kind) = self.typists.ended(user) {
            self.tell_typing(user, false, kind);
        }
    }

    /// A user has this role now, and types no more where it may not write.
    pub(super) fn ended_typing_as(&mut self, user: UserId, role: Role) {
        let may_write = |record: &RoomRecord| policy::may_send(record.kind, role).is_ok();
        if !self.live.record.as_ref().is_some_and(may_write) {
            self.ended_typing(user);
        }
    }

    /// Ends the typing of those who have not been heard of for too long.
    pub(super) fn end_silent_typing(&mut self, now: Duration) {
        for user in self.typists.silent(now) {
            self.ended_typing(user);
        }
        if !self.typists.is_empty() {
            self.node.wake_room_next(self.id);
        }
    }

    fn tell_typing(&self, user: UserId, on: bool, kind: Typing) {
        let room = self.id;
        let frame = Frame::server(ServerEvent::Typing { room, user, on, kind });
        let key = ephemeral_key(&("typing", room, user));
        self.tell_signal(key, &frame, Some(user));
    }
}
