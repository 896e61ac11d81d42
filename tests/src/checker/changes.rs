//! What became of a room's messages, folded from its log: the rights of each change, and whether what
//! was shown is what the log says.

use super::history::History;
use super::verdict::{Rule, Verdict};
use crate::journal::{ContentHash, Logged, LoggedKind, Shown};
use rookery_protocol::{Reaction, Role, Seq, UserId};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The changes of a room's messages.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Positions of the changes of each message, ascending; a delete is the last.
    of: HashMap<Seq, Vec<Seq>>,
    deleted_at: HashMap<Seq, Seq>,
}

/// A message as it is once the change at some position is made.
#[derive(Debug, Default)]
struct State<'a> {
    /// The event that says what it says.
    said_at: Seq,
    edit: Option<&'a Logged>,
    is_deleted: bool,
    is_pinned: bool,
    reactions: BTreeMap<&'a str, BTreeSet<UserId>>,
}

impl Changes {
    /// Notes the changes of a log.
    pub(super) fn new(events: &[Logged]) -> Self {
        let mut changes = Self::default();
        for event in events {
            let Some(target) = event.kind.target() else { continue };
            changes.of.entry(target).or_default().push(event.seq);
            if matches!(event.kind, LoggedKind::Delete { .. }) {
                changes.deleted_at.entry(target).or_insert(event.seq);
            }
        }
        changes
    }

    /// Returns the changes of the message at `seq`, ascending.
    pub(super) fn of(&self, seq: Seq) -> &[Seq] {
        self.of.get(&seq).map_or(&[], Vec::as_slice)
    }

    /// Returns where the content of a message or an edit was taken away.
    pub(super) fn emptied_at(&self, event: &Logged) -> Option<Seq> {
        let message = match event.kind {
            LoggedKind::Message => event.seq,
            LoggedKind::Edit { target } => target,
            _ => return None,
        };
        self.deleted_at.get(&message).copied()
    }
}

impl History {
    /// Judges each change by the log before it (C10), and that a delete took away all there was and
    /// nothing else did (C9, C1).
    pub(super) fn judge_changes(&self, verdict: &mut Verdict) {
        let mut roles: HashMap<UserId, Role> = HashMap::new();
        for event in self.events() {
            match event.kind {
                LoggedKind::Added { user } | LoggedKind::Role { user } => {
                    roles.extend(event.role.map(|role| (user, role)));
                }
                LoggedKind::Removed { user } => drop(roles.remove(&user)),
                _ => {}
            }
            if let Some(target) = event.kind.target()
                && let Err(why) = self.may_change(event, target, &roles)
            {
                verdict.add(Rule::Rights, self.room(), event.seq, || format!("{why}: {event:?}"));
            }
            let can_say = matches!(event.kind, LoggedKind::Message | LoggedKind::Edit { .. });
            match self.changes().emptied_at(event) {
                Some(delete) if event.said.is_some() => {
                    verdict.add(Rule::Redacted, self.room(), event.seq, || {
                        format!("the log still has its content and {delete} deletes it")
                    });
                }
                None if can_say && event.said.is_none() => {
                    verdict.add(Rule::Lost, self.room(), event.seq, || {
                        "its content is gone and nobody deleted it".to_owned()
                    });
                }
                _ => {}
            }
        }
    }

    fn may_change(
        &self,
        event: &Logged,
        target: Seq,
        roles: &HashMap<UserId, Role>,
    ) -> Result<(), &'static str> {
        let by = event.by;
        let message = self.at(target).filter(|message| message.seq < event.seq);
        let message = message.filter(|message| message.kind == LoggedKind::Message);
        let message = message.ok_or("changes what is no message")?;
        let (joined, _) = self.period(by, event.seq).ok_or("by no member")?;
        let is_admin = matches!(roles.get(&by), Some(Role::Owner | Role::Admin));
        let before = self.state(message, Seq(event.seq.0 - 1));
        match &event.kind {
            _ if target.0 < joined => Err("changes what it cannot see"),
            _ if before.is_deleted => Err("changes what is deleted"),
            LoggedKind::Edit { .. } if by != message.by => Err("edits what another one wrote"),
            LoggedKind::Delete { .. } if by != message.by && !is_admin => {
                Err("deletes what another one wrote")
            }
            LoggedKind::Pin { .. } if !is_admin => Err("pins and is no admin"),
            LoggedKind::Pin { on, .. } if before.is_pinned == *on => Err("changes nothing"),
            LoggedKind::Reaction { emoji, on, .. }
                if before.reactions.get(emoji.as_str()).is_some_and(|users| users.contains(&by)) == *on =>
            {
                Err("changes nothing")
            }
            _ => Ok(()),
        }
    }

    /// Returns `message` as it is once everything up to `rev` has happened.
    fn state(&self, message: &Logged, rev: Seq) -> State<'_> {
        let mut state = State { said_at: message.seq, ..State::default() };
        for seq in self.changes().of(message.seq).iter().take_while(|seq| **seq <= rev) {
            let Some(event) = self.at(*seq) else { continue };
            match &event.kind {
                LoggedKind::Edit { .. } => {
                    state.said_at = *seq;
                    state.edit = Some(event);
                }
                LoggedKind::Delete { .. } => {
                    return State { said_at: message.seq, is_deleted: true, ..State::default() };
                }
                LoggedKind::Reaction { emoji, on, .. } => {
                    let users = state.reactions.entry(emoji).or_default();
                    if *on {
                        users.insert(event.by)
                    } else {
                        users.remove(&event.by)
                    };
                }
                LoggedKind::Pin { on, .. } => state.is_pinned = *on,
                _ => {}
            }
        }
        state.reactions.retain(|_, users| !users.is_empty());
        state
    }

    /// Judges an entry of a page by the log (C9, C11). Returns, where the log does not say any more what
    /// a message or an edit said, the place of that and what was shown of it.
    pub(super) fn judge_shown(
        &self,
        (client, reader): (&str, UserId),
        shown: &Shown,
        verdict: &mut Verdict,
    ) -> Option<(Seq, ContentHash)> {
        let Shown { head, rev, .. } = *shown;
        let seq = shown.seen.seq;
        if let Some(quotes) = shown.quotes
            && let Some(delete) = self.changes().deleted_at.get(&quotes).filter(|delete| **delete <= head)
        {
            verdict.add(Rule::Redacted, self.room(), seq, || {
                format!("{client} was shown what {quotes} said, which {delete} deletes, on a page at {head}")
            });
        }
        let message = self.at(seq).filter(|event| event.kind == LoggedKind::Message)?;
        let changes = self.changes().of(seq);
        let newest = changes.iter().rfind(|seq| **seq <= head).copied().unwrap_or_default();
        let is_change = rev == Seq::ZERO || changes.binary_search(&rev).is_ok();
        let delete = self.changes().deleted_at.get(&seq);
        if shown.seen.body.is_some() && delete.is_some_and(|delete| *delete <= head.max(rev)) {
            verdict.add(Rule::Redacted, self.room(), seq, || {
                format!("{client} was shown its content on a page at {head}")
            });
        }
        let due = self.state(message, rev);
        let reactions: Vec<Reaction> =
            due.reactions.iter().map(|(emoji, users)| counted(emoji, users, reader)).collect();
        let is_right = is_change
            && rev >= newest
            && shown.edited_at == due.edit.map(|edit| edit.at)
            && (shown.deleted, shown.pinned) == (due.is_deleted, due.is_pinned)
            && shown.seen.body.is_none() == due.is_deleted
            && shown.reactions == reactions;
        if !is_right {
            verdict.add(Rule::State, self.room(), seq, || {
                format!("{client} was shown {shown:?}; at {rev} it is {due:?}, its changes are {changes:?}")
            });
        }
        let body = shown.seen.body.filter(|_| !due.is_deleted)?;
        let said = &due.edit.unwrap_or(message).said;
        match said {
            Some(said) if said.body != body => {
                verdict.add(Rule::State, self.room(), seq, || {
                    format!("{client} was shown {body:?}; at {rev} it says what {} says", due.said_at)
                });
                None
            }
            Some(_) => None,
            None => Some((due.said_at, body)),
        }
    }
}

fn counted(emoji: &str, users: &BTreeSet<UserId>, reader: UserId) -> Reaction {
    Reaction { emoji: emoji.to_owned(), count: users.len() as u64, mine: users.contains(&reader) }
}
