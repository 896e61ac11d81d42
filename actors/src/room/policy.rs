//! What each role may do: plain functions over plain values.

use rookery_protocol::{ErrorCode, Role, RoomKind, WireError};

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

/// Whether `role` may give a message another body, which `is_own` or not.
pub(super) fn may_edit(kind: RoomKind, role: Role, is_own: bool) -> Result<(), Denied> {
    may_send(kind, role)?;
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

/// Whether a member may go by itself, where `owners` counts the owners and `members` all.
pub(super) fn may_leave(kind: RoomKind, role: Role, owners: usize, members: usize) -> Result<(), Denied> {
    has_members_to_manage(kind)?;
    if role == Role::Owner && owners == 1 && members > 1 {
        return Err(WireError::new(ErrorCode::Conflict, "the last owner makes somebody else owner first"));
    }
    Ok(())
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
    if old == Role::Owner && new != Role::Owner && owners == 1 {
        return Err(WireError::new(ErrorCode::Conflict, "a room keeps at least one owner"));
    }
    let higher = rank(old).max(rank(new));
    if role == Role::Owner || (role == Role::Admin && higher < rank(Role::Admin)) {
        Ok(())
    } else {
        Err(denied("only somebody of a higher role changes a role"))
    }
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
    fn a_room_with_members_keeps_an_owner() {
        assert!(may_leave(RoomKind::Group, Owner, 1, 2).is_err());
        assert!(may_leave(RoomKind::Group, Owner, 2, 2).is_ok());
        assert!(may_leave(RoomKind::Group, Owner, 1, 1).is_ok());
        assert!(may_leave(RoomKind::Group, Member, 1, 2).is_ok());
        assert!(may_set_role(RoomKind::Group, Owner, Owner, Member, 1).is_err());
        assert!(may_set_role(RoomKind::Group, Owner, Owner, Member, 2).is_ok());
    }
}
