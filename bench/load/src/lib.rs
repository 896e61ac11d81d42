//! The load harness: a light client, the scenarios it plays, and the document that a run leaves.
//!
//! ```text
//! scenario --> engine --> result (one JSON document) --> report | compare | RESULTS.md
//! ```
//!
//! Running and reporting meet in nothing but that document, so a run can be read anywhere and later. It is
//! mounted by `rookery-bench`. It knows the wire and the machine, and nothing of the server's crates.

pub mod result;
