//! What is said to every node: logins that are over, profiles and blocks that have changed, heads of rooms.

use super::Cluster;
use super::frame::Kind;
use super::said::{BlockChanged, HeadMoved, LoginEnded, OwnRead, UserChanged, UserEnded};
use crate::node::Node;
use crate::presence::{Letter, Word};
use rookery_engine::bus::NodeId;
use rookery_engine::ephemeral_key;
use rookery_protocol::{CloseCode, Frame, RoomId, Seq, ServerEvent, SessionId, UserId};
use std::sync::Arc;

impl Cluster {
    /// Has every other node close the connections of a login.
    pub(crate) fn tell_login_ended(&self, session: SessionId, code: CloseCode) {
        self.broadcast(&LoginEnded { session, code: code.as_u16() });
    }

    /// Has every other node close the connections of a user.
    pub(crate) fn tell_user_ended(&self, user: UserId, code: CloseCode) {
        self.broadcast(&UserEnded { user, code: code.as_u16() });
    }

    /// Has every other node forget a profile.
    pub(crate) fn tell_user_changed(&self, user: UserId) {
        self.broadcast(&UserChanged { user });
    }

    /// Has every other node look at the blocks between two users.
    pub(crate) fn tell_block_changed(&self, one: UserId, other: UserId) {
        self.broadcast(&BlockChanged { one, other });
    }

    /// Says something to one node, or to all.
    fn say<K: Kind>(&self, to: Option<NodeId>, said: &K) {
        match to {
            Some(to) => drop(self.send(to, said)),
            None => self.broadcast(said),
        }
    }

    /// Has every other node tell those members of a room of its head who are there and have it not open.
    pub(crate) fn tell_head_moved(&self, room: RoomId, seq: Seq, members: Option<Vec<UserId>>) {
        self.broadcast(&HeadMoved { room, seq, members });
    }
}

impl Node {
    /// Says to other nodes what presence has to say to them.
    pub(crate) fn say_presence(&self) {
        for Letter { to, word } in self.presence().letters() {
            match word {
                Word::Watch(watch) => self.cluster().say(to, &watch),
                Word::Unwatch(unwatch) => self.cluster().say(to, &unwatch),
                Word::Are(are) => self.cluster().say(to, &are),
            }
        }
    }

    pub(super) fn heard_login_ended(&self, LoginEnded { session, code }: LoginEnded) {
        self.close_login(session, CloseCode::from_u16(code).unwrap_or(CloseCode::SessionRevoked));
    }

    pub(super) fn heard_user_ended(&self, UserEnded { user, code }: UserEnded) {
        self.close_logins_of(user, CloseCode::from_u16(code).unwrap_or(CloseCode::SessionRevoked));
    }

    pub(super) fn heard_block(self: &Arc<Self>, BlockChanged { one, other }: BlockChanged) {
        let node = Arc::clone(self);
        self.tasks().spawn(async move { node.look_at_block(one, other).await });
    }

    /// Compares the blocks of all who watch somebody here with the store, since a word of one may be lost. One
    /// user at a time; what cannot be read is looked at again.
    pub(crate) async fn look_at_blocks(&self) {
        for (user, list) in self.presence().lists() {
            let watched: Vec<_> = list.iter().copied().collect();
            let _one_at_a_time = self.blocks.lock().await;
            match self.blocked_either_way(user, &watched).await {
                Ok(blocked) => {
                    self.presence().take_blocks(user, &list, &blocked.into_iter().collect());
                }
                Err(error) => {
                    tracing::warn!(%error, "blocks not compared with the store: tried again");
                    return self.presence().doubt_blocks();
                }
            }
        }
    }

    /// Tells the devices of a user here how far it has read.
    pub(crate) fn tell_own_read(&self, own: OwnRead) {
        let OwnRead { user, room, read, unread, mentions } = own;
        let frame = Frame::server(ServerEvent::ReadMe { room, read, unread, mentions });
        let key = ephemeral_key(&("read.me", room));
        for connection in self.users().of(user) {
            connection.push_latest(key, &frame);
        }
    }
}
