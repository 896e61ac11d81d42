//! How far members have come: what they marked, and what the server said of it.

use super::history::History;
use super::horizon::Horizon;
use super::verdict::{Rule, Verdict};
use crate::journal::{Cursor, LoggedKind, Said, Standing};
use rookery_protocol::{RoomId, Seq, UserId};
use std::collections::HashMap;

/// Everything about one member's cursors in one room, from all its devices.
#[derive(Debug, Default)]
struct Line {
    /// When each mark was sent.
    marks: Vec<(u64, Cursor, Seq)>,
    /// When each word of the server came.
    stands: Vec<(u64, Standing)>,
    /// The furthest that others were told.
    told: HashMap<Cursor, Seq>,
}

/// Them all.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    lines: HashMap<(RoomId, UserId), Line>,
}

/// One line with what it is judged by.
struct Judge<'a> {
    room: RoomId,
    user: UserId,
    history: &'a History,
    horizon: &'a Horizon,
    /// Where one's own messages and joinings are, which move the cursors as well.
    own: Seq,
    calls: Vec<Call>,
}

/// A mention of the user: by the message at a position, as long as it says so.
#[derive(Debug)]
struct Call {
    at: Seq,
    from: Seq,
    to: Seq,
}

impl Cursors {
    pub(super) fn mark(&mut self, key: (RoomId, UserId), t: u64, (cursor, seq): (Cursor, Seq)) {
        self.lines.entry(key).or_default().marks.push((t, cursor, seq));
    }

    pub(super) fn stand(&mut self, user: UserId, t: u64, stand: Standing) {
        self.lines.entry((stand.room, user)).or_default().stands.push((t, stand));
    }

    pub(super) fn told(&mut self, key: (RoomId, UserId), cursor: Cursor, seq: Seq) {
        let told = self.lines.entry(key).or_default().told.entry(cursor).or_default();
        *told = seq.max(*told);
    }

    /// Judges C12 and C13 of one room. `said` tells what a write says, whatever became of it.
    pub(super) fn judge<'s>(
        &self,
        history: &History,
        horizon: &Horizon,
        said: impl Fn(Seq) -> Option<&'s Said>,
        verdict: &mut Verdict,
    ) {
        let calls = calls(history, said);
        for ((room, user), line) in &self.lines {
            if *room != history.room() {
                continue;
            }
            let own = history.events().iter().rfind(|event| match event.kind {
                LoggedKind::Message => event.by == *user,
                LoggedKind::Added { user: added } => added == *user,
                _ => false,
            });
            let calls = calls.get(user).map_or_else(Vec::new, |calls| calls.iter().map(Call::copy).collect());
            let own = own.map_or(Seq::ZERO, |event| event.seq);
            Judge { room: *room, user: *user, history, horizon, own, calls }.line(line, verdict);
        }
    }
}

impl Call {
    fn copy(&self) -> Self {
        Self { ..*self }
    }
}

impl Judge<'_> {
    fn line(&self, line: &Line, verdict: &mut Verdict) {
        for (cursor, seq) in &line.told {
            self.at_most(line, (*cursor, *seq), u64::MAX, verdict);
        }
        for (t, stand) in &line.stands {
            if let Some((read, unread, mentions)) = stand.read {
                self.at_most(line, (Cursor::Read, read), *t, verdict);
                self.count((*t, stand), (read, unread, mentions), verdict);
            }
            if let Some(delivered) = stand.delivered {
                self.at_most(line, (Cursor::Delivered, delivered), *t, verdict);
            }
        }
        self.forwards(line, verdict);
    }

    /// Nobody is further than somebody brought it.
    fn at_most(&self, line: &Line, (cursor, seq): (Cursor, Seq), t: u64, verdict: &mut Verdict) {
        // What is read has arrived.
        let brings = |of: Cursor| of == cursor || of == Cursor::Read;
        let marked = line.marks.iter().filter(|(sent, of, _)| *sent <= t && brings(*of));
        let most = marked.map(|(_, _, seq)| *seq).max().unwrap_or_default().max(self.own);
        if seq > most {
            verdict.add(Rule::Cursor, self.room, seq, || {
                format!("{} is said to be there in {cursor:?}, and came to {most} at most", self.user)
            });
        }
    }

    /// What was answered before something was asked is a floor for its answer; so is the mark that it
    /// answers.
    fn forwards(&self, line: &Line, verdict: &mut Verdict) {
        let mut answered: Vec<&(u64, Standing)> = line.stands.iter().collect();
        answered.sort_unstable_by_key(|(t, _)| *t);
        let mut asking: Vec<(u64, &Standing)> =
            line.stands.iter().filter_map(|(_, stand)| Some((stand.asked?, stand))).collect();
        asking.sort_unstable_by_key(|(asked, _)| *asked);
        let (mut next, mut read, mut delivered) = (0, Seq::ZERO, Seq::ZERO);
        for (asked, stand) in asking {
            while let Some((_, before)) = answered.get(next).filter(|(t, _)| *t < asked) {
                next += 1;
                read = read.max(before.read.map_or(Seq::ZERO, |(read, ..)| read));
                delivered = delivered.max(before.delivered.unwrap_or_default()).max(read);
                if let (Some(asked), Some((Cursor::Delivered, seq))) = (before.asked, before.marked) {
                    delivered = delivered.max(seq.min(self.horizon.floor(asked)));
                }
            }
            let marked = match stand.marked {
                Some((Cursor::Read, seq)) => seq.min(self.horizon.floor(asked)),
                _ => Seq::ZERO,
            };
            let is_behind = stand.read.is_some_and(|(now, ..)| now < read.max(marked))
                || stand.delivered.is_some_and(|now| now < delivered);
            if is_behind {
                verdict.add(Rule::Cursor, self.room, read, || {
                    format!("{} was at {read} and {delivered} before, and then at {stand:?}", self.user)
                });
            }
        }
    }

    /// The counts are those of some head that the answer can have been given from.
    fn count(
        &self,
        (t, stand): (u64, &Standing),
        (read, unread, mentions): (Seq, u64, u64),
        verdict: &mut Verdict,
    ) {
        let ord = |seq: Seq| self.history.at(seq).map_or(0, |event| event.ord);
        let from =
            stand.head.unwrap_or_else(|| stand.asked.map_or(read, |t| self.horizon.floor(t).max(read)));
        let to = stand.head.unwrap_or_else(|| self.horizon.ceiling(t)).max(from);
        let heads = (from.0..=to.0).map(Seq);
        let fits: Vec<Seq> = heads.filter(|head| ord(*head) == ord(read) + unread).collect();
        let called = |head: Seq| {
            let is_there = |call: &&Call| call.at > read && call.from <= head && head < call.to;
            self.calls.iter().filter(is_there).count() as u64
        };
        if !fits.iter().any(|head| called(*head) == mentions) {
            verdict.add(Rule::Counts, self.room, read, || {
                let due: Vec<_> = fits.iter().map(|head| (*head, called(*head))).collect();
                format!(
                    "{} was told {stand:?}, between the heads {from} and {to}; mentions at heads of that count: {due:?}",
                    self.user
                )
            });
        }
    }
}

/// Returns who is mentioned where, and for how long.
fn calls<'s>(history: &History, said: impl Fn(Seq) -> Option<&'s Said>) -> HashMap<UserId, Vec<Call>> {
    let mut calls: HashMap<UserId, Vec<Call>> = HashMap::new();
    for event in history.events().iter().filter(|event| event.kind == LoggedKind::Message) {
        let rewrites = history.changes().of(event.seq).iter().copied().filter(|seq| {
            let kind = history.at(*seq).map(|event| &event.kind);
            matches!(kind, Some(LoggedKind::Edit { .. } | LoggedKind::Delete { .. }))
        });
        let mut bounds = vec![event.seq];
        bounds.extend(rewrites);
        for (index, from) in bounds.iter().enumerate() {
            let to = bounds.get(index + 1).copied().unwrap_or(Seq(u64::MAX));
            for user in said(*from).map_or(&[][..], |said| &said.calls) {
                calls.entry(*user).or_default().push(Call { at: event.seq, from: *from, to });
            }
        }
    }
    calls
}
