//! A room's events as lines for people.

use crate::output::harmless;
use crate::session::Session;
use anyhow::Result;
use rookery_protocol::{Change, Emptied, Event, EventBody, Members, RoomId, UserId};
use std::collections::HashMap;

/// Milliseconds of a minute, and minutes of a day.
const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// Knows the names of a room's people.
#[derive(Debug)]
pub(crate) struct Transcript {
    room: RoomId,
    handles: HashMap<UserId, String>,
}

impl Transcript {
    /// Returns one that knows nobody yet.
    pub(crate) fn of(room: RoomId) -> Self {
        Self { room, handles: HashMap::new() }
    }

    /// Writes an event as a line, after asking for the names that are not known. Who is not in the room
    /// keeps the id as a name, so that it is asked for once.
    pub(crate) async fn line(&mut self, session: &mut Session, event: &Event) -> Result<String> {
        let about = if let EventBody::Member(change) = &event.body { Some(change.user) } else { None };
        let people = [Some(event.by), about].into_iter().flatten();
        if people.clone().any(|user| !self.handles.contains_key(&user)) {
            self.learn(session).await?;
            for user in people {
                self.handles.entry(user).or_insert_with(|| user.to_string());
            }
        }
        let minute = event.at.0.div_euclid(MINUTE_MS).rem_euclid(DAY_MINUTES);
        Ok(format!("{:02}:{:02} {}", minute / 60, minute % 60, self.said(event)))
    }

    fn said(&self, event: &Event) -> String {
        let by = self.name(event.by);
        match &event.body {
            EventBody::Message(message) => {
                let text = message.text.as_deref().map(harmless);
                format!("{by}: {}", text.unwrap_or_else(|| format!("({} files)", message.attachments.len())))
            }
            EventBody::Member(change) => {
                let who = self.name(change.user);
                match change.change {
                    Change::Added => format!("* {by} added {who}"),
                    Change::Removed => format!("* {by} removed {who}"),
                    Change::Left => format!("* {who} left"),
                    Change::Role => format!("* {by} changed the role of {who}"),
                }
            }
            EventBody::Room(room) => match &room.title {
                Some(title) => format!("* {by} named the room {}", harmless(title)),
                None => format!("* {by} changed the room"),
            },
            EventBody::Edit(edit) => {
                let text = edit.body.text.as_deref().map(harmless).unwrap_or_default();
                format!("* {by} changed message {}: {text}", event.target.unwrap_or_default())
            }
            EventBody::Delete(_) => format!("* {by} deleted message {}", event.target.unwrap_or_default()),
            EventBody::Reaction(reaction) => {
                let (sign, target) = (if reaction.on { "+" } else { "-" }, event.target.unwrap_or_default());
                format!("* {by} {sign}{} on message {target}", harmless(&reaction.emoji))
            }
            EventBody::Pin(pin) => {
                let word = if pin.on { "pinned" } else { "unpinned" };
                format!("* {by} {word} message {}", event.target.unwrap_or_default())
            }
            EventBody::Emptied(Emptied::Message) => format!("{by}: (deleted)"),
            EventBody::Emptied(Emptied::Edit) => {
                format!("* {by} changed message {}: (deleted)", event.target.unwrap_or_default())
            }
        }
    }

    /// Returns a handle, or the id of somebody who was not in the room when it was asked for.
    fn name(&self, user: UserId) -> String {
        self.handles.get(&user).cloned().unwrap_or_else(|| user.to_string())
    }

    /// Asks who is in the room.
    async fn learn(&mut self, session: &mut Session) -> Result<()> {
        let mut path = format!("/v1/rooms/{}/members?limit=100", self.room);
        loop {
            let page: Members = session.get(&path).await?;
            self.handles.extend(page.members.into_iter().map(|member| (member.user.id, member.user.handle)));
            match page.next {
                Some(next) => path = format!("/v1/rooms/{}/members?limit=100&cursor={next}", self.room),
                None => return Ok(()),
            }
        }
    }
}
