//! What a room hears.

use super::draft::{Action, Draft, Known};
use super::forward::Forwarded;
use super::glance::Glance;
use super::live::Loaded;
use super::open::{Join, Open};
use super::recall::Recall;
use super::signal::Signal;
use crate::cluster::{self, Asked, Events, Outcome};
use rookery_engine::bus::NodeId;
use rookery_engine::metrics::Turn;
use rookery_engine::store::{AppendError, CursorKind, Receipt, RoomState, StoreError};
use rookery_engine::{ConnectionId, Slice};
use rookery_protocol::{ClientId, Head, Marks, Seq, UserId, WireError};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Everything that a room hears.
#[derive(Debug)]
pub(crate) enum RoomMessage {
    /// Somebody wants something to happen.
    Submit(Draft),
    /// Somebody wants to hear the room from a position on.
    Open(Open),
    /// A member says something of itself.
    Signal(Signal),
    /// A reader has caught up from the store and wants to go on live.
    Join(Join),
    /// Somebody polls the room.
    Glance(Glance),
    /// Somebody cannot read the room from the store.
    Recall(Recall),
    /// The store has given the room's state.
    Loaded(Result<Box<Loaded>, StoreError>),
    /// The store has answered the question of the draft with this ticket.
    Known(u64, Result<Known, StoreError>),
    /// The store has answered the batch under way.
    Appended(Result<(), AppendError>),
    /// The store has answered the marks under way, with the views of those who made them.
    Marked(Result<Vec<RoomState>, StoreError>),
    /// The store has counted how many members have come so far.
    Counted(CursorKind, Marks),
    /// The store has said how members have the room who have it not open; those connections have.
    HeadsRead(Arc<HashSet<ConnectionId>>, Vec<RoomState>),
    /// The store has not said it of some of them.
    HeadsUnread,
    /// Members who have the room not open may lack a word of it: its last actor did not come to it.
    HeadsDue,
    /// All members who have the room not open were told of it.
    HeadsTold,
    /// The store has said where a write is that the batch under way would have repeated.
    Located(UserId, ClientId, Result<Option<Receipt>, StoreError>),
    /// Events of another node are durable.
    Foreign(Box<Events>),
    /// The head is there, at least.
    Told(Seq),
    /// A signal of another node.
    Echo(cluster::Signal),
    /// The head is there, at least, and members who have the room not open may lack a word of it.
    HeadHeard(Seq),
    /// A draft of another node, which takes this one for the room's home.
    Forwarded(Box<Forwarded>),
    /// The room's home has answered a draft.
    Answered(NodeId, Asked, Outcome),
    /// Drafts wait for the answer of the room's home for too long now, if none has come.
    AnswerDue,
    /// The room may have another home, or one that is reached in another way.
    HomesMoved,
    /// The store has said where the head was after the draft with this ticket came, and what waited for
    /// that.
    Looked(u64, Vec<Self>, Result<Option<Head>, StoreError>),
    /// The audience has been written what it was told, or that takes too long.
    AudienceTold,
    /// The relay of this slice of the audience has died.
    RelayFailed(Arc<Slice>),
    /// Something has changed that the log does not say: read the room again.
    Refresh,
    /// It is this late; an idle room goes.
    Tick(Duration),
    /// The node is going down: go as soon as nothing is under way.
    Retire,
}

impl RoomMessage {
    /// Returns what a turn counts as that hears it.
    pub(super) const fn turn(&self) -> Turn {
        match self {
            Self::Submit(..) => Turn::RoomSubmit,
            Self::Open(..) => Turn::RoomOpen,
            Self::Signal(..) => Turn::RoomSignal,
            Self::Join(..) => Turn::RoomJoin,
            Self::Glance(..) => Turn::RoomGlance,
            Self::Recall(..) => Turn::RoomRecall,
            Self::Loaded(..) => Turn::RoomLoaded,
            Self::Known(..) => Turn::RoomKnown,
            Self::Appended(..) => Turn::RoomAppended,
            Self::Marked(..) => Turn::RoomMarked,
            Self::Counted(..) => Turn::RoomCounted,
            Self::HeadsRead(..) => Turn::RoomHeadsRead,
            Self::HeadsUnread => Turn::RoomHeadsUnread,
            Self::HeadsDue => Turn::RoomHeadsDue,
            Self::HeadsTold => Turn::RoomHeadsTold,
            Self::Located(..) => Turn::RoomLocated,
            Self::Foreign(..) => Turn::RoomForeign,
            Self::Told(..) => Turn::RoomTold,
            Self::Echo(..) => Turn::RoomEcho,
            Self::HeadHeard(..) => Turn::RoomHeadHeard,
            Self::Forwarded(..) => Turn::RoomForwarded,
            Self::Answered(..) => Turn::RoomAnswered,
            Self::AnswerDue => Turn::RoomAnswerDue,
            Self::HomesMoved => Turn::RoomHomesMoved,
            Self::Looked(..) => Turn::RoomLooked,
            Self::AudienceTold => Turn::RoomAudienceTold,
            Self::RelayFailed(..) => Turn::RoomRelayFailed,
            Self::Refresh => Turn::RoomRefresh,
            Self::Tick(..) => Turn::RoomTick,
            Self::Retire => Turn::RoomRetire,
        }
    }

    /// Returns whether it only asks for the end of what was sent before. No bound refuses it, since a
    /// refusal would come before that end; a connection has one a room at a time.
    pub(super) fn is_settle(&self) -> bool {
        matches!(self, Self::Submit(Draft { action: Action::Settle, .. }))
    }

    /// Answers a message that no room will handle.
    pub(crate) fn refuse(self, error: &WireError) {
        match self {
            Self::Submit(draft) => draft.answer.err(error.clone()),
            Self::Open(open) => open.refuse(error.clone()),
            Self::Signal(signal) => signal.refuse(error.clone()),
            Self::Forwarded(forwarded) => forwarded.answer.not_taken(),
            // A join says so by itself, and nobody waits for the others.
            _ => {}
        }
    }

    /// Whether it is what somebody wants of the room: it is held until the state is there, and goes to the
    /// next actor of the room when this one has gone.
    pub(super) const fn comes_from_outside(&self) -> bool {
        matches!(
            self,
            Self::Submit(_)
                | Self::Open(_)
                | Self::Signal(_)
                | Self::Join(_)
                | Self::HeadsDue
                | Self::HeadHeard(_)
                | Self::Forwarded(_)
        )
    }

    /// Whether another node says what only matters to those who hear the room here.
    pub(super) const fn is_for_listeners(&self) -> bool {
        matches!(self, Self::Foreign(_) | Self::Told(_) | Self::Echo(_))
    }
}
