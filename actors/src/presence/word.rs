//! What nodes say to each other of people: who is watched where, and how they are there.

use rookery_engine::bus::NodeId;
use rookery_protocol::{PresenceState, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// How a user is there by its connections to one node, those that linger included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Whereabouts {
    /// How; `None` without a connection. One that is invisible makes all of them so.
    pub(crate) state: Option<PresenceState>,
    /// When it was online last, as far as that node knows.
    pub(crate) last_seen: Option<Timestamp>,
    /// The status that was said last, and its place among all that were said: of two the greater counts.
    pub(crate) status: Option<(u64, String)>,
    /// Logins whose connection was invisible when it went, and may come back anywhere.
    pub(crate) left: Vec<SessionId>,
}

impl Whereabouts {
    /// Whether it hides the user wherever else it is.
    pub(crate) fn hides(&self) -> bool {
        self.state == Some(PresenceState::Invisible)
    }
}

/// The sender watches these people from now on: it is to be told how they are, and what changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WatchPeople {
    /// What the answer names.
    pub(crate) number: u64,
    /// Whether it begins anew: whom the sender watched before it does not, unless it says so again.
    pub(crate) is_all: bool,
    pub(crate) users: Vec<UserId>,
}

/// The sender watches these people no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnwatchPeople {
    pub(crate) users: Vec<UserId>,
}

/// How people are at the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PeopleAre {
    /// The number of what is answered: of those it named, whoever is not in `people` is not there.
    pub(crate) answers: Option<u64>,
    /// What the sender has said before of people who hide is void.
    pub(crate) is_anew: bool,
    /// Whether every node is told, since somebody hides or does no more.
    pub(crate) is_for_all: bool,
    pub(crate) people: Vec<(UserId, Whereabouts)>,
}

/// One word between nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Watch(WatchPeople),
    Unwatch(UnwatchPeople),
    Are(PeopleAre),
}

/// A word and for whom it is; all where nobody is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) to: Option<NodeId>,
    pub(crate) word: Word,
}
