//! The client half of the model: connects, sends, sends again, follows what arrives.

use super::{Command, Draft, IN_FLIGHT, Link, Model, PAGE, Reply, Unanswered, id};
use rookery_protocol::{ClientId, ErrorCode, Seq};
use rookery_tests::journal::{Act, ContentHash, Cursor, Logged, LoggedKind, Said};

impl Model {
    /// The client waits no longer and sends again on the same connection.
    pub(super) fn time_out(&mut self, client: usize) {
        if self.clients[client].link.is_some() && !self.clients[client].unanswered.is_empty() {
            let unanswered = std::mem::take(&mut self.clients[client].unanswered);
            for one in unanswered {
                let Draft { room, cid, .. } = one.draft;
                self.note(client, Act::Timeout { room: self.rooms[room].id, cid });
                self.send(client, Unanswered { attempt: one.attempt + 1, ..one });
            }
        }
    }

    pub(super) fn send(&mut self, client: usize, one: Unanswered) {
        let Draft { room, cid, hash, said, .. } = one.draft.clone();
        self.note(client, Act::Send { room: self.rooms[room].id, cid, attempt: one.attempt, hash, said });
        self.command(client, Command::Send(one.draft.clone()));
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
        if !self.clients[client].at.contains_key(&room) {
            return self.command(client, Command::Open { room, after: Some(0), asked: self.t });
        }
        let asked = self.t;
        let somewhere = self.rng.u64(1..=self.rooms[room].head());
        match self.rng.u32(..10) {
            0 | 1 => {
                let cursor = if self.rng.bool() { Cursor::Read } else { Cursor::Delivered };
                self.note(client, Act::Mark { room: self.rooms[room].id, cursor, seq: Seq(somewhere) });
                self.command(client, Command::Mark { room, cursor, seq: somewhere, asked });
            }
            2 => self.command(client, Command::Ask { room, asked }),
            3 => {
                self.note(client, Act::Type { room: self.rooms[room].id });
                self.command(client, Command::Type { room });
            }
            4 => self.command(client, Command::Look { room, after: somewhere, asked }),
            _ if self.clients[client].unanswered.len() < IN_FLIGHT => {
                let draft = self.draft(client, room);
                self.send(client, Unanswered { draft, attempt: 1 });
            }
            _ => {}
        }
    }

    /// Somebody says something, or changes one of the newest messages or an old one.
    fn draft(&mut self, client: usize, room: usize) -> Draft {
        let (cid, hash) = (ClientId(id(&mut self.rng)), ContentHash(id(&mut self.rng)));
        let back = if self.rng.bool() { 8 } else { usize::MAX };
        let events = &self.rooms[room].events;
        let is_message = |event: &&Logged| event.kind == LoggedKind::Message;
        let targets: Vec<Seq> =
            events.iter().rev().filter(is_message).take(back).map(|event| event.seq).collect();
        let on = self.rng.u32(..3) > 0;
        // Only the owner pins, and has others refused.
        let pins = if client == 0 { 8 } else { 1 };
        let kind = match (self.rng.choice(targets), self.rng.u32(..20)) {
            (Some(target), 0..4) => LoggedKind::Edit { target },
            (Some(target), 4 | 5) => LoggedKind::Delete { target },
            (Some(target), 6..11) => {
                LoggedKind::Reaction { target, emoji: ["A", "B"][self.rng.usize(..2)].to_owned(), on }
            }
            (Some(target), of) if (11..11 + pins).contains(&of) => LoggedKind::Pin { target, on },
            _ => LoggedKind::Message,
        };
        let says = matches!(kind, LoggedKind::Message | LoggedKind::Edit { .. });
        let said = says.then(|| {
            let called = self.clients[self.rng.usize(..self.clients.len())].owner.user;
            let calls = if self.rng.bool() { vec![called] } else { Vec::new() };
            Said { body: ContentHash(id(&mut self.rng)), calls }
        });
        Draft { room, cid, hash, said, kind }
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
            self.command(client, Command::Open { room, after: at, asked: self.t });
        }
        for (room, after) in paging {
            self.command(client, Command::Page { room, after, asked: self.t });
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
            Reply::Looked(page) => {
                for shown in page {
                    self.note(client, Act::Read(Box::new(shown)));
                }
            }
            Reply::Events(room, page) => {
                let last = page.last().filter(|_| page.len() == PAGE).map(|last| last.seen.seq.0);
                for shown in page {
                    self.note(client, Act::Read(Box::new(shown)));
                }
                match (last, self.clients[client].paging.get_mut(&room)) {
                    (Some(last), Some(after)) => {
                        *after = last;
                        self.command(client, Command::Page { room, after: last, asked: self.t });
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
                    self.command(client, Command::Page { room, after, asked: self.t });
                }
            }
            Act::Recv(seen) => {
                let room = self.room(seen.room);
                self.clients[client].at.insert(room, Some(seen.seq.0));
            }
            Act::Ack { cid, .. } | Act::Kept { cid, .. } => {
                self.clients[client].unanswered.retain(|one| one.draft.cid != *cid);
            }
            Act::Nack { cid, code, .. } => {
                let unanswered = &mut self.clients[client].unanswered;
                if let Some(index) = unanswered.iter().position(|one| one.draft.cid == *cid) {
                    let one = unanswered.remove(index);
                    if !matches!(code, ErrorCode::NotFound | ErrorCode::Forbidden) && self.rng.u32(..4) > 0 {
                        self.send(client, Unanswered { attempt: one.attempt + 1, ..one });
                    }
                }
            }
            Act::Lagged { room } => {
                let room = self.room(*room);
                if let Some(after) = self.clients[client].at.get(&room).copied() {
                    self.command(client, Command::Open { room, after, asked: self.t });
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
