//! Who may do what, as PROTOCOL sections 3 and 4 say it. Where several things stand against a
//! command, the contract does not say which of them is told.

use super::room::Room;
use super::world::World;
use serde_json::Value;
use std::collections::BTreeSet;

/// What stands against a command: codes, any of which may be the answer; none when it is to be done.
pub(super) type Against = Vec<&'static str>;

fn rank(role: &str) -> u8 {
    ["reader", "member", "admin", "owner"].iter().position(|one| *one == role).unwrap().try_into().unwrap()
}

fn is_admin(role: &str) -> bool {
    rank(role) >= rank("admin")
}

/// Whether a role writes in a room of this kind.
fn writes(kind: &str, role: &str) -> bool {
    if kind == "channel" { is_admin(role) } else { role != "reader" }
}

impl World {
    /// Returns what stands against `op`, asked by a member of the room.
    pub(super) fn against(&self, by: &str, op: &str, (room, d): (&Room, &Value)) -> Against {
        let member = room.member(by).unwrap();
        let role = member.role.as_str();
        let mut against = Vec::new();
        let mut unless = |holds: bool, codes: &[&'static str]| {
            if !holds {
                against.extend_from_slice(codes);
            }
        };
        let is_reached = room.kind != "direct" || !self.is_blocked(room);
        let is_run = room.kind != "direct";
        let text = |name: &str| d[name].as_str().unwrap_or_default();
        let other = room.member(text("user"));
        let target = d["target"].as_u64().and_then(|seq| room.event(seq));
        let target = target.filter(|event| event.seq >= member.joined);
        let is_own = target.is_some_and(|event| event.by == by);
        if ["message.edit", "message.delete", "reaction.set", "pin.set"].contains(&op) {
            let is_there = target.is_some_and(|event| event.kind == "message" && !room.is_deleted(event.seq));
            // Whether an event that is no message is "not there" or "wrong" is not said.
            unless(is_there, if target.is_some() { &["not_found", "invalid"] } else { &["not_found"] });
        }
        match op {
            "message.send" => {
                let reply_to = d["reply_to"].as_u64();
                unless(writes(room.kind, role) && is_reached, &["forbidden"]);
                let is_there = |seq: u64| (member.joined..=room.head()).contains(&seq);
                unless(reply_to.is_none_or(is_there), &["invalid"]);
            }
            "message.edit" => {
                unless(writes(room.kind, role) && is_reached && is_own, &["forbidden"]);
                let rev =
                    target.and_then(|event| room.shown(event.seq, by)).map(|shown| shown["rev"].clone());
                unless(d.get("rev").is_none_or(|known| Some(known) == rev.as_ref()), &["conflict"]);
            }
            "message.delete" => unless(is_own || (is_run && is_admin(role)), &["forbidden"]),
            "reaction.set" => {
                unless((room.kind == "channel" || role != "reader") && is_reached, &["forbidden"]);
            }
            "pin.set" => unless((!is_run || is_admin(role)) && is_reached, &["forbidden"]),
            "typing.set" if d["on"] == true => unless(writes(room.kind, role) && is_reached, &["forbidden"]),
            "room.update" | "invite.create" | "invite.revoke" => {
                unless(is_run && is_admin(role), &["forbidden"]);
            }
            "member.add" => {
                let new = d["role"].as_str().unwrap_or("member");
                unless(is_run && (role == "owner" || (role == "admin" && !is_admin(new))), &["forbidden"]);
                let users = d["users"].as_array().unwrap().iter().filter_map(Value::as_str);
                let is_barred = |user: &str| room.member(user).is_none() && self.blocks(by, user);
                unless(!users.into_iter().any(is_barred), &["forbidden"]);
            }
            "member.remove" => {
                unless(other.is_some(), &["not_found"]);
                let is_lower = |target: &str| role == "owner" || (role == "admin" && !is_admin(target));
                let may = text("user") == by || other.as_ref().is_none_or(|other| is_lower(&other.role));
                unless(is_run && may, &["forbidden"]);
            }
            "member.role" => {
                unless(other.is_some(), &["not_found"]);
                let old = other.map_or_else(|| "member".to_owned(), |other| other.role);
                let is_high = is_admin(&old) || is_admin(text("role"));
                unless(is_run && (role == "owner" || (role == "admin" && !is_high)), &["forbidden"]);
                let owners = room.members().values().filter(|member| member.role == "owner").count();
                unless(old != "owner" || text("role") == "owner" || owners > 1, &["conflict"]);
            }
            _ => {}
        }
        against
    }

    /// Whether there is a block between the two of a direct room.
    fn is_blocked(&self, room: &Room) -> bool {
        let two: Vec<_> = room.members().into_keys().collect();
        two.len() == 2 && self.blocks(&two[0], &two[1])
    }

    /// Whether one of the two blocks the other.
    fn blocks(&self, one: &str, other: &str) -> bool {
        has_pair(&self.blocks, one, other)
    }

    /// Whether one of the two has ever blocked the other.
    pub(super) fn had_block(&self, one: &str, other: &str) -> bool {
        has_pair(&self.former_blocks, one, other)
    }
}

fn has_pair(pairs: &BTreeSet<(String, String)>, one: &str, other: &str) -> bool {
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    pairs.contains(&pair(one, other)) || pairs.contains(&pair(other, one))
}

/// Returns who becomes owner when the last owner goes: the one of the highest role, then the one who
/// joined first, then the one with the lowest id.
pub(super) fn heir(room: &Room, leaver: &str) -> Option<String> {
    let others = room.members().into_iter().filter(|(user, _)| user != leaver);
    others
        .min_by_key(|(user, member)| (u8::MAX - rank(&member.role), member.joined, user.clone()))
        .map(|it| it.0)
}
