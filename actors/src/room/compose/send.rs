//! A message that is sent.

use super::{Composed, Composer, sent};
use crate::room::draft::Known;
use rookery_engine::limits::NOTICE_ALL_MEMBERS;
use rookery_engine::store::{NoticeKind, Projection, Receipt};
use rookery_protocol::{
    ErrorCode, EventBody, Mention, MessageBody, MessageSend, RoomKind, Seq, UserId, WireError,
};

impl Composer<'_> {
    pub(super) fn send(mut self, send: &MessageSend, known: Option<&Known>) -> Result<Composed, WireError> {
        let remembered = self.live.remembered.get(self.events.by, send.client_id);
        if let Some(receipt) = remembered.or(match known {
            Some(Known::Written(receipt)) => *receipt,
            _ => None,
        }) {
            return Ok(Composed::Done(sent(receipt, true)));
        }
        self.may_write()?;
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
        projections.extend(self.mentions(&send.body, seq));
        projections.extend(self.mention_notices(&send.body, seq));
        let files: Vec<_> = send.body.attachments.iter().map(|attachment| attachment.id).collect();
        if !files.is_empty() {
            projections.push(Projection::Attach { seq, files, rev: seq });
        }
        let answer = sent(Receipt { seq, ord, at: self.events.place.at }, false);
        Ok(self.composed(projections, answer, false))
    }

    /// Whom the message at `seq` mentions with this body.
    pub(super) fn mentions(&self, body: &MessageBody, seq: Seq) -> Vec<Projection> {
        if body.mentions.contains(&Mention::All) {
            return vec![Projection::Mention { user: None, seq }];
        }
        let mentioned = self.mentioned(body);
        mentioned.into_iter().map(|user| Projection::Mention { user: Some(user), seq }).collect()
    }

    /// Returns the members that the body names, each once.
    fn mentioned(&self, body: &MessageBody) -> Vec<UserId> {
        let mut users: Vec<_> = body
            .mentions
            .iter()
            .filter_map(|mention| match mention {
                Mention::User(user) if self.live.members.contains_key(user) => Some(*user),
                _ => None,
            })
            .collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// What those whom the message at `seq` mentions find in their inboxes: those named, or everybody
    /// in a room of at most [`NOTICE_ALL_MEMBERS`].
    fn mention_notices(&self, body: &MessageBody, seq: Seq) -> Vec<Projection> {
        let is_of_two = self.record.kind == RoomKind::Direct;
        let is_for_all = body.mentions.contains(&Mention::All);
        let users = match (is_of_two, is_for_all) {
            (true, _) => Vec::new(),
            (_, true) if self.live.members.len() <= NOTICE_ALL_MEMBERS => {
                self.live.members.keys().copied().collect()
            }
            _ => self.mentioned(body),
        };
        users.into_iter().filter_map(|user| self.events.notice(user, seq, NoticeKind::Mention)).collect()
    }
}
