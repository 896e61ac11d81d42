//! What the client knows of the wire: as little as it takes to load a server and to check what comes back.
//!
//! | file | what |
//! |---|---|
//! | `wire/masked.rs` | WebSocket frames from a client |
//! | `wire/split.rs` | WebSocket frames of a server, one by one |
//! | `wire/peek.rs` | what a payload says, read no further than the checks need |
//! | `wire/msgpack.rs`, `wire/json.rs` | the two codecs for it |
//! | `wire/stamp.rs` | what a message's text carries: when it was due, and a check of its own |

mod json;
pub(crate) mod masked;
mod msgpack;
pub(crate) mod peek;
pub(crate) mod split;
pub(crate) mod stamp;
