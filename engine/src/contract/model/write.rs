//! What a story writes: batches with what they imply, in and out of date, and marks and settings.

use super::super::files::file;
use super::super::fixture::{Change, Pen, batch, body, client_id, text};
use super::super::log::is_known;
use super::file::FILES;
use super::{Story, same};
use crate::store::{
    CursorKind, Cursors, Log, Mark, Notice, NoticeKind, Notices, Projection, Rooms, SettingsChange, Store,
};
use rookery_protocol::{Event, EventBody, Notify, Role, RoomKind, Seq};
use serde_json::json;

/// How a batch is made, one of so many times.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// It is built on a head that is no more.
    Behind,
    /// Its newest event has the name of one that is there.
    Repeats,
}

/// A batch while it is written.
struct Draft {
    pen: Pen,
    ords: Vec<u64>,
    messages: Vec<Seq>,
    events: Vec<Event>,
    projections: Vec<Projection>,
}

impl Story {
    pub(super) async fn append(&mut self, store: &dyn Store) {
        let chosen = self.random.usize(0..self.rooms.len());
        let history = &self.rooms[chosen];
        let (mut pen, ords, messages) = (history.pen.clone(), history.ords.clone(), history.messages.clone());
        let named = history.newest.iter().flat_map(|append| append.events.iter());
        let named = named.rev().find_map(|event| Some((event.by, event.client_id?)));
        let mut fault = match self.random.u8(0..12) {
            0 if pen.seq > Seq::ZERO => Fault::Behind,
            1 if named.is_some() => Fault::Repeats,
            _ => Fault::None,
        };
        if fault == Fault::Behind {
            pen.seq = Seq(pen.seq.0 - 1);
        }
        let mut draft = Draft { pen, ords, messages, events: vec![], projections: vec![] };
        for _ in 0..self.random.usize(1..=5) {
            self.write(&mut draft);
            self.project(&mut draft);
        }
        let Draft { pen, ords, messages, mut events, projections } = draft;
        if let (Fault::Repeats, Some((by, client_id)), Some(newest)) = (fault, named, events.last_mut()) {
            // A delete of a sender who is not who made it is a delete all the same.
            (newest.by, newest.client_id) = (by, Some(client_id));
        } else if fault == Fault::Repeats {
            fault = Fault::None;
        }
        let append = batch(events, projections);
        let answer = same!(self, store.append(append.clone()));
        assert_eq!(answer.is_ok(), fault == Fault::None, "{answer:?}");
        if answer.is_ok() {
            let newest = Some(append);
            self.rooms[chosen] = super::History { pen, ords, messages, newest };
        }
    }

    /// Writes an event: a message, another entry, or a change of one of the messages.
    fn write(&mut self, draft: &mut Draft) {
        let (by, pen) = (self.user(), &mut draft.pen);
        pen.at = pen.at.plus_millis(self.random.i64(-1000..100_000));
        // The step and the place make it new in this story, also when the append is stale.
        let name = client_id((u128::from(self.step) << 32) | u128::from(pen.seq.0));
        let name = self.random.bool().then_some(name);
        let left = json!({ "type": "member", "body": { "user": by, "change": "left" } });
        let target = self.random.choice(&draft.messages).copied();
        let event = match (self.random.u8(0..8), target) {
            (0, _) => pen.event(by, name, body(&left)),
            (1..5, Some(target)) => {
                let words = format!("edited in {}", self.step);
                let what = self.change(&words);
                let (event, projection) = pen.change(by, target, &what);
                draft.projections.push(projection);
                Event { client_id: name, ..event }
            }
            _ => pen.event(by, name, text(&format!("step {} \u{1f426}", self.step))),
        };
        if let EventBody::Message(_) = event.body {
            draft.messages.push(event.seq);
        }
        draft.ords.push(event.ord);
        draft.events.push(event);
    }

    fn change<'a>(&mut self, words: &'a str) -> Change<'a> {
        let emoji = ["+1", "\u{1f426}", "\u{2764}\u{fe0f}"][self.random.usize(0..3)];
        match self.random.u8(0..12) {
            0..3 => Change::Edit(words),
            3 => Change::Delete,
            4..8 => Change::React(emoji),
            8 | 9 => Change::Unreact(emoji),
            10 => Change::Pin,
            _ => Change::Unpin,
        }
    }

    /// Adds what the newest event might imply, and now and then something that is out of date.
    fn project(&mut self, draft: &mut Draft) {
        let (who, pen) = (self.user(), &draft.pen);
        let role =
            self.random.choice([None, Some(Role::Owner), Some(Role::Member), Some(Role::Reader)]).flatten();
        let kind = self.random.choice([RoomKind::Group, RoomKind::Channel, RoomKind::Inbox]);
        let old = self.random.usize(0..draft.ords.len());
        let (seq, ord) = (Seq(old as u64), draft.ords[old]);
        let target = self.random.choice(&draft.messages).copied();
        let files = (0..self.random.u128(0..3)).map(|_| file(self.random.u128(0..FILES))).collect();
        let projection = match self.random.u8(0..12) {
            0 => kind.map(|kind| Projection::Room(pen.record(kind, 3))),
            1 => kind.map(|kind| Projection::Room(Pen { seq, ..pen.clone() }.record(kind, 2))),
            2 | 3 => Some(pen.membership(who, role)),
            4 => Some(Pen { seq, ord, ..pen.clone() }.membership(who, role)),
            5 => Some(Projection::Read { user: who, seq, ord }),
            6 | 7 => target.map(|seq| Projection::Mention { user: role.map(|_| who), seq }),
            8 => target.map(|target| {
                // A change from before, perhaps before all others.
                let late = Event { seq, ..pen.clone().event(who, None, text("late")) };
                self.change("late").of(target, &late)
            }),
            9 => self.random.choice(NoticeKind::ALL).map(|kind| {
                Projection::Notice(Notice { user: who, room: pen.room, seq, kind, by: who, at: pen.at })
            }),
            10 => (seq > Seq::ZERO).then_some(Projection::Attach { seq, files, rev: pen.seq }),
            _ => None,
        };
        draft.projections.extend(projection.filter(|projection| !is_of_no_position(projection)));
    }

    /// Sends a batch again that is in the log; both stores must go on from the same state.
    pub(super) async fn append_again(&mut self, store: &dyn Store) {
        let chosen = self.random.usize(0..self.rooms.len());
        if let Some(append) = self.rooms[chosen].newest.clone() {
            let answer = store.append(append.clone()).await;
            assert!(is_known(&answer), "{answer:?} in step {} of seed {}", self.step, self.seed);
        }
    }

    /// Moves cursors, changes settings, or forgets notices.
    pub(super) async fn mark(&mut self, store: &dyn Store) {
        let chosen = self.random.usize(0..self.rooms.len());
        let (at, head) = (self.rooms[chosen].pen.room, self.rooms[chosen].pen.seq.0);
        let who = self.user();
        match self.random.u8(0..5) {
            0 => {
                let after = same!(self, store.notices(None, 3)).unwrap_or_default().pop();
                let found = same!(self, store.notices(after, 2)).unwrap_or_default();
                drop(same!(self, store.forget_notices(&found)));
            }
            1 => {
                let change = SettingsChange {
                    notify: self.random.choice([None, Some(Notify::None), Some(Notify::Mentions)]).flatten(),
                    muted_until: self.random.choice([None, Some(None), Some(Some(self.now()))]).flatten(),
                    pinned: self.random.choice([None, Some(true), Some(false)]).flatten(),
                    archived: self.random.choice([None, Some(true), Some(false)]).flatten(),
                };
                drop(same!(self, store.change_settings(at, who, change)));
            }
            _ => {
                let mut marks = vec![];
                for _ in 0..self.random.u8(0..5) {
                    let kind = if self.random.bool() { CursorKind::Read } else { CursorKind::Delivered };
                    marks.push(Mark { user: self.user(), kind, seq: Seq(self.random.u64(0..=head)) });
                }
                drop(same!(self, store.mark(at, &marks)));
            }
        }
    }
}

/// Whether a change says that it was made at no position, which none is.
fn is_of_no_position(projection: &Projection) -> bool {
    match projection {
        Projection::Edited { rev, .. }
        | Projection::Deleted { rev, .. }
        | Projection::Reacted { rev, .. }
        | Projection::Pinned { rev, .. } => *rev == Seq::ZERO,
        _ => false,
    }
}
