//! Backups: all that a store keeps and the bytes of its files as one stream, and back into any store.
//!
//! | module | what |
//! |---|---|
//! | `frame` | the stream as checked pieces: what is damaged, missing or out of place is seen |
//! | `item` | what the pieces say |
//! | `tally` | how many records of each part there are, and one sum over them |
//! | `write` | from a store into a stream |
//! | `restore` | from a stream into a store, again and again until it is done |
//! | `check` | a stream without a store; a store against a stream |
//!
//! **Shape of a stream.** The 16 bytes `rookery backup\0` and the version of the format; then frames. A frame
//! is the length of its content (4 bytes, big-endian, at most [`FRAME_BYTES`]), the content, and the SHA-256 of
//! the sum before it and the content; before the first frame that is the SHA-256 of the 16 bytes. The content
//! is one byte that says what it is and what `item` says of that, in MessagePack with names. The last frame
//! says what there was, and nothing follows it.
//!
//! It knows no store by name, no command line and no file system.

mod blob;
mod check;
mod frame;
mod item;
mod restore;
mod tally;
mod write;

pub use check::{CheckError, check, verify};
pub use frame::{BrokenStream, FRAME_BYTES};
pub use item::{End, Header, VERSION};
pub use restore::{Begin, RestoreError, Restored, Target, restore};
pub use tally::{Tally, Total};
pub use write::{Source, WriteError, write};
