//! The limits of the wire, each in one place.
//!
//! What bounds the server itself (batches, outboxes, queues) is in the engine's limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest integer that every client's numbers hold exactly: 2^53 - 1.
///
/// Source: RFC 8259, section 6 (JSON numbers as IEEE 754 doubles).
pub const SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Bytes of one frame from a client.
///
/// Four texts of the greatest size, or a batch of 32 commands of 2 KiB. With [`IN_FLIGHT`] it bounds a
/// connection at 2 MiB of queued work.
pub const FRAME_BYTES: usize = 64 * 1024;

/// Bytes of a message's text, in UTF-8.
///
/// About eight pages of English; a longer text is an attachment. Escaped as JSON (six bytes for a
/// control character) it may exceed a frame, which is then refused as a frame.
pub const TEXT_BYTES: usize = 16 * 1024;

/// Commands in one frame.
///
/// As many as a connection may have in flight: a batch that took more credit than there is could
/// never be served.
pub const BATCH_COMMANDS: usize = IN_FLIGHT;

/// Commands of one connection that are not yet answered; beyond it the socket is not read.
pub const IN_FLIGHT: usize = 32;

/// Rooms that one connection has open at a time.
///
/// What a person can have on screen and in notifications at once; others arrive as `room.head`.
pub const OPEN_ROOMS: usize = 256;

/// Entries of one page of history, rooms or members.
///
/// 100 messages of the greatest size are 1.6 MiB; ordinary ones 40 KiB.
pub const PAGE: usize = 100;

/// Events that `room.open` replays; further back the client gets `reset` and fetches pages.
///
/// Ten pages: above that, pages are cheaper for the client than a stream.
pub const REPLAY: usize = 1000;

/// Levels of nesting of a frame, the frame's own object included.
///
/// Twice what any frame of ours needs. Unbounded nesting overflows the stack of a recursive decoder.
pub const DEPTH: usize = 32;

/// Bytes of a message's `meta`, as compact JSON.
pub const META_BYTES: usize = 4 * 1024;

/// Levels of nesting of a message's `meta`, its own object included.
///
/// A page of history puts five levels around it (reply, `ok`, list, message, body), which must stay
/// within [`DEPTH`].
pub const META_DEPTH: usize = 24;

/// Bytes of the name of a body's kind of one's own, `x.` included.
pub const KIND_BYTES: usize = 64;

/// Characters (Unicode scalar values) of a message that a quotation or a preview shows.
///
/// Two lines of a phone's list; a page of 100 quotations adds at most 56 KiB.
pub const PREVIEW_CHARS: usize = 140;

/// Different emoji that one message's reactions have at most.
pub const REACTION_KINDS: usize = 20;

/// Bytes of one reaction's emoji.
///
/// The longest emoji of Unicode 16 (a family of four with skin tones) takes 41 bytes of UTF-8.
pub const EMOJI_BYTES: usize = 64;

/// Mentions in one message.
pub const MENTIONS: usize = 50;

/// Attachments of one message.
pub const ATTACHMENTS: usize = 20;

/// Bytes of a file's name: what the usual file systems allow for one.
pub const FILE_NAME_BYTES: usize = 255;

/// Bytes of a media type: as long as its registration allows (RFC 6838, section 4.2).
pub const MIME_BYTES: usize = 255;

/// Bytes of a picture as it is sent.
///
/// A photo of 40 megapixels is half of it at most; the whole of one is in memory while it is decoded.
pub const PICTURE_BYTES: u64 = 32 << 20;

/// Pixels of a picture, or of one frame of a moving one.
///
/// Above what phones take by default; decoded they are 160 MiB. A picture of 10,000 x 10,000 pixels
/// that is one colour is sent as 100 KiB, and would be 400 MiB.
pub const PICTURE_PIXELS: u64 = 40_000_000;

/// Pixels that a small picture has at most in width and in height: a bubble on a screen of twice the
/// usual density.
pub const THUMB_PIXELS: u32 = 320;

/// Users that one command adds to a room.
///
/// Each is one event of the same batch, and a batch has at most 64.
pub const MEMBERS_PER_CALL: usize = 50;

/// Bytes of what is searched for, in UTF-8.
///
/// A sentence; what is longer was pasted by mistake, and each word costs a list to walk.
pub const QUERY_BYTES: usize = 256;

/// Words of what is searched for.
pub const QUERY_WORDS: usize = 16;

/// Users whose presence one connection watches.
pub const WATCHED: usize = 200;

/// Characters (Unicode scalar values) of the status that goes with a presence.
///
/// As long as a title: one line beside a name.
pub const STATUS_CHARS: usize = 128;

/// Characters (Unicode scalar values) of a room's title.
pub const TITLE_CHARS: usize = 128;

/// Characters (Unicode scalar values) of what a user or a room says of itself.
pub const ABOUT_CHARS: usize = 1024;

/// Characters that a handle has at least.
pub const HANDLE_CHARS_MIN: usize = 3;

/// Characters that a handle has at most.
pub const HANDLE_CHARS: usize = 32;

/// Characters (Unicode scalar values) of a user's name; it has at least one.
pub const NAME_CHARS: usize = 64;

/// Characters that a search for users has at least, without `@`.
///
/// With one the answers to 38 searches would be a directory.
pub const SEARCH_CHARS_MIN: usize = 2;

/// Users that one search gives; there is no next page.
pub const SEARCH_USERS: usize = 20;

/// Milliseconds between the server's pings.
///
/// Below the 30 s after which the strictest proxies in use drop an idle connection.
pub const PING_EVERY_MS: u64 = 25_000;

/// Milliseconds within which anything must have come back after a ping.
pub const PONG_WITHIN_MS: u64 = 10_000;

/// Milliseconds within which a new connection must have authenticated.
pub const AUTH_WITHIN_MS: u64 = 5_000;

/// The limits that a client has to know, as `hello` tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Limits {
    /// [`FRAME_BYTES`].
    pub frame_bytes: usize,
    /// [`TEXT_BYTES`].
    pub text_bytes: usize,
    /// [`BATCH_COMMANDS`].
    pub batch: usize,
    /// [`IN_FLIGHT`].
    pub in_flight: usize,
    /// [`OPEN_ROOMS`].
    pub open_rooms: usize,
    /// [`PAGE`].
    pub page: usize,
    /// [`REPLAY`].
    pub replay: usize,
}

impl Limits {
    /// What this version of the server keeps to.
    pub const CURRENT: Self = Self {
        frame_bytes: FRAME_BYTES,
        text_bytes: TEXT_BYTES,
        batch: BATCH_COMMANDS,
        in_flight: IN_FLIGHT,
        open_rooms: OPEN_ROOMS,
        page: PAGE,
        replay: REPLAY,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::CURRENT
    }
}
