//! Who is in the room and as what, and what the room says of itself.

use super::{Composed, Composer};
use crate::room::policy;
use rookery_engine::store::{Membership, NoticeKind, Projection, RoomRecord};
use rookery_protocol::{
    Change, ErrorCode, EventBody, MemberChange, ReplyBody, Role, RoomChange, RoomUpdate, Seq, UserId,
    WireError, Written,
};

impl Composer<'_> {
    pub(super) fn update(mut self, update: &RoomUpdate) -> Result<Composed, WireError> {
        policy::may_update(self.record.kind, self.role)?;
        let change = RoomChange {
            kind: None,
            title: update.title.clone(),
            about: update.about.clone(),
            avatar: update.avatar.clone(),
        };
        let record = self.record.clone();
        let rev = self.events.push(EventBody::Room(change), None, None);
        let projection = Projection::Room(RoomRecord {
            title: update.title.clone().or(record.title),
            about: update.about.clone().or(record.about),
            // Empty is what takes the picture away.
            avatar: update.avatar.clone().or(record.avatar).filter(|avatar| !avatar.is_empty()),
            rev,
            ..record
        });
        Ok(self.composed(vec![projection], ReplyBody::Empty {}, true))
    }

    /// Adds `users`, none of whom may be one of `blocked` and new.
    pub(super) fn add(
        mut self,
        users: &[UserId],
        role: Role,
        blocked: &[UserId],
    ) -> Result<Composed, WireError> {
        policy::may_add(self.record.kind, self.role, role)?;
        let mut new: Vec<_> =
            users.iter().copied().filter(|user| !self.live.members.contains_key(user)).collect();
        new.sort_unstable();
        new.dedup();
        if new.is_empty() {
            return Ok(Composed::Done(ReplyBody::Written(Written { seq: self.live.head.seq })));
        }
        let blocked: Vec<_> = blocked.iter().copied().filter(|user| new.contains(user)).collect();
        policy::may_bring_in(&blocked)?;
        let members = self.record.members + new.len() as u64;
        policy::may_have(members)?;
        let mut projections = Vec::with_capacity(new.len() + 1);
        let mut last = self.live.head.seq;
        for user in new {
            let change = MemberChange { user, change: Change::Added, role: Some(role) };
            last = self.events.push(EventBody::Member(change), None, None);
            projections.push(self.membership(user, Some(role), Some(last), last));
            projections.extend(self.events.notice(user, last, NoticeKind::Added));
        }
        projections.push(self.with_members(members, last));
        Ok(self.composed(projections, ReplyBody::Written(Written { seq: last }), true))
    }

    pub(super) fn remove(mut self, user: UserId) -> Result<Composed, WireError> {
        let target = self.role_of(user)?;
        let mut projections = Vec::with_capacity(3);
        let change = if user == self.events.by {
            policy::may_leave(self.record.kind)?;
            if self.role == Role::Owner && self.live.owners() == 1 {
                projections.extend(self.hand_over());
            }
            Change::Left
        } else {
            policy::may_remove(self.record.kind, self.role, target)?;
            Change::Removed
        };
        let change = MemberChange { user, change, role: None };
        let seq = self.events.push(EventBody::Member(change), None, None);
        projections.push(self.membership(user, None, None, seq));
        projections.push(self.with_members(self.record.members - 1, seq));
        projections.extend(self.events.notice(user, seq, NoticeKind::Removed));
        Ok(self.composed(projections, ReplyBody::Written(Written { seq }), true))
    }

    /// Makes somebody else owner before the last owner goes; nobody where it is the last member too.
    fn hand_over(&mut self) -> Option<Projection> {
        let others = self.live.members.values().filter(|member| member.user != self.events.by);
        let heir = policy::successor(others)?;
        let change = MemberChange { user: heir, change: Change::Role, role: Some(Role::Owner) };
        let seq = self.events.push(EventBody::Member(change), None, None);
        Some(self.membership(heir, Some(Role::Owner), None, seq))
    }

    pub(super) fn set_role(mut self, user: UserId, role: Role) -> Result<Composed, WireError> {
        let old = self.role_of(user)?;
        policy::may_set_role(self.record.kind, self.role, old, role, self.live.owners())?;
        if old == role {
            return Ok(Composed::Done(ReplyBody::Written(Written { seq: self.live.head.seq })));
        }
        let change = MemberChange { user, change: Change::Role, role: Some(role) };
        let seq = self.events.push(EventBody::Member(change), None, None);
        let projections = vec![self.membership(user, Some(role), None, seq)];
        Ok(self.composed(projections, ReplyBody::Written(Written { seq }), true))
    }

    fn role_of(&self, user: UserId) -> Result<Role, WireError> {
        self.live.members.get(&user).and_then(|member| member.role).ok_or_else(|| {
            WireError::new(ErrorCode::NotFound, format!("{user} is not a member")).field("user")
        })
    }

    /// The membership of `user` as of `rev`: joined there, or still where it had joined.
    pub(super) fn membership(
        &self,
        user: UserId,
        role: Option<Role>,
        joined: Option<Seq>,
        rev: Seq,
    ) -> Projection {
        let old = self.live.members.get(&user);
        let ord = self.events.place.ord;
        Projection::Member(Membership {
            room: self.events.room,
            user,
            role,
            joined: joined.or(old.map(|old| old.joined)).unwrap_or(rev),
            joined_ord: if joined.is_some() { ord } else { old.map_or(ord, |old| old.joined_ord) },
            rev,
        })
    }

    pub(super) fn with_members(&self, members: u64, rev: Seq) -> Projection {
        Projection::Room(RoomRecord { members, rev, ..self.record.clone() })
    }
}
