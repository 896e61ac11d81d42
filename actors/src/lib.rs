//! The policy of Rookery: who may do what, in which order, and who hears of it.
//!
//! | module | what |
//! |---|---|
//! | `node` | the value that owns everything of one server; what the edge talks to |
//! | `session`, `session/` | one actor a connection: identity, and each command to where it belongs |
//! | `room`, `room/` | one actor an active room: order, rights, de-duplication, append, fan-out |
//! | `request`, `request/` | the ops that take more than one step, for sockets and HTTP alike |
//! | `cluster`, `cluster/` | other nodes: the home of a room, and what nodes tell each other |
//! | `presence`, `presence/` | who is there, and who is told |
//! | `sweeper` | the one timer: pings, deadlines, idle rooms |
//! | `rates` | how often a user may do what costs others something |
//! | `refusals` | which of what is refused is said in the log |
//! | `outside` | what is read of strangers' bytes, for the fuzz targets |
//! | `answer` | where the answer to a command goes, and that there is exactly one |
//!
//! It knows nothing of sockets, HTTP, tokens, configuration files, or which store is in use.

mod answer;
mod cluster;
mod identity;
mod naming;
mod node;
#[doc(hidden)]
pub mod outside;
mod presence;
mod rates;
mod refusals;
mod request;
mod room;
mod session;
mod sweeper;

pub use answer::Answer;
pub use identity::{Authenticating, Authenticator, Identity};
pub use naming::{direct_room, inbox_of};
pub use node::{
    CLOSES_WITHIN, Check, HotRoom, HotRooms, LinkState, Node, NodeConfig, NodeParts, NodeStanding,
    NodesStanding, RoomStanding, RoomsStanding, StartError,
};
pub use presence::{Presence, Swept};
pub use rates::{HANDLE_RATE, RateConfig, SEARCH_RATE};
pub use request::attachment;
pub use session::{Arrival, SessionMessage, SessionRef};
