//! A draft: something that somebody wants to happen in a room, before it has a place in the log.

use crate::answer::Answer;
use rookery_engine::store::Receipt;
use rookery_protocol::{ClientId, MessageSend, Role, RoomKind, RoomUpdate, Seq, UserId};
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

/// What can be wanted of a room.
#[derive(Debug)]
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
    /// To come in oneself, by an invite that has been looked at.
    Join,
    /// Nothing, once everything submitted before is settled.
    Settle,
}

/// A room to be made.
#[derive(Debug)]
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
    /// Whether these users exist, and with whom of them the first one has a block.
    Addable(UserId, Vec<UserId>),
}

/// The store's answer to a [`Question`].
#[derive(Clone, Debug)]
pub(crate) enum Known {
    /// Where the write is, if it is.
    Written(Option<Receipt>),
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
            Self::Written(None) | Self::Addable { .. } => Seq::ZERO,
        }
    }
}

impl Draft {
    /// Returns the name its sender gave it, if it has one.
    pub(crate) fn client_id(&self) -> Option<ClientId> {
        match &self.action {
            Action::Send(send) => Some(send.client_id),
            Action::Create(creation) => creation.client_id,
            _ => None,
        }
    }

    /// Returns whether it makes the room of two users.
    pub(crate) fn makes_direct(&self) -> bool {
        matches!(&self.action, Action::Create(creation) if creation.kind == RoomKind::Direct)
    }

    /// Returns what has to be known before it is ordered. A first attempt of a send asks nothing:
    /// what the room remembers and the store's own check are enough.
    pub(crate) fn question(&self) -> Option<Question> {
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
