//! Invites: a text that lets whoever has it into a room.
//!
//! An invite is known by the hash of its text, as other secrets are, so a copy of the store lets
//! nobody in. The join is an event of its room; taking a use comes before it and is the store's.

use super::write::written;
use super::{check, unread, view};
use crate::node::Node;
use crate::room::{Action, may_invite, no_such_room};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rookery_engine::limits::INVITES_PER_ROOM;
use rookery_engine::store::{Invite, InviteCreated, InviteUsed, TokenHash};
use rookery_protocol::{
    ErrorCode, InviteAccept, InviteCreate, InviteCreated as InviteMade, InviteRevoke, ReplyBody, RoomId,
    User, WireError,
};
use std::sync::Arc;

/// Random bytes of an invite: 128 bits, so no guess succeeds (ASVS 6.5.2 asks for 112); 22 characters
/// of base64url are still a link that can be read out.
const INVITE_BYTES: usize = 16;

/// Answers `invite.create`.
pub(super) async fn create(
    node: &Arc<Node>,
    user: &User,
    asked: InviteCreate,
) -> Result<ReplyBody, WireError> {
    let now = node.clock().now();
    if asked.expires_at.is_some_and(|at| at <= now) {
        return Err(check::invalid("expires_at", "an invite expires in the future"));
    }
    if asked.uses == Some(0) {
        return Err(check::invalid("uses", "an invite lets in at least one"));
    }
    check_rights(node, user, asked.room).await?;
    let mut bytes = [0; INVITE_BYTES];
    node.random().fill(&mut bytes);
    let text = URL_SAFE_NO_PAD.encode(bytes);
    let invite = Invite {
        hash: hash(&text),
        room: asked.room,
        by: user.id,
        created_at: now,
        expires_at: asked.expires_at,
        uses: asked.uses,
    };
    match written(|| node.store().create_invite(invite)).await? {
        InviteCreated::Created => {
            let url = format!("{}/i/{text}", node.config().public_url);
            Ok(InviteMade { invite: text, url }.into())
        }
        InviteCreated::TooMany => Err(WireError::new(
            ErrorCode::TooLarge,
            format!("a room has at most {INVITES_PER_ROOM} invites that are good"),
        )),
    }
}

/// Answers `invite.revoke`.
pub(super) async fn revoke(
    node: &Arc<Node>,
    user: &User,
    asked: InviteRevoke,
) -> Result<ReplyBody, WireError> {
    check_rights(node, user, asked.room).await?;
    let now = node.clock().now();
    let hash = hash(&asked.invite);
    if written(|| node.store().revoke_invite(asked.room, hash, now)).await? {
        return Ok(ReplyBody::Empty {});
    }
    Err(no_such_invite())
}

/// Answers `invite.accept`.
///
/// Sent again after any outcome it goes on where it stopped: a member is shown its room, and whoever
/// has taken a use takes no other.
pub(super) async fn accept(
    node: &Arc<Node>,
    user: &User,
    asked: InviteAccept,
) -> Result<ReplyBody, WireError> {
    let hash = hash(&asked.invite);
    let invite = node.store().invite(hash).await.map_err(unread)?.ok_or_else(no_such_invite)?;
    if let Some(state) = node.store().room_state(invite.room, user.id).await.map_err(unread)? {
        return Ok(super::object(state).into());
    }
    let now = node.clock().now();
    match written(|| node.store().use_invite(hash, user.id, now)).await? {
        InviteUsed::Used => {}
        InviteUsed::Expired | InviteUsed::Revoked | InviteUsed::Exhausted | InviteUsed::Unknown => {
            return Err(no_such_invite());
        }
    }
    node.submit(user.id, invite.room, Action::Join).await?;
    Ok(view(node, user, invite.room).await?.into())
}

/// Whether `user` may make invites to `room` and take them back, by what is durable now.
async fn check_rights(node: &Arc<Node>, user: &User, room: RoomId) -> Result<(), WireError> {
    let state = node.store().room_state(room, user.id).await.map_err(unread)?;
    let state = state.ok_or_else(|| no_such_room(room))?;
    let role = state.membership.role.ok_or_else(|| no_such_room(room))?;
    may_invite(state.record.kind, role)
}

fn hash(text: &str) -> TokenHash {
    digest(&SHA256, text.as_bytes()).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// What is said of an invite that lets nobody in, whatever the reason: it tells nothing of its room.
pub(crate) fn no_such_invite() -> WireError {
    WireError::new(ErrorCode::NotFound, "there is no such invite, or not any more").field("invite")
}
