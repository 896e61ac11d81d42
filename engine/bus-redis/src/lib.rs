//! The bus between the nodes of a cluster over one Redis: leases, pub/sub and counters.
//!
//! | module | what |
//! |---|---|
//! | `options` | where Redis is, and under which names it is used |
//! | `inspect` | what a Redis says of itself |
//! | `bus` | the port's methods |
//! | `run` | one session after another, with pauses between those that fail |
//! | `session` | one pair of connections, from subscription to break |
//! | `outgoing` | what waits to be told: frames, values, counts |
//! | `hearing` | what is heard: gaps, and what comes too late |
//! | `envelope` | the bytes around a frame |
//! | `outside` | what is read, for the fuzz targets |
//! | `scripts` | what Redis does in one step |
//!
//! It knows nothing of what frames and values say. Nothing lives only in Redis, and nothing that is
//! there has to be backed up. Why hints only, and why it counts by itself: `docs/adr/0016-the-bus-is-hints-over-redis.md`.

mod bus;
mod envelope;
mod hearing;
mod inspect;
mod options;
mod outgoing;
#[doc(hidden)]
pub mod outside;
mod run;
mod scripts;
mod session;

pub use bus::RedisBus;
pub use inspect::{InspectError, RedisStatus, inspect};
pub use options::{OpenError, RedisOptions};
