//! What nodes say to each other.

use crate::presence::{PeopleAre, UnwatchPeople, WatchPeople};
use crate::room::Action;
use rookery_engine::bus::NodeId;
use rookery_engine::store::{CursorKind, Membership, Projection, RoomRecord};
use rookery_protocol::{
    Changed, Event, ReplyBody, RoomId, Sent, Seq, SessionId, Set, Typing, UserId, WireError, Written,
};
use serde::{Deserialize, Serialize};

/// What a frame says.
#[derive(Debug)]
pub(crate) enum Said {
    /// The sender is there.
    Pulse(Pulse),
    /// The sender follows rooms whose home is here.
    Follow(Follow),
    /// The sender knows that the receiver follows.
    Followed(Followed),
    /// The sender follows no more.
    Unfollow(Unfollow),
    /// Events are durable.
    Events(Box<Events>),
    /// Heads have moved.
    Beacon(Beacon),
    /// Something is to happen in a room whose home is here.
    Submit(Box<Submit>),
    /// Something is to happen that this version does not know.
    NotUnderstood(Asked),
    /// The answer to a submit.
    Answered(Answered),
    /// The sender orders what happens in a room whose home is here.
    Astray(Astray),
    /// A signal in a room.
    Signalled(Signalled),
    /// Members who have a room not open may want to hear of its head.
    HeadMoved(HeadMoved),
    /// A login is over.
    LoginEnded(LoginEnded),
    /// All logins of a user are over.
    UserEnded(UserEnded),
    /// A profile has changed.
    UserChanged(UserChanged),
    /// A block between two users was set or taken off.
    BlockChanged(BlockChanged),
    /// The sender watches people.
    WatchPeople(WatchPeople),
    /// The sender watches people no more.
    UnwatchPeople(UnwatchPeople),
    /// How people are at the sender.
    PeopleAre(PeopleAre),
}

/// The sender is there, sees these nodes, and hears those.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pulse {
    /// Beats since the sender started, by its own clock: what it is asked to do names one.
    pub(crate) beat: u64,
    /// The nodes among which it chooses homes, ascending.
    pub(crate) homes: Vec<NodeId>,
    /// The nodes that it has heard a moment ago.
    pub(crate) hears: Vec<NodeId>,
}

/// The sender follows these rooms, for as long as it says so again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Follow {
    pub(crate) rooms: Vec<RoomId>,
}

/// The receiver follows these rooms. Each with the newest head that the sender has told of; 0 for none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Followed {
    pub(crate) heads: Vec<(RoomId, Seq)>,
}

/// The sender follows these rooms no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unfollow {
    pub(crate) rooms: Vec<RoomId>,
}

/// The heads of rooms that have moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beacon {
    pub(crate) heads: Vec<(RoomId, Seq)>,
}

/// Events that are durable, in their order and without a gap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Events {
    pub(crate) room: RoomId,
    pub(crate) groups: Vec<Group>,
}

impl Events {
    /// Returns the position of the newest; `None` where there are none.
    pub(crate) fn head(&self) -> Option<Seq> {
        self.newest().map(|event| event.seq)
    }

    /// Returns the newest; `None` where there are none.
    pub(crate) fn newest(&self) -> Option<&Event> {
        self.groups.last().and_then(|group| group.events.last())
    }
}

/// The events of one draft, and what they imply once the last of them is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) events: Vec<Event>,
    pub(crate) implied: Vec<Implied>,
    /// The `traceparent` of what it is a part of, where that is traced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<String>,
}

/// As [`Events`], of what somebody else has.
#[derive(Debug, Serialize)]
pub(crate) struct EventsOf<'a> {
    pub(crate) room: RoomId,
    pub(crate) groups: Vec<GroupOf<'a>>,
}

/// As [`Group`], of what somebody else has.
#[derive(Debug, Serialize)]
pub(crate) struct GroupOf<'a> {
    pub(crate) events: Vec<&'a Event>,
    pub(crate) implied: &'a [Implied],
    /// The `traceparent` of what it is a part of, where that is traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<String>,
}

/// What of [`Projection`] a room keeps of itself while it is active. What a delete takes away follows
/// from its event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Implied {
    Room(RoomRecord),
    Member(Membership),
}

impl Implied {
    /// Returns what of `projections` a room keeps of itself.
    pub(crate) fn of(projections: &[Projection]) -> Vec<Self> {
        let kept = |projection: &Projection| match projection {
            Projection::Room(record) => Some(Self::Room(record.clone())),
            Projection::Member(member) => Some(Self::Member(*member)),
            _ => None,
        };
        projections.iter().filter_map(kept).collect()
    }
}

impl From<Implied> for Projection {
    fn from(implied: Implied) -> Self {
        match implied {
            Implied::Room(record) => Self::Room(record),
            Implied::Member(member) => Self::Member(member),
        }
    }
}

/// Names a draft that was sent to the home of its room: the drafts of a run are numbered from 0, and
/// taken in that order or not at all. Each run of a room's actor has a greater number than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) room: RoomId,
    pub(crate) run: u64,
    pub(crate) number: u64,
}

/// What can be read of a submit whatever it asks for.
#[derive(Debug, Deserialize)]
pub(crate) struct Unread {
    pub(crate) asked: Asked,
}

/// Something is to happen.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Submit {
    pub(crate) asked: Asked,
    /// The newest beat of the receiver that the sender has heard. Once it is too long ago by the receiver's
    /// own clock, the sender waits no more, and nothing may come of it.
    pub(crate) as_of: u64,
    pub(crate) by: UserId,
    pub(crate) action: Action,
    /// The `traceparent` of what it is a part of, where that is traced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<String>,
}

/// As [`Submit`], of what somebody else has.
#[derive(Debug, Serialize)]
pub(crate) struct SubmitOf<'a> {
    pub(crate) asked: Asked,
    pub(crate) as_of: u64,
    pub(crate) by: UserId,
    pub(crate) action: &'a Action,
    /// The `traceparent` of what it is a part of, where that is traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<String>,
}

/// What became of a submit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answered {
    pub(crate) asked: Asked,
    pub(crate) outcome: Outcome,
}

/// What a home can say of what it was asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// Done, and there is nothing to say.
    Done,
    Sent(Sent),
    Written(Written),
    Changed(Changed),
    Set(Set),
    /// Refused for good, and nothing was done.
    Refused(WireError),
    /// Not looked at, and nothing will come of it here, nor of those after it in its run.
    NotTaken,
    /// Whether it was done is not known.
    Unknown,
}

impl From<Result<ReplyBody, WireError>> for Outcome {
    fn from(outcome: Result<ReplyBody, WireError>) -> Self {
        match outcome {
            Ok(ReplyBody::Empty {}) => Self::Done,
            Ok(ReplyBody::Sent(sent)) => Self::Sent(sent),
            Ok(ReplyBody::Written(written)) => Self::Written(written),
            Ok(ReplyBody::Changed(changed)) => Self::Changed(changed),
            Ok(ReplyBody::Set(set)) => Self::Set(set),
            Ok(other) => {
                debug_assert!(false, "a room answers a draft with {other:?}");
                Self::Unknown
            }
            Err(error) => Self::Refused(error),
        }
    }
}

/// The sender has not been answered, and orders for itself from now on what happens in this room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Astray {
    pub(crate) room: RoomId,
}

/// A signal in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signalled {
    pub(crate) room: RoomId,
    pub(crate) signal: Signal,
}

/// What members say of themselves that is no event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Signal {
    /// One types.
    Types(UserId, Typing),
    /// One types no more.
    Stops(UserId),
    /// Some have read as far.
    Read(Vec<(UserId, Seq)>),
    /// Messages have arrived as far at some.
    Delivered(Vec<(UserId, Seq)>),
    /// In its inbox: one has read as far in a room, on another device.
    Own(OwnRead),
}

/// How far a user has read in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnRead {
    pub(crate) user: UserId,
    pub(crate) room: RoomId,
    pub(crate) read: Seq,
    pub(crate) unread: u64,
    pub(crate) mentions: u64,
}

impl Signal {
    /// Returns how far some have come in one of the two ways.
    pub(crate) fn marks(kind: CursorKind, marks: Vec<(UserId, Seq)>) -> Self {
        match kind {
            CursorKind::Read => Self::Read(marks),
            CursorKind::Delivered => Self::Delivered(marks),
        }
    }
}

/// A room's head has moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeadMoved {
    pub(crate) room: RoomId,
    pub(crate) seq: Seq,
    /// The room's members; `None` where there are too many to name.
    pub(crate) members: Option<Vec<UserId>>,
}

/// A login is over; its connections are closed with this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoginEnded {
    pub(crate) session: SessionId,
    pub(crate) code: u16,
}

/// All logins of a user are over; their connections are closed with this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserEnded {
    pub(crate) user: UserId,
    pub(crate) code: u16,
}

/// A user has another profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserChanged {
    pub(crate) user: UserId,
}

/// A block between two users was set or taken off, or may have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockChanged {
    pub(crate) one: UserId,
    pub(crate) other: UserId,
}
