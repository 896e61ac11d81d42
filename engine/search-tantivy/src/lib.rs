//! The search index for a store that has none: tantivy, in a folder of each node.
//!
//! | module | what |
//! |---|---|
//! | `search` | the port: whose rooms, wait for them, read |
//! | `scope` | which rooms a user may search |
//! | `rooms` | how far each room is in the index, how far it is wanted |
//! | `follow` | reads logs from the store |
//! | `writer`, `changes` | takes them in, on a thread of its own |
//! | `index`, `fields`, `folder` | the library's side: documents, commits, files |
//! | `find`, `place` | queries, order, cursors |
//!
//! It speaks to the store port only, never to a driver. All that it keeps follows from the logs: a folder
//! that is lost or damaged is made anew.

mod changes;
mod fields;
mod find;
mod folder;
mod follow;
mod index;
mod options;
mod place;
mod rooms;
mod scope;
mod search;
mod writer;

pub use options::{OpenError, TantivyOptions};
pub use search::TantivySearch;
