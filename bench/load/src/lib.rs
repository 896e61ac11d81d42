//! The load harness: a client that is lighter than the server it loads, the scenarios that it plays,
//! and what they come to.
//!
//! ```text
//! scenario --> engine --> result (one JSON document) --> report | compare | bench/RESULTS.md
//! ```
//!
//! Playing and reading meet in nothing but that document, so a run can be read anywhere and later. It
//! knows of the server only what is said on the wire.

pub mod compare;
pub mod condition;
mod page;
mod repeated;
pub mod report;
pub mod result;
pub mod results;
pub mod scenario;
