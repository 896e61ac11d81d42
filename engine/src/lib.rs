//! The mechanism of Rookery: how things are run, delivered, kept and timed.
//!
//! | module | what |
//! |---|---|
//! | `directory`, `mailbox`, `supervisor`, `parking` | where actors are, what waits for them, whose they are, what happens when they fail |
//! | `credit`, `outbox`, `hub` | bounds on work coming in, on frames going out, and the fan-out to outboxes |
//! | `connection`, `users` | what a socket's task, its session and the sweeper share; whose each is |
//! | `clock`, `random`, `tasks` | time, chance and tasks, handed in so that tests own them |
//! | `throttle`, `activity` | how often somebody may do something, and how much goes on in a room |
//! | [`store`] | the port to whatever keeps the logs; [`MemoryStore`] is the reference, [`contract`] the suite that every store passes, [`FaultStore`] the one that fails on purpose |
//! | [`search`] | the port to whatever finds messages by their words, and what a word is |
//! | [`blobs`] | the port to wherever the bytes of files are |
//! | [`bus`] | the port to the other nodes of a cluster |
//! | [`admission`] | who is let in while memory or time is short |
//! | [`metrics`] | the catalogue |
//! | [`trace`] | what a message spent its time with, step by step, and the port to whoever wants to know |
//! | [`limits`] | every bound |
//!
//! It knows nothing of members' rights, sockets, SQL or HTTP: all of it would serve a stock ticker
//! unchanged.

mod activity;
pub mod admission;
pub mod blobs;
pub mod bus;
mod clock;
mod connection;
pub mod contract;
mod credit;
mod directory;
mod fault;
mod hub;
pub mod limits;
mod mailbox;
mod memory;
pub mod metrics;
mod outbox;
mod parking;
mod random;
pub mod search;
pub mod store;
mod supervisor;
mod tasks;
mod throttle;
pub mod trace;
mod users;

pub use activity::{Activity, Pace};
pub use clock::{Clock, ManualClock, SystemClock};
pub use connection::{Connection, ConnectionId, Connections, Verdict};
pub use credit::{Credit, Credits};
pub use directory::Directory;
pub use fault::{FaultStore, Faults};
pub use hub::{Audience, FanOut, Hub, Listener, Published, Slice, Slices, Told};
pub use mailbox::{Depth, Mailbox};
pub use memory::MemoryStore;
pub use metrics::Metrics;
pub use outbox::{EphemeralKey, Outbox, Pushed, Taken, ephemeral_key};
pub use parking::Parking;
pub use random::{Random, SeededRandom, SystemRandom, uuid_v7};
pub use supervisor::{Never, Supervisors};
pub use tasks::Tasks;
pub use throttle::{Bucket, ClusterThrottle, Rule, Throttle, Throttled};
pub use users::UserConnections;
