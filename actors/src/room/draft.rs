//! A draft: something that somebody wants to happen in a room, before it has a place in the log.

use crate::answer::Answer;
use crate::naming::notice_id;
use rookery_engine::store::{Notice, Receipt};
use rookery_protocol::{
    ClientId, Event, Message, MessageDelete, MessageEdit, MessageSend, PinSet, ReactionSet, Role, RoomKind,
    RoomUpdate, Seq, UserId,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What somebody wants to happen, and who waits for the answer.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Who wants it.
    pub(crate) by: UserId,
    /// What.
    pub(crate) action: Action,
    /// Who waits.
    pub(crate) answer: Answer,
    /// When it came, by the monotonic clock.
    pub(crate) arrived: Duration,
}

/// What can be wanted of a room. Nodes say it to each other, so a change of it has to leave what an older
/// node says readable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// That there be a room. One that is there already is left as it is.
    Create(Creation),
    /// A message.
    Send(Box<MessageSend>),
    /// Another title and the like.
    Update(Box<RoomUpdate>),
    /// More members.
    Add {
        /// Who.
        users: Vec<UserId>,
        /// As what.
        role: Role,
    },
    /// One member less; oneself to leave.
    Remove(UserId),
    /// Another role for a member.
    SetRole {
        /// Whose.
        user: UserId,
        /// Which.
        role: Role,
    },
    /// Another body for a message.
    Edit(Box<MessageEdit>),
    /// No content for a message any more.
    Delete(MessageDelete),
    /// An emoji on a message, or no more.
    React(Box<ReactionSet>),
    /// A message pinned, or no more.
    Pin(PinSet),
    /// A notice in this inbox.
    Notice(Notice),
    /// What the server does to a room, whoever is in it and as what.
    Moderate(Moderation),
    /// To come in oneself, by an invite that has been looked at.
    Join,
    /// Nothing, once everything submitted before is settled.
    Settle,
}

/// What the server does to a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Moderation {
    /// No content for a message any more, in a room of any kind.
    Delete(MessageDelete),
    /// One member less, in a room of any kind. Somebody else owns it if it was the last owner.
    Remove(UserId),
    /// As many members less as fit into one draft; the answer is empty once none is left.
    Close,
}

/// A room to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Creation {
    /// The name its creator gave it.
    pub(crate) client_id: Option<ClientId>,
    /// What for.
    pub(crate) kind: RoomKind,
    /// Its title.
    pub(crate) title: Option<String>,
    /// Who is in it from the first event on.
    pub(crate) founders: Vec<(UserId, Role)>,
}

/// What has to be looked up in the store before a draft can be ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Whether the log has this write already.
    Written(UserId, ClientId),
    /// Whether the log has this change already, and what it is to change, as its sender sees it.
    Target(UserId, ClientId, Seq),
    /// Whether these users exist, and with whom of them the first one has a block.
    Addable(UserId, Vec<UserId>),
}

/// The store's answer to a [`Question`].
#[derive(Clone, Debug)]
pub(crate) enum Known {
    /// Where the write is, if it is.
    Written(Option<Receipt>),
    /// Where the change is, if it is; and what it is to change, if that is there. What changes there
    /// while the draft waits is taken over by [`Known::merge`].
    Target(Option<Receipt>, Option<Box<Message>>),
    /// Who can be added.
    Addable {
        /// One who does not exist, if there is one.
        missing: Option<UserId>,
        /// Those who block whoever asked, or are blocked by it.
        blocked: Vec<UserId>,
    },
}

impl Known {
    /// Returns the position in the log that it shows to be there, 0 for none.
    pub(super) fn newest(&self) -> Seq {
        match self {
            Self::Written(Some(receipt)) => receipt.seq,
            Self::Target(written, message) => {
                let written = written.map_or(Seq::ZERO, |receipt| receipt.seq);
                written.max(message.as_ref().map_or(Seq::ZERO, |message| message.rev.max(message.event.seq)))
            }
            Self::Written(None) | Self::Addable { .. } => Seq::ZERO,
        }
    }

    /// Takes over a change that was appended since the store was asked, or may have been.
    pub(super) fn merge(&mut self, change: &Event, by: UserId) {
        if let Self::Target(_, Some(message)) = self {
            message.merge(change, by);
        }
    }
}

impl Draft {
    /// Returns the name its sender gave it, if it has one.
    pub(crate) fn client_id(&self) -> Option<ClientId> {
        match &self.action {
            Action::Send(send) => Some(send.client_id),
            Action::Create(creation) => creation.client_id,
            Action::Edit(edit) => Some(edit.client_id),
            Action::Delete(delete) | Action::Moderate(Moderation::Delete(delete)) => Some(delete.client_id),
            Action::React(set) => Some(set.client_id),
            Action::Pin(set) => Some(set.client_id),
            Action::Notice(notice) => Some(notice_id(notice)),
            Action::Update(_)
            | Action::Add { .. }
            | Action::Remove(_)
            | Action::SetRole { .. }
            | Action::Moderate(Moderation::Remove(_) | Moderation::Close)
            | Action::Join
            | Action::Settle => None,
        }
    }

    /// Returns the position of the message that it is to change, if it is to change one.
    pub(crate) fn target(&self) -> Option<Seq> {
        match &self.action {
            Action::Edit(edit) => Some(edit.target),
            Action::Delete(delete) | Action::Moderate(Moderation::Delete(delete)) => Some(delete.target),
            Action::React(set) => Some(set.target),
            Action::Pin(set) => Some(set.target),
            _ => None,
        }
    }

    /// Returns whether it comes to the same when it is done twice.
    pub(crate) fn may_be_repeated(&self) -> bool {
        self.client_id().is_some() || matches!(self.action, Action::Create(_) | Action::Settle)
    }

    /// Has it looked for in the log before it is done, since it may be there.
    pub(crate) fn repeat(&mut self) {
        self.answer.doubt();
        if let Action::Send(send) = &mut self.action {
            send.attempt = Some(send.attempt.unwrap_or(1).max(2));
        }
    }

    /// Returns whether it makes the room of two users.
    pub(crate) fn makes_direct(&self) -> bool {
        matches!(&self.action, Action::Create(creation) if creation.kind == RoomKind::Direct)
    }

    /// Returns what has to be known before it is ordered. A first attempt of a send asks nothing:
    /// what the room remembers and the store's own check are enough.
    pub(crate) fn question(&self) -> Option<Question> {
        if let (Some(client_id), Some(target)) = (self.client_id(), self.target()) {
            return Some(Question::Target(self.by, client_id, target));
        }
        match &self.action {
            Action::Send(send) if send.attempt.unwrap_or(1) > 1 => {
                Some(Question::Written(self.by, send.client_id))
            }
            Action::Create(creation) => {
                let others: Vec<_> =
                    creation.founders.iter().map(|(user, _)| *user).filter(|user| *user != self.by).collect();
                (!others.is_empty()).then_some(Question::Addable(self.by, others))
            }
            Action::Add { users, .. } => Some(Question::Addable(self.by, users.clone())),
            _ => None,
        }
    }
}
