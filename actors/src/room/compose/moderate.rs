//! What the server does to a room: no role is asked for, and the events are by nobody (the nil id).
//!
//! Who has asked for it, and why, is written down by whoever submits it; members are not told.

use super::{Composed, Composer, EventsOf, Place, no_such_room};
use crate::room::draft::{Known, Moderation};
use crate::room::live::Live;
use crate::room::policy;
use rookery_engine::store::{Membership, NoticeKind, Projection};
use rookery_protocol::{
    Change, ErrorCode, EventBody, MemberChange, ReplyBody, Role, RoomId, Seq, UserId, WireError, Written,
};
use uuid::Uuid;

/// Members who go in one draft of a closing: with what follows from each it stays below a batch.
const AT_ONCE: usize = 16;

/// By whom events of the server are.
pub(crate) const SERVER: UserId = UserId(Uuid::nil());

pub(super) fn moderate(
    room: RoomId,
    live: &Live,
    moderation: &Moderation,
    (known, place): (Option<&Known>, Place),
) -> Result<Composed, WireError> {
    let record = live.record.as_ref().ok_or_else(|| no_such_room(room))?;
    // It sees the whole log.
    let server = Membership {
        room,
        user: SERVER,
        role: Some(Role::Owner),
        joined: Seq::ZERO,
        joined_ord: 0,
        rev: Seq::ZERO,
    };
    let events = EventsOf { room, by: SERVER, place, events: Vec::new() };
    let composer = Composer { live, record, member: &server, role: Role::Owner, events };
    match moderation {
        Moderation::Delete(delete) => composer.emptied(delete, known),
        Moderation::Remove(user) => composer.expel(*user),
        Moderation::Close => Ok(composer.empty()),
    }
}

impl Composer<'_> {
    fn expel(mut self, user: UserId) -> Result<Composed, WireError> {
        let role = self.live.members.get(&user).and_then(|member| member.role).ok_or_else(|| {
            WireError::new(ErrorCode::NotFound, format!("{user} is not a member")).field("user")
        })?;
        let mut projections = Vec::with_capacity(3);
        if role == Role::Owner && self.live.owners() == 1 {
            let others = self.live.members.values().filter(|member| member.user != user);
            if let Some(heir) = policy::successor(others) {
                let change = MemberChange { user: heir, change: Change::Role, role: Some(Role::Owner) };
                let seq = self.events.push(EventBody::Member(change), None, None);
                projections.push(self.membership(heir, Some(Role::Owner), None, seq));
            }
        }
        let seq = self.let_go(user, &mut projections);
        projections.push(self.with_members(self.record.members.saturating_sub(1), seq));
        Ok(self.composed(projections, ReplyBody::Written(Written { seq }), true))
    }

    fn empty(mut self) -> Composed {
        let present = self.live.members.values().filter(|member| member.role.is_some());
        // Owners last, so that there is one for as long as there is anybody.
        let mut leaving: Vec<_> =
            present.map(|member| (member.role == Some(Role::Owner), member.user)).collect();
        leaving.sort_unstable();
        leaving.truncate(AT_ONCE);
        if leaving.is_empty() {
            return Composed::Done(ReplyBody::Empty {});
        }
        let members = self.record.members.saturating_sub(leaving.len() as u64);
        let mut projections = Vec::with_capacity(2 * leaving.len() + 1);
        let mut last = self.live.head.seq;
        for (_, user) in leaving {
            last = self.let_go(user, &mut projections);
        }
        projections.push(self.with_members(members, last));
        self.composed(projections, ReplyBody::Written(Written { seq: last }), true)
    }

    /// Writes that `user` was removed, and returns where.
    fn let_go(&mut self, user: UserId, projections: &mut Vec<Projection>) -> Seq {
        let change = MemberChange { user, change: Change::Removed, role: None };
        let seq = self.events.push(EventBody::Member(change), None, None);
        projections.push(self.membership(user, None, None, seq));
        projections.extend(self.events.notice(user, seq, NoticeKind::Removed));
        seq
    }
}
