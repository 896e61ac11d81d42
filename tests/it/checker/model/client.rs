//! The client half of the model: connects, sends, sends again, follows what arrives.

use super::{Command, IN_FLIGHT, Link, Model, PAGE, Reply, Unanswered, id};
use rookery_protocol::{ClientId, ErrorCode};
use rookery_tests::journal::{Act, ContentHash};

impl Model {
    /// The client waits no longer and sends again on the same connection.
    pub(super) fn time_out(&mut self, client: usize) {
        if self.clients[client].link.is_some() && !self.clients[client].unanswered.is_empty() {
            let unanswered = std::mem::take(&mut self.clients[client].unanswered);
            for one in unanswered {
                self.note(client, Act::Timeout { room: self.rooms[one.room].id, cid: one.cid });
                self.send(client, Unanswered { attempt: one.attempt + 1, ..one });
            }
        }
    }

    pub(super) fn send(&mut self, client: usize, one: Unanswered) {
        let Unanswered { room, cid, hash, attempt } = one;
        self.note(client, Act::Send { room: self.rooms[room].id, cid, attempt, hash });
        self.command(client, Command::Send { room, cid, hash });
        self.clients[client].unanswered.push(one);
    }

    /// The client connects, or else says something.
    pub(super) fn act(&mut self, client: usize) {
        if self.clients[client].is_gone {
            return;
        }
        if self.clients[client].link.is_none() {
            return self.connect(client);
        }
        let room = self.rng.usize(..self.rooms.len());
        if self.clients[client].unanswered.len() < IN_FLIGHT && self.clients[client].at.contains_key(&room) {
            let (cid, hash) = (ClientId(id(&mut self.rng)), ContentHash(id(&mut self.rng)));
            self.send(client, Unanswered { room, cid, hash, attempt: 1 });
        } else if !self.clients[client].at.contains_key(&room) {
            self.command(client, Command::Open { room, after: Some(0) });
        }
    }

    pub(super) fn connect(&mut self, client: usize) {
        let of = &mut self.clients[client];
        of.conn += 1;
        of.link = Some(Link::default());
        let mut followed: Vec<_> = of.at.iter().map(|(room, at)| (*room, *at)).collect();
        followed.sort_unstable();
        let mut paging: Vec<_> = of.paging.iter().map(|(room, after)| (*room, *after)).collect();
        paging.sort_unstable();
        let unanswered = std::mem::take(&mut of.unanswered);
        for (room, at) in followed {
            self.command(client, Command::Open { room, after: at });
        }
        for (room, after) in paging {
            self.command(client, Command::Page { room, after });
        }
        for one in unanswered {
            self.send(client, Unanswered { attempt: one.attempt + 1, ..one });
        }
    }

    /// The client takes what arrived next.
    pub(super) fn take(&mut self, client: usize) {
        let Some(reply) = self.clients[client].link.as_mut().and_then(|link| link.down.pop_front()) else {
            return;
        };
        match reply {
            Reply::Act(act) => {
                self.note(client, act.clone());
                self.follow(client, &act);
            }
            Reply::Refused(room) => {
                let room = self.room(room);
                self.forget(client, room);
            }
            Reply::Events(room, page) => {
                for seen in &page {
                    self.note(client, Act::Read(*seen));
                }
                let last = page.last().filter(|_| page.len() == PAGE).map(|last| last.seq.0);
                match (last, self.clients[client].paging.get_mut(&room)) {
                    (Some(last), Some(after)) => {
                        *after = last;
                        self.command(client, Command::Page { room, after: last });
                    }
                    _ => drop(self.clients[client].paging.remove(&room)),
                }
            }
        }
    }

    pub(super) fn follow(&mut self, client: usize, act: &Act) {
        match act {
            Act::Open { room, after, reset, from, .. } => {
                let room = self.room(*room);
                self.clients[client].at.insert(room, Some(from.0 - 1));
                let after = after.map_or(0, |after| after.0);
                // Pages that are being read already go on to the head.
                if *reset && !self.clients[client].paging.contains_key(&room) {
                    self.clients[client].paging.insert(room, after);
                    self.command(client, Command::Page { room, after });
                }
            }
            Act::Recv(seen) => {
                let room = self.room(seen.room);
                self.clients[client].at.insert(room, Some(seen.seq.0));
            }
            Act::Ack { cid, .. } => self.clients[client].unanswered.retain(|one| one.cid != *cid),
            Act::Nack { cid, code, .. } => {
                let unanswered = &mut self.clients[client].unanswered;
                if let Some(index) = unanswered.iter().position(|one| one.cid == *cid) {
                    let one = unanswered.remove(index);
                    if *code != ErrorCode::NotFound && self.rng.u32(..4) > 0 {
                        self.send(client, Unanswered { attempt: one.attempt + 1, ..one });
                    }
                }
            }
            Act::Lagged { room } => {
                let room = self.room(*room);
                if let Some(after) = self.clients[client].at.get(&room).copied() {
                    self.command(client, Command::Open { room, after });
                }
            }
            Act::Removed { room, .. } => {
                let room = self.room(*room);
                self.forget(client, room);
            }
            _ => {}
        }
    }

    pub(super) fn forget(&mut self, client: usize, room: usize) {
        self.clients[client].at.remove(&room);
        self.clients[client].paging.remove(&room);
    }
}
