//! A message that is sent.

use super::{Composed, Composer, sent};
use crate::room::draft::Known;
use crate::room::policy;
use rookery_engine::store::{Projection, Receipt};
use rookery_protocol::{ErrorCode, EventBody, Mention, MessageSend, Seq, WireError};

impl Composer<'_> {
    pub(super) fn send(mut self, send: &MessageSend, known: Option<&Known>) -> Result<Composed, WireError> {
        let remembered = self.live.remembered.get(self.events.by, send.client_id);
        if let Some(receipt) = remembered.or(match known {
            Some(Known::Written(receipt)) => *receipt,
            _ => None,
        }) {
            return Ok(Composed::Done(sent(receipt, true)));
        }
        policy::may_send(self.record.kind, self.role)?;
        let before = self.events.place.seq;
        if send.reply_to.is_some_and(|target| target > before || target < self.member.joined) {
            return Err(
                WireError::new(ErrorCode::Invalid, "no event of this room is there").field("reply_to")
            );
        }
        let by = self.events.by;
        let seq =
            self.events.push(EventBody::Message(send.body.clone()), Some(send.client_id), send.reply_to);
        let ord = self.events.place.ord;
        let mut projections = vec![Projection::Read { user: by, seq, ord }];
        projections.extend(self.mentions(send, seq));
        let files: Vec<_> = send.body.attachments.iter().map(|attachment| attachment.id).collect();
        if !files.is_empty() {
            projections.push(Projection::Attach { seq, files, rev: seq });
        }
        let answer = sent(Receipt { seq, ord, at: self.events.place.at }, false);
        Ok(self.composed(projections, answer, false))
    }

    fn mentions(&self, send: &MessageSend, seq: Seq) -> Vec<Projection> {
        if send.body.mentions.contains(&Mention::All) {
            return vec![Projection::Mention { user: None, seq }];
        }
        let mut users: Vec<_> = send
            .body
            .mentions
            .iter()
            .filter_map(|mention| match mention {
                Mention::User(user) if self.live.members.contains_key(user) => Some(*user),
                _ => None,
            })
            .collect();
        users.sort_unstable();
        users.dedup();
        users.into_iter().map(|user| Projection::Mention { user: Some(user), seq }).collect()
    }
}
