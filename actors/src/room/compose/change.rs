//! Changes of a message that is there: edit, delete, reaction, pin.
//!
//! What they change was looked up when the draft came and has taken over every change since, so
//! the checks here are made at the position of the append.

use super::{Composed, Composer};
use crate::room::draft::Known;
use crate::room::policy;
use rookery_engine::store::{Projection, Receipt};
use rookery_protocol::limits::REACTION_KINDS;
use rookery_protocol::{
    Attachment, Changed, ClientId, DeleteBody, EditBody, Emptied, ErrorCode, EventBody, Message,
    MessageDelete, MessageEdit, PinBody, PinSet, ReactionBody, ReactionSet, Seq, Set, WireError,
};

impl Composer<'_> {
    pub(super) fn edit(mut self, edit: &MessageEdit, known: Option<&Known>) -> Result<Composed, WireError> {
        if let Some(receipt) = self.written(edit.client_id, known) {
            return Ok(Composed::Done(changed(receipt, true).into()));
        }
        let message = self.target(edit.target, known)?;
        self.may_write()?;
        policy::may_edit(message.event.by == self.events.by)?;
        if edit.rev.is_some_and(|rev| rev != message.rev) {
            let why = format!("the message was changed at {}", message.rev);
            return Err(WireError::new(ErrorCode::Conflict, why).field("rev"));
        }
        let body = EventBody::Edit(EditBody { body: edit.body.clone() });
        let seq = self.events.push_change(body, edit.client_id, edit.target);
        let at = self.events.place.at;
        let body = Box::new(edit.body.clone());
        let mut projections = vec![Projection::Edited { target: edit.target, rev: seq, at, body }];
        projections.extend(self.mentions(&edit.body, edit.target));
        projections.extend(files(message, &edit.body.attachments, (edit.target, seq)));
        let answer = changed(self.receipt(seq), false);
        Ok(self.composed(projections, answer.into(), false))
    }

    pub(super) fn delete(self, delete: &MessageDelete, known: Option<&Known>) -> Result<Composed, WireError> {
        if self.written(delete.client_id, known).is_none() {
            let message = self.target(delete.target, known)?;
            policy::may_delete(self.record.kind, self.role, message.event.by == self.events.by)?;
        }
        self.emptied(delete, known)
    }

    /// Takes the content of a message away, whoever may.
    pub(super) fn emptied(
        mut self,
        delete: &MessageDelete,
        known: Option<&Known>,
    ) -> Result<Composed, WireError> {
        if let Some(receipt) = self.written(delete.client_id, known) {
            return Ok(Composed::Done(changed(receipt, true).into()));
        }
        let message = self.target(delete.target, known)?;
        let body = EventBody::Delete(DeleteBody {});
        let seq = self.events.push_change(body, delete.client_id, delete.target);
        let mut projections = vec![Projection::Deleted { target: delete.target, rev: seq }];
        projections.extend(files(message, &[], (delete.target, seq)));
        let answer = changed(self.receipt(seq), false);
        Ok(self.composed(projections, answer.into(), false))
    }

    pub(super) fn react(mut self, set: &ReactionSet, known: Option<&Known>) -> Result<Composed, WireError> {
        if let Some(receipt) = self.written(set.client_id, known) {
            return Ok(Composed::Done(Set { seq: Some(receipt.seq) }.into()));
        }
        let message = self.target(set.target, known)?;
        policy::may_react(self.record.kind, self.role)?;
        policy::may_reach(self.record.kind, self.live.blocked)?;
        let there = message.reactions.iter().find(|reaction| reaction.emoji == set.emoji);
        if there.is_some_and(|reaction| reaction.mine) == set.on {
            return Ok(Composed::Done(Set { seq: None }.into()));
        }
        if set.on && there.is_none() && message.reactions.len() >= REACTION_KINDS {
            let why = format!("a message has at most {REACTION_KINDS} kinds of reactions");
            return Err(WireError::new(ErrorCode::TooLarge, why).field("emoji"));
        }
        let body = EventBody::Reaction(ReactionBody { emoji: set.emoji.clone(), on: set.on });
        let seq = self.events.push_change(body, set.client_id, set.target);
        let projection = Projection::Reacted {
            target: set.target,
            rev: seq,
            user: self.events.by,
            emoji: set.emoji.clone(),
            on: set.on,
        };
        Ok(self.composed(vec![projection], Set { seq: Some(seq) }.into(), false))
    }

    pub(super) fn pin(mut self, set: &PinSet, known: Option<&Known>) -> Result<Composed, WireError> {
        if let Some(receipt) = self.written(set.client_id, known) {
            return Ok(Composed::Done(Set { seq: Some(receipt.seq) }.into()));
        }
        let message = self.target(set.target, known)?;
        policy::may_pin(self.record.kind, self.role)?;
        policy::may_reach(self.record.kind, self.live.blocked)?;
        if message.pinned == set.on {
            return Ok(Composed::Done(Set { seq: None }.into()));
        }
        let body = EventBody::Pin(PinBody { on: set.on });
        let seq = self.events.push_change(body, set.client_id, set.target);
        let projection = Projection::Pinned { target: set.target, rev: seq, on: set.on };
        Ok(self.composed(vec![projection], Set { seq: Some(seq) }.into(), false))
    }

    /// Returns where this change is already, if it was made before.
    fn written(&self, client_id: ClientId, known: Option<&Known>) -> Option<Receipt> {
        self.live.remembered.get(self.events.by, client_id).or(match known {
            Some(Known::Target(written, _)) => *written,
            _ => None,
        })
    }

    /// Returns the message at `target`, if it is one that this member can see and that has content.
    fn target<'k>(&self, target: Seq, known: Option<&'k Known>) -> Result<&'k Message, WireError> {
        let found = match known {
            Some(Known::Target(_, Some(message))) => Some(&**message),
            _ => None,
        };
        let is_seen = |message: &&Message| {
            message.event.seq >= self.member.joined && message.event.seq <= self.events.place.seq
        };
        let gone = |why: &str| WireError::new(ErrorCode::NotFound, why).field("target");
        let message = found.filter(is_seen).ok_or_else(|| gone(&format!("there is no message {target}")))?;
        match message.event.body {
            EventBody::Message(_) => Ok(message),
            EventBody::Emptied(Emptied::Message) => Err(gone("the message is deleted")),
            _ => Err(WireError::new(ErrorCode::Invalid, "the event there is no message").field("target")),
        }
    }

    /// Returns what is told of the change at `seq`, the last one composed.
    fn receipt(&self, seq: Seq) -> Receipt {
        Receipt { seq, ord: self.events.place.ord, at: self.events.place.at }
    }
}

/// The files that the message at `target` carries as of `rev`, where it had some or has some now.
fn files(message: &Message, now: &[Attachment], (target, rev): (Seq, Seq)) -> Option<Projection> {
    let had_some = match &message.event.body {
        EventBody::Message(body) => !body.attachments.is_empty(),
        _ => false,
    };
    let files = now.iter().map(|attachment| attachment.id).collect();
    (had_some || !now.is_empty()).then_some(Projection::Attach { seq: target, files, rev })
}

fn changed(receipt: Receipt, duplicate: bool) -> Changed {
    Changed { seq: receipt.seq, at: receipt.at, duplicate }
}
