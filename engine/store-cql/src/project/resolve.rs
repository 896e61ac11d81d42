//! What a batch comes to: plain code over plain values.

use super::needs::Known;
use super::{Newest, Put, Record, Standing, State};
use crate::bucket::Bucket;
use rookery_engine::store::{Append, Membership, Notice, NoticeKind, Projection, StoreError};
use rookery_protocol::{Event, EventBody, Head, MessageBody, RoomId, Seq, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// What a batch comes to if it is appended.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) standing: Standing,
    pub(crate) puts: Vec<Put>,
    /// The events of the batch whose body is gone from the start.
    pub(crate) emptied: BTreeSet<Seq>,
}

/// Works out what is to be put for `append`, whose events go to `bucket`.
pub(crate) fn resolve(append: &Append, known: Known, bucket: Bucket) -> Result<Resolved, StoreError> {
    let mut work = Work { expected: append.expected, known, ..Work::default() };
    for event in append.events.iter() {
        work.event(event);
    }
    for projection in append.projections.iter() {
        work.project(projection, &append.events)?;
    }
    Ok(work.finish(&append.events, bucket))
}

#[derive(Debug, Default)]
struct Work {
    expected: Seq,
    known: Known,
    puts: Vec<Put>,
    record: Option<Record>,
    members: BTreeMap<UserId, Membership>,
    /// The messages that something became of.
    changed: BTreeMap<Seq, State>,
    mentions: BTreeMap<(Seq, Option<UserId>), bool>,
    reactions: BTreeMap<(Seq, UserId, String), bool>,
    notices: BTreeMap<(UserId, RoomId, Seq, NoticeKind), Notice>,
    /// In their order: a file that is let go of at once is another one than a file that was never held.
    attached: Vec<Put>,
    /// Events of the log before this batch whose body is to go: whether each is a change, and its position.
    gone: BTreeMap<Bucket, Vec<(bool, Seq)>>,
    emptied: BTreeSet<Seq>,
}

impl Work {
    fn event(&mut self, event: &Event) {
        if let Some(client_id) = event.client_id {
            let Event { by, seq, ord, at, .. } = *event;
            self.puts.push(Put::Name { by, client_id, seq, ord, at });
        }
    }

    fn project(&mut self, projection: &Projection, events: &[Event]) -> Result<(), StoreError> {
        match projection {
            Projection::Room(new) => {
                let old = self.record.as_ref().map(|record| record.rev).or(self.known.record);
                if old.is_none_or(|old| old < new.rev) {
                    self.record = Some(new.clone().into());
                }
            }
            Projection::Member(new) => {
                let old = self.members.get(&new.user).map(|member| member.rev);
                let old = old.or_else(|| self.known.members.get(&new.user).copied());
                if old.is_none_or(|old| old < new.rev) {
                    self.members.insert(new.user, *new);
                }
            }
            Projection::Read { user, seq, ord } => {
                self.puts.push(Put::Read { user: *user, seq: *seq, ord: *ord });
            }
            Projection::Notice(notice) => {
                if !self.known.notices.contains(&notice.key()) {
                    self.notices.entry(notice.key()).or_insert(*notice);
                }
            }
            Projection::Attach { seq, files, rev } => {
                self.attached.push(Put::Attach { seq: *seq, files: files.clone(), rev: *rev });
            }
            Projection::Mention { user, seq } => {
                if !self.state(*seq).is_deleted {
                    self.mention(*seq, *user);
                }
            }
            Projection::Edited { target, rev, at, body } => {
                let text = EventBody::Message(MessageBody::clone(body)).to_json();
                let text = text.map_err(|error| StoreError::Refused(error.to_string()))?;
                if let Some(state) = self.newer(*target, *rev) {
                    state.edited = Some((*at, text));
                    self.forget_mentions(*target);
                    self.newest_says(*target, EventBody::Message(MessageBody::clone(body)).beginning());
                }
            }
            Projection::Deleted { target, rev } => {
                if let Some(state) = self.newer(*target, *rev) {
                    let mentions = std::mem::take(&mut state.mentions);
                    *state = State { rev: *rev, is_deleted: true, mentions, ..State::default() };
                    self.forget_mentions(*target);
                    self.newest_says(*target, None);
                    self.empty(*target, events);
                }
            }
            Projection::Reacted { target, rev, user, emoji, on } => {
                if self.newer(*target, *rev).is_some() {
                    self.react((*target, *user, emoji.clone()), *on);
                }
            }
            Projection::Pinned { target, rev, on } => {
                if let Some(state) = self.newer(*target, *rev) {
                    state.is_pinned = *on;
                }
            }
        }
        Ok(())
    }

    /// Returns what became of a message by now.
    fn state(&self, seq: Seq) -> State {
        self.changed.get(&seq).or_else(|| self.known.states.get(&seq)).cloned().unwrap_or_default()
    }

    /// Returns the same to be changed by the event at `rev`, if that is newer than all of its changes and it
    /// is not deleted.
    fn newer(&mut self, target: Seq, rev: Seq) -> Option<&mut State> {
        let state = self.state(target);
        if state.rev >= rev || state.is_deleted {
            return None;
        }
        let changed = self.changed.entry(target).or_insert(state);
        changed.rev = rev;
        Some(changed)
    }

    fn mention(&mut self, seq: Seq, user: Option<UserId>) {
        let state = self.state(seq);
        let state = self.changed.entry(seq).or_insert(state);
        if !state.mentions.contains(&user) {
            state.mentions.push(user);
            self.mentions.insert((seq, user), true);
        }
    }

    fn forget_mentions(&mut self, seq: Seq) {
        let Some(state) = self.changed.get_mut(&seq) else { return };
        for user in std::mem::take(&mut state.mentions) {
            self.mentions.insert((seq, user), false);
        }
    }

    fn react(&mut self, key: (Seq, UserId, String), on: bool) {
        let was = self.reactions.get(&key).copied().unwrap_or_else(|| self.known.reactions.contains(&key));
        if let Some(state) = self.changed.get_mut(&key.0).filter(|_| was != on) {
            let count = state.reactions.entry(key.2.clone()).or_default();
            *count = if on { *count + 1 } else { count.saturating_sub(1) };
            state.reactions.retain(|_, count| *count > 0);
            self.reactions.insert(key, on);
        }
    }

    /// Notes what the room's newest message says from now on, if it is the one at `seq`.
    fn newest_says(&mut self, seq: Seq, text: Option<String>) {
        if let Some(newest) = self.known.newest.as_mut().filter(|newest| newest.seq == seq) {
            newest.text = text.unwrap_or_default();
        }
    }

    /// Takes the content of the message at `target` away, and that of its edits.
    fn empty(&mut self, target: Seq, events: &[Event]) {
        for event in events {
            let is_emptied = match event.body {
                EventBody::Message(_) => event.seq == target,
                EventBody::Edit(_) => event.target == Some(target),
                _ => false,
            };
            if is_emptied {
                self.emptied.insert(event.seq);
            }
        }
        let Some(content) = self.known.contents.get(&target) else { return };
        if let Some(bucket) = content.message {
            self.gone.entry(bucket).or_default().push((false, target));
        }
        for (seq, bucket) in &content.edits {
            self.gone.entry(*bucket).or_default().push((true, *seq));
        }
    }

    fn finish(mut self, events: &[Event], bucket: Bucket) -> Resolved {
        let newest = self.newest(events);
        let Self { expected, mut puts, emptied, .. } = self;
        puts.extend(self.record.map(Put::Record));
        puts.extend(self.members.into_values().map(Put::from));
        let mentions = self.mentions.into_iter();
        puts.extend(mentions.map(|((seq, user), is_live)| Put::Mention { user, seq, is_live }));
        let reactions = self.reactions.into_iter();
        puts.extend(reactions.map(|((seq, user, emoji), is_live)| Put::Reaction {
            seq,
            user,
            emoji,
            is_live,
        }));
        for event in events {
            if let (EventBody::Edit(_), Some(target)) = (&event.body, event.target)
                && !emptied.contains(&event.seq)
            {
                puts.push(Put::Edit { target, seq: event.seq });
            }
        }
        puts.extend(self.changed.into_iter().map(|(seq, state)| Put::State { seq, state }));
        let gone = self.gone.into_iter();
        puts.extend(gone.map(|(bucket, events)| Put::Emptied { bucket, events }));
        puts.extend(self.notices.into_values().map(|notice| {
            let Notice { user, room, seq, kind, by, at } = notice;
            Put::Notice { user, room, seq, kind: kind.as_str().to_owned(), by, at }
        }));
        puts.append(&mut self.attached);
        if let Some(bucket) = self.known.bucket.filter(|before| *before != bucket) {
            puts.push(Put::Finished { bucket, head: expected });
        }
        let head = events.last().map_or_else(Head::default, |event| Head {
            seq: event.seq,
            ord: event.ord,
            at: event.at,
        });
        Resolved { standing: Standing { head, bucket, newest }, puts, emptied }
    }

    /// Returns the newest message after the batch, as it is then.
    fn newest(&mut self, events: &[Event]) -> Option<Newest> {
        let is_message = |event: &&Event| matches!(event.body, EventBody::Message(_));
        let Some(event) = events.iter().rev().find(is_message) else { return self.known.newest.take() };
        let state = self.state(event.seq);
        let body = match &state.edited {
            Some((_, text)) => EventBody::from_json("message", text).ok(),
            None => Some(event.body.clone()),
        };
        let body = body.filter(|_| !state.is_deleted);
        let text = body.and_then(|body| body.beginning()).unwrap_or_default();
        Some(Newest { seq: event.seq, by: event.by, text })
    }
}
