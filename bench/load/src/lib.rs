//! The load harness: a client that is lighter than the server it loads, the scenarios that it plays,
//! and what they come to.
//!
//! It knows of the server only what is said on the wire.
