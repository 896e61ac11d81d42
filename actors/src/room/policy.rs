//! What each role may do: plain functions over plain values.

use rookery_engine::limits::ROOM_MEMBERS;
use rookery_engine::store::Membership;
use rookery_protocol::{ErrorCode, Role, RoomKind, UserId, WireError};
use std::cmp::Reverse;

/// A rule that stands against what was asked.
pub(super) type Denied = WireError;

fn denied(why: &'static str) -> Denied {
    WireError::new(ErrorCode::Forbidden, why)
}

fn rank(role: Role) -> u8 {
    match role {
        Role::Owner => 3,
        Role::Admin => 2,
        Role::Member => 1,
        Role::Reader => 0,
    }
}

/// Whether `role` may write messages in a room of this kind.
pub(super) fn may_send(kind: RoomKind, role: Role) -> Result<(), Denied> {
    match (kind, role) {
        (RoomKind::Inbox, _) => Err(denied("an inbox holds notices of the server only")),
        (RoomKind::Channel, Role::Member | Role::Reader) => Err(denied("only admins write in a channel")),
        (_, Role::Reader) => Err(denied("a reader does not write")),
        _ => Ok(()),
    }
}

/// Whether one who may write may give a message another body, which `is_own` or not.
pub(super) fn may_edit(is_own: bool) -> Result<(), Denied> {
    if is_own { Ok(()) } else { Err(denied("only its author edits a message")) }
}

/// Whether `role` may take the content of a message away, which `is_own` or not.
pub(super) fn may_delete(kind: RoomKind, role: Role, is_own: bool) -> Result<(), Denied> {
    match kind {
        RoomKind::Inbox => Err(denied("an inbox holds notices of the server only")),
        _ if is_own => Ok(()),
        RoomKind::Group | RoomKind::Channel if rank(role) >= rank(Role::Admin) => Ok(()),
        _ => Err(denied("only its author and admins delete a message")),
    }
}

/// Whether `role` may react to messages.
pub(super) fn may_react(kind: RoomKind, role: Role) -> Result<(), Denied> {
    match (kind, role) {
        (RoomKind::Inbox, _) => Err(denied("an inbox holds notices of the server only")),
        // In a channel readers are the audience, and a reaction is its voice.
        (RoomKind::Channel, _) => Ok(()),
        (_, Role::Reader) => Err(denied("a reader does not react")),
        _ => Ok(()),
    }
}

/// Whether `role` may pin messages.
pub(super) fn may_pin(kind: RoomKind, role: Role) -> Result<(), Denied> {
    match kind {
        RoomKind::Inbox => Err(denied("an inbox holds notices of the server only")),
        RoomKind::Direct => Ok(()),
        RoomKind::Group | RoomKind::Channel if rank(role) >= rank(Role::Admin) => Ok(()),
        RoomKind::Group | RoomKind::Channel => Err(denied("only admins pin a message")),
    }
}

/// Whether `role` may change the title and the like.
pub(super) fn may_update(kind: RoomKind, role: Role) -> Result<(), Denied> {
    has_members_to_manage(kind)?;
    if rank(role) >= rank(Role::Admin) { Ok(()) } else { Err(denied("only admins change a room")) }
}

/// Whether `role` may add members with role `new`.
pub(super) fn may_add(kind: RoomKind, role: Role, new: Role) -> Result<(), Denied> {
    has_members_to_manage(kind)?;
    match role {
        Role::Owner => Ok(()),
        Role::Admin if rank(new) < rank(Role::Admin) => Ok(()),
        Role::Admin => Err(denied("only an owner adds admins and owners")),
        _ => Err(denied("only admins add members")),
    }
}

/// Whether `role` may remove a member whose role is `target`.
pub(super) fn may_remove(kind: RoomKind, role: Role, target: Role) -> Result<(), Denied> {
    has_members_to_manage(kind)?;
    if role == Role::Owner || (role == Role::Admin && rank(target) < rank(Role::Admin)) {
        Ok(())
    } else {
        Err(denied("only somebody of a higher role removes a member"))
    }
}

/// Whether a member may go by itself.
pub(super) fn may_leave(kind: RoomKind) -> Result<(), Denied> {
    has_members_to_manage(kind)
}

/// Returns who of `members` becomes owner when the last owner goes: the one of the highest role, of
/// those the one who joined first, of those the one with the lowest id.
pub(super) fn successor<'a>(members: impl Iterator<Item = &'a Membership>) -> Option<UserId> {
    let heirs = members.filter_map(|member| Some((Reverse(rank(member.role?)), member.joined, member.user)));
    heirs.min().map(|(_, _, user)| user)
}

/// Whether a room may have so many members.
pub(super) fn may_have(members: u64) -> Result<(), Denied> {
    if members <= ROOM_MEMBERS {
        return Ok(());
    }
    Err(WireError::new(ErrorCode::TooLarge, format!("a room has at most {ROOM_MEMBERS} members")))
}

/// Whether users may be brought into a room, where `blocked` are those of them who block whoever brings
/// them in or are blocked by it. Which of the two is not said.
pub(super) fn may_bring_in(blocked: &[UserId]) -> Result<(), Denied> {
    match blocked.first() {
        None => Ok(()),
        Some(user) => {
            Err(WireError::new(ErrorCode::Forbidden, format!("you cannot bring {user} into a room")))
        }
    }
}

/// Whether a member of a room of this kind is heard in it, where `is_blocked` says that a direct
/// room's two users have a block between them.
pub(super) fn may_reach(kind: RoomKind, is_blocked: bool) -> Result<(), Denied> {
    if kind == RoomKind::Direct && is_blocked {
        return Err(denied("you and this user cannot write to each other"));
    }
    Ok(())
}

/// Whether `role` may make invites to a room of this kind and take them back.
pub(crate) fn may_invite(kind: RoomKind, role: Role) -> Result<(), Denied> {
    has_members_to_manage(kind)?;
    if rank(role) >= rank(Role::Admin) { Ok(()) } else { Err(denied("only admins invite")) }
}

/// Returns what somebody is who comes into a room of this kind by an invite; nobody comes into the
/// others.
pub(super) fn joins_as(kind: RoomKind) -> Option<Role> {
    match kind {
        RoomKind::Group => Some(Role::Member),
        RoomKind::Channel => Some(Role::Reader),
        RoomKind::Direct | RoomKind::Inbox => None,
    }
}

/// Whether `role` may turn a member's role from `old` to `new`, where `owners` counts the owners.
pub(super) fn may_set_role(
    kind: RoomKind,
    role: Role,
    old: Role,
    new: Role,
    owners: usize,
) -> Result<(), Denied> {
    has_members_to_manage(kind)?;
    let higher = rank(old).max(rank(new));
    if role != Role::Owner && (role != Role::Admin || higher >= rank(Role::Admin)) {
        return Err(denied("only somebody of a higher role changes a role"));
    }
    if old == Role::Owner && new != Role::Owner && owners == 1 {
        return Err(WireError::new(ErrorCode::Conflict, "make somebody else owner first"));
    }
    Ok(())
}

fn has_members_to_manage(kind: RoomKind) -> Result<(), Denied> {
    match kind {
        RoomKind::Group | RoomKind::Channel => Ok(()),
        RoomKind::Direct => Err(denied("a direct room is what its two users make it")),
        RoomKind::Inbox => Err(denied("an inbox holds notices of the server only")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Role::{Admin, Member, Owner, Reader};
    use rookery_protocol::{RoomId, Seq};
    use uuid::Uuid;

    const ROLES: [Role; 4] = [Owner, Admin, Member, Reader];

    fn allowed(kind: RoomKind, may: impl Fn(RoomKind, Role) -> Result<(), Denied>) -> Vec<Role> {
        ROLES.into_iter().filter(|role| may(kind, *role).is_ok()).collect()
    }

    #[test]
    fn who_writes_depends_on_what_the_room_is_for() {
        assert_eq!(allowed(RoomKind::Group, may_send), [Owner, Admin, Member]);
        assert_eq!(allowed(RoomKind::Channel, may_send), [Owner, Admin]);
        assert_eq!(allowed(RoomKind::Direct, may_send), [Owner, Admin, Member]);
        assert_eq!(allowed(RoomKind::Inbox, may_send), []);
    }

    #[test]
    fn admins_manage_those_below_them_and_owners_everybody() {
        assert_eq!(allowed(RoomKind::Group, may_update), [Owner, Admin]);
        assert_eq!(allowed(RoomKind::Group, |kind, role| may_add(kind, role, Member)), [Owner, Admin]);
        assert_eq!(allowed(RoomKind::Group, |kind, role| may_add(kind, role, Admin)), [Owner]);
        assert_eq!(allowed(RoomKind::Group, |kind, role| may_remove(kind, role, Reader)), [Owner, Admin]);
        assert_eq!(allowed(RoomKind::Group, |kind, role| may_remove(kind, role, Admin)), [Owner]);
        assert_eq!(
            allowed(RoomKind::Group, |kind, role| may_set_role(kind, role, Member, Reader, 2)),
            [Owner, Admin]
        );
        assert_eq!(
            allowed(RoomKind::Group, |kind, role| may_set_role(kind, role, Member, Owner, 2)),
            [Owner]
        );
        assert_eq!(allowed(RoomKind::Direct, may_update), []);
    }

    #[test]
    fn who_invites_and_as_what_one_comes_in_depends_on_what_the_room_is_for() {
        assert_eq!(allowed(RoomKind::Group, may_invite), [Owner, Admin]);
        assert_eq!(allowed(RoomKind::Channel, may_invite), [Owner, Admin]);
        assert_eq!(allowed(RoomKind::Direct, may_invite), []);
        assert_eq!(allowed(RoomKind::Inbox, may_invite), []);
        assert_eq!(
            [RoomKind::Group, RoomKind::Channel, RoomKind::Direct, RoomKind::Inbox].map(joins_as),
            [Some(Member), Some(Reader), None, None]
        );
    }

    #[test]
    fn a_block_ends_the_talk_of_two_and_no_other() {
        assert!(may_reach(RoomKind::Direct, true).is_err());
        assert!(may_reach(RoomKind::Direct, false).is_ok());
        assert!(may_reach(RoomKind::Group, true).is_ok());
    }

    #[test]
    fn the_highest_role_inherits_and_of_those_who_came_first() {
        let member = |number, role, joined| Membership {
            room: RoomId(Uuid::nil()),
            user: UserId(Uuid::from_u128(number)),
            role,
            joined: Seq(joined),
            joined_ord: 0,
            rev: Seq(joined),
        };
        let heir = |members: &[Membership]| successor(members.iter()).map(|user| user.0.as_u128());
        let all = [
            member(1, Some(Reader), 1),
            member(2, Some(Member), 3),
            member(4, Some(Member), 2),
            member(3, Some(Member), 2),
            member(6, Some(Admin), 9),
            member(5, Some(Admin), 9),
            member(7, None, 1),
        ];
        assert_eq!(heir(&all), Some(5), "of two admins who came together the one with the lower id");
        assert_eq!(heir(&all[..4]), Some(3), "the member who came first");
        assert_eq!(heir(&all[..1]), Some(1), "a reader where nobody else is");
        assert_eq!(heir(&all[6..]), None, "nobody who has gone");
    }

    #[test]
    fn a_room_with_members_keeps_an_owner() {
        assert!(may_set_role(RoomKind::Group, Owner, Owner, Member, 1).is_err());
        assert!(may_set_role(RoomKind::Group, Owner, Owner, Member, 2).is_ok());
    }
}
