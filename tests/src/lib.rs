//! What the behaviour tests and the replay stand on: journals of what clients saw, and the checker
//! that judges them, and a whole node in process.
//!
//! It is no test by itself; the tests are in `it/`.

pub mod checker;
#[cfg(feature = "contract")]
pub mod contract;
pub mod journal;
pub mod node;
pub mod proxy;
pub mod server;
pub mod wire;
